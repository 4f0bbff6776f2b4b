#include "engine/internal/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
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
  std::unordered_set<std::string_view> put;
  for (const log::StatePut& page : commit.puts) put.insert(page.key);
  std::erase_if(commit.deletes, [&](const std::string& key) { return put.contains(key); });
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
  Bank bank = Bank::kFirst;
  if (const auto before = groups.find(number); before != groups.end()) {
    for (uint32_t page = 0; page < before->second.pages; ++page) {
      commit.deletes.push_back(page_key(id, place, before->second.bank, page));
    }
    bank = before->second.bank == Bank::kFirst ? Bank::kSecond : Bank::kFirst;
  }
  const auto count = static_cast<uint32_t>(pages.size());
  for (uint32_t page = 0; page < count; ++page) {
    commit.puts.push_back({page_key(id, place, bank, page), std::move(pages[page])});
  }
  if (count == 0) {
    groups.erase(number);
  } else {
    groups[number] = {count, epoch, bank};
  }
}

bool Snapshots::fits(const Manifest& manifest) const {
  return std::ranges::equal(manifest.operators, execution_.graph().state_ids(), {},
                            [](const OperatorPages& pages) { return std::string_view(pages.operator_id); });
}

Result<> Snapshots::load(const Manifest& manifest, PipelineId pipeline, log::Log& log, WorkerPool& pool) {
  const size_t workers = execution_.workers().size();
  for (size_t op = 0; op < operators_.size(); ++op) {
    operators_[op].groups = manifest.operators.at(op).groups;
    std::vector<Result<>> loaded(workers);
    std::vector<std::vector<uint32_t>> moved(workers);
    pool.run([&](int thread) {
      for (auto at = static_cast<size_t>(thread); at < workers; at += static_cast<size_t>(pool.size())) {
        loaded[at] = load_part({op, static_cast<uint16_t>(at)}, pipeline, log, moved[at]);
      }
    });
    for (size_t at = 0; at < workers; ++at) {
      TRY(std::move(loaded[at]));
      operators_[op].moved.insert(operators_[op].moved.end(), moved[at].begin(), moved[at].end());
      execution_.workers()[at].states()[op]->loaded();
    }
  }
  return {};
}

Result<> Snapshots::load_part(const Part& owner, PipelineId pipeline, log::Log& log, std::vector<uint32_t>& moved) {
  KeyedState& target = *execution_.workers()[owner.worker].states()[owner.op];
  for (const auto& [number, group] : operators_[owner.op].groups) {
    const Place place{static_cast<uint16_t>(number & 0xffff), static_cast<uint16_t>(number >> 16)};
    if (place.key_group % execution_.workers().size() != owner.worker) continue;
    if (place.worker != owner.worker) {
      target.mark_dirty(place.key_group);
      moved.push_back(number);
    }
    for (uint32_t page = 0; page < group.pages; ++page) {
      const std::string key = page_key(execution_.graph().state_ids()[owner.op], place, group.bank, page);
      TRY_ASSIGN(const std::optional<std::string> bytes, log.get_state(pipeline, key));
      if (!bytes) return fail(ErrorCode::StateIncompatible, fmt::format("the snapshot's page {} is missing", key));
      TRY(load_page(*bytes, owner, place, group.epoch));
    }
  }
  return {};
}

Result<> Snapshots::load_page(std::string_view bytes, const Part& owner, Place place, EpochId epoch) {
  KeyedState& target = *execution_.workers()[owner.worker].states()[owner.op];
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
