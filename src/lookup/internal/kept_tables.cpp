#include "lookup/internal/kept_tables.h"

#include <fmt/format.h>

#include "base/logging.h"
#include "io/file.h"
#include "io/thread.h"
#include "lookup/internal/device_rows.h"
#include "lookup/row_bytes.h"
#include "lookup/table_file.h"
#include "sql/duration.h"

namespace tidegate::lookup {

namespace {

std::string option_of(const catalog::TableDefinition& table, const char* name) {
  const auto found = table.options.find(name);
  return found == table.options.end() ? std::string() : found->second;
}

int64_t monitor_us(const catalog::TableDefinition& table) {
  return sql::parse_duration(option_of(table, "source.monitor-interval")).value_or(kDefaultMonitorUs);
}

std::unexpected<Error> unknown_table() { return fail(ErrorCode::NotFound, "there is no such lookup table"); }

}  // namespace

KeptTables::KeptTables(TablesParts parts, const crypto::Key& key, bool manual)
    : parts_(std::move(parts)), kept_(parts_.store, key, parts_.random) {
  if (!manual) thread_ = std::thread([this] { run(); });
}

KeptTables::~KeptTables() {
  {
    const std::lock_guard lock(wake_mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void KeptTables::run() {
  io::name_this_thread("lookup-tables");
  for (;;) {
    {
      std::unique_lock lock(wake_mutex_);
      if (wake_.wait_for(lock, std::chrono::milliseconds(kLookMs), [this] { return stopping_; })) return;
    }
    look();
  }
}

TableVersionPtr KeptTables::current(catalog::TableId table) const {
  const auto entries = entries_.lock();
  const auto found = entries->find(table);
  return found == entries->end() ? nullptr : found->second.current;
}

std::optional<KeptTables::Entry> KeptTables::find(catalog::TableId table) const {
  const auto entries = entries_.lock();
  const auto found = entries->find(table);
  return found == entries->end() ? std::nullopt : std::optional(found->second);
}

Result<std::filesystem::path> KeptTables::path_of(const catalog::TableDefinition& table) const {
  const std::string wanted = option_of(table, "path");
  if (auto path = io::allowed_path(wanted, parts_.folders)) return std::move(*path);
  const bool absolute = std::filesystem::path(wanted).is_absolute();
  return fail(ErrorCode::SqlInvalidOption,
              fmt::format("the path '{}' of table '{}' leads out of the folders that lookup tables may be read from",
                          wanted, table.name),
              absolute
                  ? "Start the server with --lookup-folder FOLDER to allow a folder, or give a relative path"
                  : fmt::format("Relative paths are below {}; leave out '..', or give an absolute path in a folder "
                                "allowed by --lookup-folder",
                                parts_.folders.home.string()));
}

Result<> KeptTables::check(const catalog::TableDefinition& table) const {
  if (table.source == catalog::TableSource::kFile) TRY(path_of(table));
  return {};
}

Result<columnar::Batch> KeptTables::read_file(const catalog::TableDefinition& table, io::FileStamp& stamp) const {
  TRY_ASSIGN(const std::filesystem::path path, path_of(table));
  const auto refused = [&](const Error& error) {
    return fail(ErrorCode::TableRefused, fmt::format("{}: {}", path.string(), error.message), error.hint);
  };
  const auto before = io::stamp_of(path);
  if (!before) return fail(ErrorCode::TableRefused, before.error().message, before.error().hint);
  stamp = *before;
  if (stamp.size > kMaxFileBytes) {
    return refused(
        {ErrorCode::TableRefused, fmt::format("{} bytes, the limit is {}", stamp.size, kMaxFileBytes), "", {}});
  }
  const auto text = io::read_file(path);
  if (!text) return fail(ErrorCode::TableRefused, text.error().message, text.error().hint);
  const auto after = io::stamp_of(path);
  if (!after || *after != stamp) {
    return refused({ErrorCode::TableRefused, "the file changed while it was read", "It will be read again", {}});
  }
  auto rows = read_table_file(table, *text);
  if (!rows) return refused(rows.error());
  return rows;
}

// What is new of the table's source, durable before it counts.
Result<> KeptTables::load(Entry& entry) {
  if (entry.broken) return std::unexpected(*entry.broken);
  const int64_t now_us = parts_.clock.monotonic_us();
  entry.next_look_us = now_us + monitor_us(*entry.table);
  if (entry.table->source == catalog::TableSource::kDevices) {
    if (parts_.registry == nullptr) return fail(ErrorCode::TableRefused, "there is no device registry");
    entry.registry_version = parts_.registry->device_version();
    columnar::Batch rows = device_rows(*parts_.registry, *entry.table);
    entry.next_look_us = now_us + static_cast<int64_t>(rows.rows / kDevicesPerSecond) * kMicrosPerSecond;
    return take(entry, std::move(rows));
  }
  io::FileStamp stamp;
  auto rows = read_file(*entry.table, stamp);
  if (!rows) {
    entry.done = stamp;
    return std::unexpected(std::move(rows.error()));
  }
  TRY(take(entry, std::move(*rows)));
  entry.done = stamp;
  return {};
}

Result<> KeptTables::take(Entry& entry, columnar::Batch rows) {
  std::string mark = fingerprint(rows);
  if (entry.current != nullptr && entry.fingerprint == mark) return {};
  const bool from_file = entry.table->source == catalog::TableSource::kFile;
  KeptVersion version;
  version.number = entry.last_number + 1;
  version.loaded_us = parts_.clock.now_us();
  version.fingerprint = mark;
  if (from_file) version.rows = rows;
  TRY(kept_.put(entry.table->id, version));
  entry.last_number = version.number;
  entry.current =
      std::make_shared<const TableVersion>(TableVersion{version.number, std::move(rows), version.loaded_us});
  entry.fingerprint = std::move(mark);
  return {};
}

// Puts the entry back, unless the table was dropped meanwhile, and tells of the error when it is another one.
void KeptTables::keep(const Entry& entry, const Result<>& outcome) {
  const std::string error = outcome ? "" : outcome.error().to_string();
  auto entries = entries_.lock();
  const auto found = entries->find(entry.table->id);
  if (found == entries->end()) return;
  const bool changed = found->second.current != entry.current;
  const bool told = found->second.error == error;
  const int64_t told_us = found->second.error_us;
  found->second = entry;
  found->second.error = error;
  found->second.error_us = told ? told_us : parts_.clock.now_us();
  if (changed) {
    log_info("lookup.loaded",
             {{"table", entry.table->name}, {"version", entry.current->number}, {"rows", entry.current->rows.rows}});
  }
  if (!told && !error.empty()) log_warn("lookup.refused", {{"table", entry.table->name}, {"error", error}});
}

// The same without news.
void KeptTables::put_back(const Entry& entry) {
  auto entries = entries_.lock();
  const auto found = entries->find(entry.table->id);
  if (found != entries->end()) found->second = entry;
}

Result<> KeptTables::add(catalog::TablePtr table) {
  const std::lock_guard one_at_a_time(loading_);
  Entry entry;
  entry.table = std::move(table);
  TRY(load(entry));
  entries_.lock()->emplace(entry.table->id, entry);
  keep(entry, {});
  return {};
}

// Devices are not kept, since the registry has them: with the same content it is the same version.
Result<> KeptTables::restore(catalog::TablePtr table) {
  const std::lock_guard one_at_a_time(loading_);
  Entry entry;
  entry.table = std::move(table);
  auto stored = kept_.get(*entry.table);
  if (!stored) {
    entry.broken = std::move(stored.error());
    if (entry.broken->hint.empty()) entry.broken->hint = "Drop the table and make it anew";
    entries_.lock()->emplace(entry.table->id, entry);
    keep(entry, std::unexpected(*entry.broken));
    return std::unexpected(*entry.broken);
  }
  auto& kept = *stored;
  if (kept) {
    entry.last_number = kept->number;
    if (!kept->rows && parts_.registry != nullptr) {
      entry.registry_version = parts_.registry->device_version();
      columnar::Batch rows = device_rows(*parts_.registry, *entry.table);
      if (fingerprint(rows) == kept->fingerprint) kept->rows = std::move(rows);
    }
    if (kept->rows) {
      entry.fingerprint = kept->fingerprint;
      entry.current =
          std::make_shared<const TableVersion>(TableVersion{kept->number, std::move(*kept->rows), kept->loaded_us});
    }
  }
  entries_.lock()->emplace(entry.table->id, entry);
  const Result<> loaded = load(entry);
  keep(entry, loaded);
  return {};
}

Result<> KeptTables::drop(catalog::TableId table) {
  const std::lock_guard one_at_a_time(loading_);
  entries_.lock()->erase(table);
  return kept_.drop(table);
}

Result<TableVersionPtr> KeptTables::reload(catalog::TableId table) {
  const std::lock_guard one_at_a_time(loading_);
  auto entry = find(table);
  if (!entry) return unknown_table();
  Result<> loaded = load(*entry);
  if (!loaded && entry->current != nullptr && loaded.error().hint.empty()) {
    loaded.error().hint = fmt::format("Version {} stays in use", entry->current->number);
  }
  keep(*entry, loaded);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  return entry->current;
}

void KeptTables::look() {
  const std::lock_guard one_at_a_time(loading_);
  std::vector<Entry> due;
  {
    auto entries = entries_.lock();
    for (const auto& [id, entry] : *entries) {
      if (entry.next_look_us <= parts_.clock.monotonic_us()) due.push_back(entry);
    }
  }
  for (const Entry& entry : due) {
    if (!entry.broken) look_at(entry);
  }
}

void KeptTables::look_at(const Entry& entry) {
  if (entry.table->source == catalog::TableSource::kFile) return look_at_file(entry);
  if (parts_.registry == nullptr) return;
  if (entry.error.empty() && parts_.registry->device_version() == entry.registry_version) return;
  Entry changed = entry;
  const Result<> loaded = load(changed);
  keep(changed, loaded);
}

void KeptTables::look_at_file(Entry entry) {
  const int64_t now_us = parts_.clock.monotonic_us();
  entry.next_look_us = now_us + monitor_us(*entry.table);
  const auto path = path_of(*entry.table);
  const auto stamp = path ? io::stamp_of(*path) : Result<io::FileStamp>(std::unexpected(path.error()));
  if (!stamp) {
    entry.done.reset();
    entry.seen.reset();
    return keep(entry, fail(ErrorCode::TableRefused, stamp.error().message, stamp.error().hint));
  }
  if (entry.done == *stamp) {
    entry.seen.reset();
    return put_back(entry);
  }
  if (entry.seen != *stamp) {
    entry.seen = *stamp;
    entry.next_look_us = now_us + kSettleUs;
    return put_back(entry);
  }
  const Result<> loaded = load(entry);
  keep(entry, loaded);
}

std::vector<TableStatus> KeptTables::status() const {
  std::vector<TableStatus> all;
  const auto entries = entries_.lock();
  for (const auto& [id, entry] : *entries) {
    TableStatus status;
    status.id = id;
    status.name = entry.table->name;
    status.source = entry.table->source;
    if (status.source == catalog::TableSource::kFile) {
      if (const auto path = path_of(*entry.table)) status.path = path->string();
    }
    if (entry.current != nullptr) {
      status.version = entry.current->number;
      status.rows = entry.current->rows.rows;
      status.memory_bytes = entry.current->rows.memory_bytes();
      status.loaded_us = entry.current->loaded_us;
    }
    status.last_error = entry.error;
    status.last_error_us = entry.error.empty() ? 0 : entry.error_us;
    all.push_back(std::move(status));
  }
  return all;
}

Result<std::unique_ptr<Tables>> Tables::open(TablesParts parts, bool manual) {
  TRY_ASSIGN(crypto::Key key, parts.keys.data_key("lookup"));
  return std::make_unique<KeptTables>(std::move(parts), std::move(key), manual);
}

}  // namespace tidegate::lookup
