// The device registry as a lookup table.
#include "lookup/internal/device_rows.h"

#include <array>
#include <boost/json.hpp>

#include "lookup/row_bytes.h"
#include "lookup/tables.h"

namespace tidegate::lookup {

using columnar::TypeKind;

namespace {

constexpr size_t kDevicesPerPage = 4096;  // of a list: others get their turn in between

void append_text(columnar::ColumnBuilder& column, std::string_view text) {
  if (text.empty()) return column.append_null();
  column.append_string(text);
}

// "north", "north/pumping", "north/pumping/pump-3" of "north/pumping/pump-3"; NULL where it is not so deep.
void append_places(columnar::BatchBuilder& rows, size_t first_column, std::string_view place) {
  for (size_t depth = 1; depth <= registry::kMaxPlaceDepth; ++depth) {
    columnar::ColumnBuilder& column = rows.column(first_column + depth - 1);
    std::string_view at = place;
    while (!at.empty() && registry::place_depth(at) > depth) at = registry::place_parent(at);
    append_text(column, !at.empty() && registry::place_depth(at) == depth ? at : std::string_view());
  }
}

std::string labels_text(const registry::Device& device) {
  if (device.labels.empty()) return {};
  boost::json::object labels;
  for (const auto& [name, value] : device.labels) labels[name] = value;
  return boost::json::serialize(labels);
}

void append_device(columnar::BatchBuilder& rows, const registry::Device& device) {
  rows.column(0).append_string(device.name);
  append_text(rows.column(1), device.type);
  append_text(rows.column(2), device.place);
  append_places(rows, 3, device.place);
  append_text(rows.column(6), labels_text(device));
  if (device.interval_us > 0) {
    rows.column(7).append(static_cast<double>(device.interval_us) / kMicrosPerSecond);
  } else {
    rows.column(7).append_null();
  }
  append_text(rows.column(8), device.description);
  rows.column(9).append<int64_t>(device.created_us);
  rows.column(10).append<int64_t>(device.changed_us);
  rows.end_row();
}

}  // namespace

columnar::Batch device_rows(const registry::Registry& registry, const catalog::TableDefinition& table) {
  columnar::BatchBuilder rows(table.schema);
  std::string after;
  for (;;) {
    const registry::DevicePage page = registry.list_devices({}, after, kDevicesPerPage);
    for (const registry::DevicePtr& device : page.devices) append_device(rows, *device);
    if (!page.next) break;
    after = *page.next;
  }
  const columnar::Batch all = rows.finish();
  return columnar::gather(all, key_order(all, table.key, table.version_column));
}

catalog::TableDefinition devices_definition() {
  catalog::TableDefinition table;
  table.name = kDevicesTable;
  table.source = catalog::TableSource::kDevices;
  columnar::Schema schema{{{"id", TypeKind::kString, false}}};
  for (const char* name : {"type", "place", "site", "area", "asset", "labels"}) {
    schema.fields.push_back({name, TypeKind::kString, true});
  }
  schema.fields.push_back({"expected_interval_s", TypeKind::kDouble, true});
  schema.fields.push_back({"description", TypeKind::kString, true});
  schema.fields.push_back({"created", TypeKind::kTimestampLtz, false});
  schema.fields.push_back({"changed", TypeKind::kTimestampLtz, false});
  table.schema = std::make_shared<const columnar::Schema>(std::move(schema));
  table.key = {0};
  return table;
}

}  // namespace tidegate::lookup
