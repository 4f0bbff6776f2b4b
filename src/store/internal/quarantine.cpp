#include "store/internal/quarantine.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/logging.h"
#include "store/internal/status_error.h"

namespace tidegate::store {

namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

rocksdb::Status sync_folder(rocksdb::Env& env, const std::string& folder) {
  std::unique_ptr<rocksdb::Directory> directory;
  const rocksdb::Status opened = env.NewDirectory(folder, &directory);
  return opened.ok() ? directory->Fsync() : opened;
}

}  // namespace

std::vector<std::string> numbered_files(rocksdb::Env& env, const std::string& folder, std::string_view ending) {
  std::vector<std::string> names;
  env.GetChildren(folder, &names).PermitUncheckedError();  // no folder, no files
  std::erase_if(names, [&](const std::string& name) {
    return !name.ends_with(ending) || !all_digits(std::string_view(name).substr(0, name.size() - ending.size()));
  });
  std::ranges::sort(names);
  return names;
}

void Quarantine::prepare() {
  const std::vector<std::string> logs = numbered_files(env_, database_, ".log");
  if (logs.empty()) return;
  const std::string pending = folder_ + "/pending";
  rocksdb::Status done = env_.CreateDirIfMissing(folder_);
  if (done.ok()) done = env_.CreateDirIfMissing(pending);
  for (const std::string& log : logs) {
    const std::string name = fmt::format("{}/{}", pending, log);
    if (done.ok() && env_.FileExists(name).IsNotFound())
      done = env_.LinkFile(fmt::format("{}/{}", database_, log), name);
  }
  if (done.ok()) return;
  log_warn("store.quarantine_not_prepared",
           {{"reason", done.ToString()}, {"consequence", "a damaged write-ahead log would not be kept"}});
}

std::vector<std::string> Quarantine::numbers() const { return numbered_files(env_, folder_, ""); }

Result<std::string> Quarantine::keep(const std::string& reason) {
  const std::vector<std::string> before = numbers();
  if (before.size() >= kMaxKept) {
    drop();
    return fail(ErrorCode::LimitReached, fmt::format("{} damaged write-ahead logs are kept already", before.size()),
                "Look at them, then delete them.");
  }
  std::string folder = fmt::format("{}/{:06}", folder_, before.empty() ? 1 : std::stoul(before.back()) + 1);
  const std::string pending = folder_ + "/pending";
  rocksdb::Status done = env_.CreateDirIfMissing(folder_);
  if (done.ok()) done = env_.CreateDirIfMissing(pending);
  if (done.ok()) done = rocksdb::WriteStringToFile(&env_, reason + "\n", pending + "/reason.txt", true);
  if (done.ok()) done = sync_folder(env_, pending);
  if (done.ok()) done = env_.RenameFile(pending, folder);
  if (done.ok()) done = sync_folder(env_, folder_);
  if (!done.ok()) return fail(error_of(done, "keeping the damaged write-ahead log in " + folder));
  return folder;
}

void Quarantine::drop() {
  const std::string pending = folder_ + "/pending";
  std::vector<std::string> names;
  if (!env_.GetChildren(pending, &names).ok()) return;
  for (const std::string& name : names) {
    if (name != "." && name != "..") env_.DeleteFile(fmt::format("{}/{}", pending, name)).PermitUncheckedError();
  }
  env_.DeleteDir(pending).PermitUncheckedError();
}

size_t Quarantine::kept() const { return numbers().size(); }

}  // namespace tidegate::store
