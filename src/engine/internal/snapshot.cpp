#include "engine/internal/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace tidegate::engine {

namespace {

constexpr uint8_t kPageVersion = 1;

uint32_t place_of(size_t worker, uint16_t key_group) { return static_cast<uint32_t>(worker << 16) | key_group; }

void start_page(std::string& page, uint16_t key_group, uint16_t worker, EpochId epoch) {
  ByteWriter out(page);
  out.fixed(kPageVersion);
  out.fixed(key_group);
  out.fixed(worker);
  out.fixed(epoch.value);
}

}  // namespace

DirtyKeyGroups Snapshots::dirty_of(Worker& worker) { return worker.devices().dirty() | worker.window()->dirty(); }

size_t Snapshots::dirty_bytes() const {
  size_t bytes = 0;
  for (Worker& worker : execution_.workers()) {
    if (worker.window() == nullptr) continue;
    bytes += worker.memory_bytes() / kKeyGroups * dirty_of(worker).count();
  }
  return bytes;
}

void Snapshots::write(const EpochRecord& epoch, log::EpochCommit& commit) {
  const std::string_view id = execution_.chain().state_id();
  for (const uint32_t place : moved_) {
    const auto key_group = static_cast<uint16_t>(place & 0xffff);
    replace_pages(key_group, static_cast<uint16_t>(place >> 16), epoch.id, {}, commit);
  }
  moved_.clear();
  if (!id.empty()) {
    for (size_t worker = 0; worker < execution_.workers().size(); ++worker) write_worker(worker, epoch.id, commit);
  }
  const auto is_put = [&](const std::string& key) {
    return std::ranges::any_of(commit.puts, [&](const log::StatePut& put) { return put.key == key; });
  };
  std::erase_if(commit.deletes, is_put);
  Manifest manifest{epoch, std::string(id), execution_.watermark().scanned_at_us, groups_};
  commit.puts.push_back({std::string(kManifestKey), encode(manifest)});
}

void Snapshots::write_worker(size_t index, EpochId epoch, log::EpochCommit& commit) {
  Worker& worker = execution_.workers()[index];
  const DirtyKeyGroups dirty = dirty_of(worker);
  Pages pages(kKeyGroups);
  worker.window()->write_state(dirty, [&](uint16_t key_group, std::string_view entry) {
    std::vector<std::string>& of_group = pages[key_group];
    if (of_group.empty() || of_group.back().size() + entry.size() > kPageBytes) {
      start_page(of_group.emplace_back(), key_group, static_cast<uint16_t>(index), epoch);
    }
    of_group.back().append(entry);
  });
  for (uint16_t key_group = 0; key_group < kKeyGroups; ++key_group) {
    if (!dirty[key_group]) continue;
    replace_pages(key_group, static_cast<uint16_t>(index), epoch, std::move(pages[key_group]), commit);
  }
  worker.devices().dirty().reset();
  worker.window()->dirty().reset();
}

void Snapshots::replace_pages(uint16_t key_group, uint16_t worker, EpochId epoch, std::vector<std::string> pages,
                              log::EpochCommit& commit) {
  const std::string_view id = execution_.chain().state_id();
  const uint32_t place = place_of(worker, key_group);
  const auto before = groups_.find(place);
  const auto count = static_cast<uint32_t>(pages.size());
  for (uint32_t page = count; before != groups_.end() && page < before->second.pages; ++page) {
    commit.deletes.push_back(page_key(id, key_group, worker, page));
  }
  for (uint32_t page = 0; page < count; ++page) {
    commit.puts.push_back({page_key(id, key_group, worker, page), std::move(pages[page])});
  }
  if (count == 0) {
    groups_.erase(place);
  } else {
    groups_[place] = {count, epoch};
  }
}

Result<> Snapshots::load(const Manifest& manifest, PipelineId pipeline, log::Log& log) {
  groups_ = manifest.groups;
  for (const auto& [place, group] : manifest.groups) {
    const auto key_group = static_cast<uint16_t>(place & 0xffff);
    const auto worker = static_cast<uint16_t>(place >> 16);
    for (uint32_t page = 0; page < group.pages; ++page) {
      const std::string key = page_key(manifest.operator_id, key_group, worker, page);
      TRY_ASSIGN(const std::optional<std::string> bytes, log.get_state(pipeline, key));
      if (!bytes) return fail(ErrorCode::StateIncompatible, fmt::format("the snapshot's page {} is missing", key));
      TRY(load_page(*bytes, key_group, worker, group.epoch));
    }
  }
  for (Worker& worker : execution_.workers()) {
    worker.devices().due().clear();
    for (Device& device : worker.devices().all()) device.due = false;
  }
  return {};
}

Result<> Snapshots::load_page(std::string_view bytes, uint16_t key_group, uint16_t worker, EpochId epoch) {
  const size_t owner = key_group % execution_.workers().size();
  Worker& target = execution_.workers()[owner];
  if (owner != worker) {
    target.devices().dirty()[key_group] = true;
    if (moved_.empty() || moved_.back() != place_of(worker, key_group)) moved_.push_back(place_of(worker, key_group));
  }
  ByteReader in(bytes);
  bool fine = in.fixed<uint8_t>() == kPageVersion;
  fine = in.fixed<uint16_t>() == key_group && fine;
  fine = in.fixed<uint16_t>() == worker && fine;
  fine = in.fixed<uint64_t>() == epoch.value && fine && in.ok();
  while (fine && in.remaining() > 0) fine = target.window()->read_state(in);
  if (fine) return {};
  return fail(ErrorCode::StateIncompatible, fmt::format("a state page of key group {} cannot be read", key_group),
              "it was written by another version, or another page is in its place");
}

}  // namespace tidegate::engine
