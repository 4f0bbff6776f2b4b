#include "engine/internal/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"

namespace tidegate::engine {

namespace {

constexpr uint8_t kPageVersion = 1;

uint32_t number_of(uint16_t key_group, uint16_t worker) { return uint32_t{worker} << 16 | key_group; }

void start_page(std::string& page, uint16_t key_group, uint16_t worker, EpochId epoch) {
  ByteWriter out(page);
  out.fixed(kPageVersion);
  out.fixed(key_group);
  out.fixed(worker);
  out.fixed(epoch.value);
}

}  // namespace

size_t Snapshots::dirty_bytes() const {
  size_t bytes = 0;
  for (const Worker& worker : execution_.workers()) {
    for (const KeyedState* state : worker.states())
      bytes += state->memory_bytes() / kKeyGroups * state->dirty().count();
  }
  return bytes;
}

void Snapshots::write(const EpochRecord& epoch, log::EpochCommit& commit) {
  Manifest manifest{epoch, execution_.watermarks().scanned_at_us, {}};
  for (size_t op = 0; op < operators_.size(); ++op) {
    for (const uint32_t place : std::exchange(operators_[op].moved, {})) {
      replace_pages(op, {static_cast<uint16_t>(place & 0xffff), static_cast<uint16_t>(place >> 16)}, epoch.id, {},
                    commit);
    }
    for (size_t worker = 0; worker < execution_.workers().size(); ++worker) {
      write_part({op, static_cast<uint16_t>(worker)}, epoch.id, commit);
    }
    manifest.operators.push_back({std::string(execution_.graph().state_ids()[op]), operators_[op].groups});
  }
  const auto is_put = [&](const std::string& key) {
    return std::ranges::any_of(commit.puts, [&](const log::StatePut& put) { return put.key == key; });
  };
  std::erase_if(commit.deletes, is_put);
  commit.puts.push_back({std::string(kManifestKey), encode(manifest)});
}

void Snapshots::write_part(const Part& part, EpochId epoch, log::EpochCommit& commit) {
  KeyedState& state = *execution_.workers()[part.worker].states()[part.op];
  const DirtyKeyGroups dirty = state.dirty();
  if (dirty.none()) return;
  Pages pages(kKeyGroups);
  state.write_state(dirty, [&](uint16_t key_group, std::string_view entry) {
    std::vector<std::string>& of_group = pages[key_group];
    if (of_group.empty() || of_group.back().size() + entry.size() > kPageBytes) {
      start_page(of_group.emplace_back(), key_group, part.worker, epoch);
    }
    of_group.back().append(entry);
  });
  for (uint16_t key_group = 0; key_group < kKeyGroups; ++key_group) {
    if (!dirty[key_group]) continue;
    replace_pages(part.op, {key_group, part.worker}, epoch, std::move(pages[key_group]), commit);
  }
  state.mark_clean();
}

void Snapshots::replace_pages(size_t op, Place place, EpochId epoch, std::vector<std::string> pages,
                              log::EpochCommit& commit) {
  const std::string_view id = execution_.graph().state_ids()[op];
  std::map<uint32_t, PageGroup>& groups = operators_[op].groups;
  const uint32_t number = number_of(place.key_group, place.worker);
  const auto before = groups.find(number);
  const auto count = static_cast<uint32_t>(pages.size());
  for (uint32_t page = count; before != groups.end() && page < before->second.pages; ++page) {
    commit.deletes.push_back(page_key(id, place.key_group, place.worker, page));
  }
  for (uint32_t page = 0; page < count; ++page) {
    commit.puts.push_back({page_key(id, place.key_group, place.worker, page), std::move(pages[page])});
  }
  if (count == 0) {
    groups.erase(number);
  } else {
    groups[number] = {count, epoch};
  }
}

bool Snapshots::fits(const Manifest& manifest) const {
  return std::ranges::equal(manifest.operators, execution_.graph().state_ids(), {},
                            [](const OperatorPages& pages) { return std::string_view(pages.operator_id); });
}

Result<> Snapshots::load(const Manifest& manifest, PipelineId pipeline, log::Log& log) {
  for (size_t op = 0; op < operators_.size(); ++op) {
    operators_[op].groups = manifest.operators.at(op).groups;
    TRY(load_operator(op, pipeline, log));
  }
  return {};
}

Result<> Snapshots::load_operator(size_t op, PipelineId pipeline, log::Log& log) {
  for (const auto& [number, group] : operators_[op].groups) {
    const Place place{static_cast<uint16_t>(number & 0xffff), static_cast<uint16_t>(number >> 16)};
    for (uint32_t page = 0; page < group.pages; ++page) {
      const std::string key = page_key(execution_.graph().state_ids()[op], place.key_group, place.worker, page);
      TRY_ASSIGN(const std::optional<std::string> bytes, log.get_state(pipeline, key));
      if (!bytes) return fail(ErrorCode::StateIncompatible, fmt::format("the snapshot's page {} is missing", key));
      TRY(load_page(*bytes, op, place, group.epoch));
    }
  }
  for (Worker& worker : execution_.workers()) worker.states()[op]->loaded();
  return {};
}

Result<> Snapshots::load_page(std::string_view bytes, size_t op, Place place, EpochId epoch) {
  const size_t owner = place.key_group % execution_.workers().size();
  KeyedState& target = *execution_.workers()[owner].states()[op];
  if (owner != place.worker) {
    target.mark_dirty(place.key_group);
    std::vector<uint32_t>& moved = operators_[op].moved;
    const uint32_t number = number_of(place.key_group, place.worker);
    if (moved.empty() || moved.back() != number) moved.push_back(number);
  }
  ByteReader in(bytes);
  bool fine = in.fixed<uint8_t>() == kPageVersion;
  fine = in.fixed<uint16_t>() == place.key_group && fine;
  fine = in.fixed<uint16_t>() == place.worker && fine;
  fine = in.fixed<uint64_t>() == epoch.value && fine && in.ok();
  while (fine && in.remaining() > 0) fine = target.read_state(in);
  if (fine) return {};
  return fail(ErrorCode::StateIncompatible, fmt::format("a state page of key group {} cannot be read", place.key_group),
              "it was written by another version, or another page is in its place");
}

}  // namespace tidegate::engine
