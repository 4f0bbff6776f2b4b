// StoredCatalog: lookup tables.
#include <fmt/format.h>

#include "base/letter_case.h"
#include "catalog/internal/names.h"
#include "catalog/internal/stored_catalog.h"

namespace tidegate::catalog {
namespace {

std::string table_key(TableId id) { return fmt::format("catalog/table/{:08x}", id.value); }

}  // namespace

TablePtr StoredCatalog::find_table(std::string_view name) const {
  const auto documents = documents_.lock();
  const auto found = documents->tables.find(to_lower(name));
  return found == documents->tables.end() ? nullptr : found->second;
}

std::vector<TablePtr> StoredCatalog::tables() const {
  const auto documents = documents_.lock();
  std::vector<TablePtr> all;
  for (const auto& [name, table] : documents->tables) all.push_back(table);
  return all;
}

Result<TablePtr> StoredCatalog::write_table(Documents& documents, TableDefinition definition) {
  store::WriteBatch batch;
  put(batch, table_key(definition.id), encode(definition));
  put_counters(batch, documents);
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  auto written = std::make_shared<const TableDefinition>(std::move(definition));
  documents.tables[to_lower(written->name)] = written;
  return written;
}

Result<TablePtr> StoredCatalog::add_table(TableDefinition definition) {
  auto documents = documents_.lock();
  TRY(check_relation_is_free(*documents, definition.name));
  definition.id = TableId{++documents->last_table_id};
  auto added = write_table(*documents, std::move(definition));
  if (!added) --documents->last_table_id;
  return added;
}

Result<TablePtr> StoredCatalog::add_system_table(TableDefinition definition) {
  auto documents = documents_.lock();
  definition.options[kSystemOption] = "true";
  const auto present = documents->tables.find(to_lower(definition.name));
  if (present == documents->tables.end()) {
    TRY(check_relation_is_free(*documents, definition.name));
    definition.id = TableId{++documents->last_table_id};
    auto added = write_table(*documents, std::move(definition));
    if (!added) --documents->last_table_id;
    return added;
  }
  if (!is_system_table(*present->second)) TRY(check_relation_is_free(*documents, definition.name));
  definition.id = present->second->id;
  if (encode(definition) == encode(*present->second)) return present->second;
  return write_table(*documents, std::move(definition));
}

Result<> StoredCatalog::drop_table(std::string_view name) {
  auto documents = documents_.lock();
  const auto found = documents->tables.find(to_lower(name));
  if (found == documents->tables.end()) return no_such("table", name);
  if (is_system_table(*found->second)) {
    return fail(ErrorCode::InUse, fmt::format("'{}' is a table of the server's own", found->second->name));
  }
  TRY(check_unused(*documents, name));
  store::WriteBatch batch;
  batch.erase(store::Family::kCatalog, table_key(found->second->id));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  documents->tables.erase(found);
  return {};
}

}  // namespace tidegate::catalog
