// Contexts: servers by name, with the authority that signed their certificate and the session or token for them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/error.h"
#include "cli/internal/connection.h"

namespace tidegate::cli {

// ~/.config/tidegate/contexts.json, mode 0600; beside the session of `tidegate login` without a context.
struct Contexts {
  std::string current;  // empty: none is in use
  std::map<std::string, SavedSession> by_name;
};
[[nodiscard]] std::filesystem::path contexts_file();
[[nodiscard]] Result<Contexts> load_contexts(const std::filesystem::path& file);  // empty if there is none
[[nodiscard]] Result<> save_contexts(const std::filesystem::path& file, const Contexts& contexts);

// The context that the options name or, unless they name a server or a data folder, the one in use; empty: none.
// NotFound.
[[nodiscard]] Result<std::string> chosen_context(const ClientOptions& options, const Contexts& contexts);

// `tidegate context ...`. The first one added is in use at once. `token` may be empty: `tidegate login` fills it in.
[[nodiscard]] Result<> add_context(const ClientOptions& options, const std::string& name, bool token_stdin);
[[nodiscard]] Result<> use_context(const ClientOptions& options, const std::string& name);
[[nodiscard]] Result<> list_contexts(const ClientOptions& options);
[[nodiscard]] Result<> delete_context(const ClientOptions& options, const std::string& name);

}  // namespace tidegate::cli
