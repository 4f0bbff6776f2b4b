// `tidegate correct`, `tidegate device ...`, `tidegate gateway ...`, `tidegate quota ...`, `tidegate audit ...` and
// `tidegate site ...`.
#pragma once

#include <functional>

#include "base/error.h"
#include "cli/internal/connection.h"

namespace CLI {
class App;
}

namespace tidegate::cli {

// Adds the words to `app`; `command` is set to what the line asked for. Both references outlive the app.
void add_device_commands(CLI::App& app, const ClientOptions& client, std::function<Result<int>()>& command);
// Of the word `device`: `twin` and `command`.
void add_twin_commands(CLI::App& device, const ClientOptions& client, std::function<Result<int>()>& command);
void add_correct_command(CLI::App& app, const ClientOptions& client, std::function<Result<int>()>& command);
void add_gateway_commands(CLI::App& app, const ClientOptions& client, std::function<Result<int>()>& command);
void add_quota_commands(CLI::App& app, const ClientOptions& client, std::function<Result<int>()>& command);
void add_audit_commands(CLI::App& app, const ClientOptions& client, std::function<Result<int>()>& command);
void add_site_commands(CLI::App& app, const ClientOptions& client, std::function<Result<int>()>& command);

}  // namespace tidegate::cli
