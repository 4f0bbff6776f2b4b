#include "disk.h"

#include <algorithm>

namespace tidegate::simulation {

namespace {

constexpr uint64_t kSector = 512;

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

void mix(uint64_t& hash, std::string_view bytes) {  // FNV-1a
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3U;
}

void mix(uint64_t& hash, uint64_t number) {
  mix(hash, std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
}

void overlay(std::string& content, uint64_t offset, std::string_view data) {
  if (content.size() < offset + data.size()) content.resize(offset + data.size(), '\0');
  content.replace(offset, data.size(), data);
}

void apply_change(std::string& content, const File::Change& change) {
  if (change.truncates) {
    content.resize(change.offset, '\0');
  } else {
    overlay(content, change.offset, change.data);
  }
}

}  // namespace

FilePtr Disk::find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

std::vector<std::string> Disk::children(const std::string& folder) const {
  std::vector<std::string> found;
  const std::string prefix = folder + "/";
  const auto add = [&](const std::string& path) {
    if (path.starts_with(prefix) && path.find('/', prefix.size()) == std::string::npos) {
      found.push_back(path.substr(prefix.size()));
    }
  };
  for (const auto& [path, file] : names_) add(path);
  for (const std::string& path : folders_) add(path);
  return found;
}

std::optional<Outcome> Disk::begin(char kind, const std::string& name, uint64_t size) {
  if (off_) return Outcome::kOff;
  ++operations_;
  mix(trace_, std::string_view(&kind, 1));
  mix(trace_, name);
  mix(trace_, size);
  if (operations_ >= stop_at_) off_ = true;  // in the middle of this one
  return std::nullopt;
}

Outcome Disk::end(Outcome outcome) {
  if (off_) outcome = Outcome::kOff;
  mix(trace_, static_cast<uint64_t>(outcome));
  return outcome;
}

void Disk::put(File& file, uint64_t offset, std::string_view data) {
  overlay(file.seen, offset, data);
  file.pending.push_back({offset, std::string(data), false, false});
}

void Disk::apply(Names& names, const NameChange& change) {
  for (const std::string& gone : change.gone) names.erase(gone);
  if (!change.added.empty()) names[change.added] = change.file;
}

void Disk::note(const std::string& folder, NameChange change) {
  if (off_ && random_.below(2) == 0) return;  // the power went before it
  apply(names_, change);
  pending_names_[folder].push_back(std::move(change));
}

Outcome Disk::create(const std::string& path, FilePtr& made) {
  if (const auto instead = begin('c', path, 0)) return *instead;
  made = std::make_shared<File>();
  made->name = path;
  note(folder_of(path), {{}, path, made});
  return end(Outcome::kOk);
}

Outcome Disk::write(File& file, uint64_t offset, std::string_view data) {
  if (const auto instead = begin('w', file.name, data.size())) return *instead;
  ++writes_;
  const uint64_t grown = offset + data.size() > file.seen.size() ? offset + data.size() - file.seen.size() : 0;
  const bool fails = writes_ == failing_write_;
  const bool full = room_ && grown > *room_;
  if (fails || full || off_) {  // some of it got there
    const uint64_t fits = full ? data.size() - std::min<uint64_t>(data.size(), grown - *room_) : data.size();
    put(file, offset, data.substr(0, full && !fails ? fits : random_.below(fits + 1)));
    if (room_) *room_ -= std::min(*room_, grown);
    return end(full ? Outcome::kFull : Outcome::kFailed);
  }
  if (room_) *room_ -= grown;
  put(file, offset, data);
  return end(Outcome::kOk);
}

Outcome Disk::truncate(File& file, uint64_t size) {
  if (const auto instead = begin('t', file.name, size)) return *instead;
  file.seen.resize(size, '\0');
  file.pending.push_back({size, {}, true, false});
  return end(Outcome::kOk);
}

Outcome Disk::sync(File& file) {
  if (const auto instead = begin('s', file.name, file.seen.size())) return *instead;
  ++syncs_;
  if (off_) return end(Outcome::kOff);  // how far it got is decided by turn_on()
  if (syncs_ == failing_sync_) {
    for (File::Change& change : file.pending) change.lost = change.lost || random_.below(2) == 0;
    return end(Outcome::kFailed);
  }
  std::vector<File::Change> lost;
  for (File::Change& change : file.pending) {
    if (change.lost) {
      lost.push_back(std::move(change));
    } else {
      apply_change(file.durable, change);
    }
  }
  file.pending = std::move(lost);
  return end(Outcome::kOk);
}

Outcome Disk::sync_folder(const std::string& folder) {
  if (const auto instead = begin('f', folder, pending_names_[folder].size())) return *instead;
  ++syncs_;
  if (off_) return end(Outcome::kOff);
  if (syncs_ == failing_sync_) return end(Outcome::kFailed);
  for (const NameChange& change : pending_names_[folder]) apply(durable_names_, change);
  pending_names_[folder].clear();
  return end(Outcome::kOk);
}

Outcome Disk::rename(const std::string& from, const std::string& to) {
  if (const auto instead = begin('r', from, 0)) return *instead;
  if (folders_.contains(from)) {
    folders_.insert(to);
    for (const std::string& child : children(from)) {
      const FilePtr file = find(from + "/" + child);
      apply(names_, {{from + "/" + child}, to + "/" + child, file});
      apply(durable_names_, {{from + "/" + child}, to + "/" + child, file});
    }
    folders_.erase(from);
    pending_names_.erase(from);
    return end(Outcome::kOk);
  }
  const FilePtr file = find(from);
  if (file == nullptr) return end(Outcome::kMissing);
  note(folder_of(to), {{from}, to, file});
  return end(Outcome::kOk);
}

Outcome Disk::link(const std::string& from, const std::string& to) {
  if (const auto instead = begin('l', from, 0)) return *instead;
  const FilePtr file = find(from);
  if (file == nullptr) return end(Outcome::kMissing);
  if (find(to) != nullptr) return end(Outcome::kExists);
  note(folder_of(to), {{}, to, file});
  return end(Outcome::kOk);
}

Outcome Disk::remove(const std::string& path) {
  if (const auto instead = begin('d', path, 0)) return *instead;
  if (find(path) == nullptr) return end(Outcome::kMissing);
  note(folder_of(path), {{path}, {}, nullptr});
  return end(Outcome::kOk);
}

Outcome Disk::make_folder(const std::string& path) {
  if (const auto instead = begin('m', path, 0)) return *instead;
  return end(folders_.insert(path).second ? Outcome::kOk : Outcome::kExists);
}

Outcome Disk::remove_folder(const std::string& path) {
  if (const auto instead = begin('n', path, 0)) return *instead;
  return end(folders_.erase(path) > 0 ? Outcome::kOk : Outcome::kMissing);
}

void Disk::forget_faults() {
  stop_at_ = UINT64_MAX;
  failing_sync_ = failing_write_ = 0;
  room_.reset();
}

void Disk::change_byte(File& file, uint64_t at) {
  for (std::string* content : {&file.seen, &file.durable}) {
    if (at < content->size()) (*content)[at] = static_cast<char>((*content)[at] ^ 0x20);
  }
}

void Disk::cut_end(File& file, uint64_t size) {
  for (std::string* content : {&file.seen, &file.durable}) content->resize(std::min<size_t>(content->size(), size));
}

std::vector<std::string> Disk::files() const {
  std::vector<std::string> all;
  for (const auto& [path, file] : names_) all.push_back(path);
  return all;
}

void Disk::cut_names() {
  for (auto& [folder, changes] : pending_names_) {
    const uint64_t choice = random_.below(3);
    const uint64_t kept = choice == 0 ? 0 : choice == 1 ? changes.size() : random_.below(changes.size() + 1);
    for (uint64_t at = 0; at < kept; ++at) apply(durable_names_, changes[at]);
  }
  pending_names_.clear();
  names_ = durable_names_;
}

// None, all, the oldest with a torn last one, or sectors in any order.
void Disk::cut_content(File& file) {
  enum { kNone, kAll, kOldest, kSectors };
  const uint64_t choice = random_.below(4);
  uint64_t left = choice == kOldest ? random_.below(file.pending.size() + 1) : file.pending.size();
  for (const File::Change& change : file.pending) {
    if (choice == kNone || left == 0) break;
    --left;
    if (change.truncates || (choice == kAll && !change.lost)) {
      apply_change(file.durable, change);
      continue;
    }
    std::string_view data = change.data;
    if (choice == kOldest && left == 0) data = data.substr(0, random_.below(data.size() + 1));
    for (uint64_t at = 0; at < data.size();) {
      const uint64_t size = std::min<uint64_t>(kSector - (change.offset + at) % kSector, data.size() - at);
      const bool kept = choice == kOldest && !change.lost ? true : random_.below(2) == 0;
      if (kept) overlay(file.durable, change.offset + at, data.substr(at, size));
      at += size;
    }
  }
  file.pending.clear();
  file.seen = file.durable;
}

void Disk::turn_on(bool power_cut) {
  off_ = false;
  forget_faults();
  if (!power_cut) return;
  cut_names();
  std::set<File*> done;
  for (const auto& [path, file] : names_) {
    if (done.insert(file.get()).second) cut_content(*file);
  }
}

}  // namespace tidegate::simulation
