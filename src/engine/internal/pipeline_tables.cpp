#include "engine/internal/pipeline_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "lookup/row_bytes.h"

namespace tidegate::engine {

namespace {

constexpr std::string_view kPrefix = "table/";
constexpr uint8_t kVersion = 1;

std::unexpected<Error> unreadable(const catalog::TableDefinition& table, const TableUse& use, std::string_view what) {
  return fail(ErrorCode::StateIncompatible,
              fmt::format("version {} of lookup table '{}', which an epoch used, {}", use.version, table.name, what));
}

}  // namespace

std::string PipelineTables::key_of(const TableUse& use, size_t page) {
  return fmt::format("{}{:08x}/{:016x}/{:06x}", kPrefix, use.table.value, use.version, page);
}

Result<PipelineTables::Versions> PipelineTables::newest() const {
  Versions versions;
  for (const catalog::TablePtr& table : tables_) {
    auto version = reader_ == nullptr ? nullptr : reader_->current(table->id);
    if (version == nullptr) {
      return fail(ErrorCode::TableRefused, fmt::format("the lookup table '{}' does not hold anything yet", table->name),
                  fmt::format("tidegate table get {} tells why", table->name));
    }
    versions.push_back(std::move(version));
  }
  return versions;
}

void PipelineTables::record(const Versions& versions, EpochRecord& epoch, log::EpochCommit& commit) {
  epoch.tables.clear();
  for (size_t at = 0; at < tables_.size(); ++at) {
    const TableUse use{tables_[at]->id, versions[at]->number};
    epoch.tables.push_back(use);
    if (std::ranges::find(kept_, use, &Kept::use) == kept_.end()) put(use, *versions[at], commit);
  }
}

// Rows are cut into pages wherever a page is full.
void PipelineTables::put(const TableUse& use, const lookup::TableVersion& version, log::EpochCommit& commit) {
  const std::string rows = lookup::encode_rows(version.rows);
  const size_t pages = std::max<size_t>((rows.size() + kPageBytes - 1) / kPageBytes, 1);
  for (size_t page = 0; page < pages; ++page) {
    std::string bytes;
    ByteWriter out(bytes);
    if (page == 0) {
      out.fixed(kVersion);
      out.zigzag(version.loaded_us);
      out.varint(version.rows.rows);
      out.varint(pages);
    }
    out.raw(std::string_view(rows).substr(page * kPageBytes, kPageBytes));
    commit.puts.push_back({key_of(use, page), std::move(bytes)});
  }
  kept_.push_back({use, pages});
}

void PipelineTables::forget_others(const Versions& versions, log::EpochCommit& commit) {
  const auto in_use = [&](const Kept& kept) {
    for (size_t at = 0; at < tables_.size(); ++at) {
      if (kept.use == TableUse{tables_[at]->id, versions[at]->number}) return true;
    }
    return false;
  };
  for (const Kept& kept : kept_) {
    if (in_use(kept)) continue;
    for (size_t page = 0; page < kept.pages; ++page) commit.deletes.push_back(key_of(kept.use, page));
  }
  std::erase_if(kept_, [&](const Kept& kept) { return !in_use(kept); });
}

Result<> PipelineTables::restore() {
  TRY_ASSIGN(const std::vector<log::StatePut> stored, log_.scan_state(pipeline_, kPrefix));
  for (const log::StatePut& put : stored) {
    // table/<8>/<16>/<6>, in hexadecimal digits
    const std::string_view key = std::string_view(put.key).substr(kPrefix.size());
    uint32_t table = 0;
    uint64_t version = 0;
    constexpr size_t kTableDigits = 8;
    constexpr size_t kVersionDigits = 16;
    if (key.size() < kTableDigits + 1 + kVersionDigits) continue;
    const char* digits = put.key.c_str() + kPrefix.size();
    std::from_chars(digits, digits + kTableDigits, table, 16);
    digits += kTableDigits + 1;
    std::from_chars(digits, digits + kVersionDigits, version, 16);
    const TableUse use{catalog::TableId{table}, version};
    const auto found = std::ranges::find(kept_, use, &Kept::use);
    if (found == kept_.end()) {
      kept_.push_back({use, 1});
    } else {
      ++found->pages;
    }
  }
  return {};
}

Result<PipelineTables::Versions> PipelineTables::of_epoch(const EpochRecord& epoch) {
  Versions versions;
  for (const catalog::TablePtr& table : tables_) {
    const auto use = std::ranges::find(epoch.tables, table->id, &TableUse::table);
    if (use == epoch.tables.end()) {  // the query has changed since, in a way that its state does not mind
      TRY_ASSIGN(Versions all, newest());
      versions.push_back(all[versions.size()]);
      continue;
    }
    TRY_ASSIGN(auto version, load(*table, *use));
    versions.push_back(std::move(version));
  }
  loaded_ = versions;
  return versions;
}

Result<lookup::TableVersionPtr> PipelineTables::load(const catalog::TableDefinition& table, const TableUse& use) {
  const size_t at = static_cast<size_t>(
      std::ranges::find(tables_, table.id, [](const catalog::TablePtr& known) { return known->id; }) - tables_.begin());
  if (at < loaded_.size() && loaded_[at]->number == use.version) return loaded_[at];
  const auto kept = std::ranges::find(kept_, use, &Kept::use);
  if (kept == kept_.end()) return unreadable(table, use, "is not there");
  std::string rows;
  auto version = std::make_shared<lookup::TableVersion>();
  version->number = use.version;
  uint64_t count = 0;
  for (size_t page = 0; page < kept->pages; ++page) {
    TRY_ASSIGN(const auto bytes, log_.get_state(pipeline_, key_of(use, page)));
    if (!bytes) return unreadable(table, use, "is not there as a whole");
    ByteReader in(*bytes);
    if (page == 0) {
      const bool known = in.fixed<uint8_t>() == kVersion;
      version->loaded_us = in.zigzag();
      count = in.varint();
      if (!known || in.varint() != kept->pages || !in.ok()) return unreadable(table, use, "cannot be read");
    }
    rows += in.raw(in.remaining());
  }
  auto decoded = lookup::decode_rows(rows, table.schema, count);
  if (!decoded) return unreadable(table, use, "cannot be read");
  version->rows = std::move(*decoded);
  return lookup::TableVersionPtr(std::move(version));
}

}  // namespace tidegate::engine
