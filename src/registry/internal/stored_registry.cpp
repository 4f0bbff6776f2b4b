#include "registry/internal/stored_registry.h"

#include <fmt/format.h>

#include <set>

#include "registry/internal/document.h"
#include "registry/internal/stored_keys.h"
#include "security/name_pattern.h"

namespace tidegate::registry {
namespace {

std::string device_key(std::string_view name) { return fmt::format("{}{}", kDevicePrefix, name); }

std::unexpected<Error> no_such_device(std::string_view name) {
  return fail(ErrorCode::NotFound, fmt::format("there is no device named '{}'", name),
              "`tidegate device list` shows what there is");
}

}  // namespace

Result<> check_revision(std::string_view what, uint64_t present, const Registry::Expected& expected) {
  if (!expected || *expected == present) return {};
  return fail(ErrorCode::PreconditionFailed,
              fmt::format("the {} was changed meanwhile: it is at revision {}, not {}", what, present, *expected),
              "read it again and repeat the change on what it says now");
}

bool DeviceFilter::takes(const Device& device) const {
  if (!type.empty() && device.type != type) return false;
  if (!place.empty() && !is_at_or_below(device.place, place)) return false;
  if (!name.empty() && !security::matches_pattern(device.name, name)) return false;
  for (const auto& [label, value] : labels) {
    const auto found = device.labels.find(label);
    if (found == device.labels.end() || (value && found->second != *value)) return false;
  }
  return true;
}

Result<> StoredRegistry::load() {
  auto documents = documents_.lock();
  Result<> outcome;
  const auto load_one = [&](std::string_view key, std::string_view sealed) -> Result<> {
    TRY_ASSIGN(const std::string bytes, crypto::open_seal(key_, key, sealed));
    if (key.starts_with(kDevicePrefix)) {
      TRY_ASSIGN(Device device, decode_device(key.substr(kDevicePrefix.size()), bytes));
      std::string name = device.name;
      documents->devices.emplace_hint(documents->devices.end(), std::move(name),
                                      std::make_shared<const Device>(std::move(device)));
    } else {
      TRY_ASSIGN(Place place, decode_place(key.substr(kPlacePrefix.size()), bytes));
      std::string path = place.path;
      documents->places.emplace(std::move(path), std::make_shared<const Place>(std::move(place)));
    }
    return {};
  };
  for (const std::string_view prefix : {kDevicePrefix, kPlacePrefix}) {
    TRY(store_.scan(store::Family::kCatalog, prefix, end_of(prefix), [&](std::string_view key, std::string_view value) {
      outcome = load_one(key, value);
      return outcome.has_value();
    }));
    TRY(outcome);
  }
  return {};
}

void StoredRegistry::put(store::WriteBatch& batch, const std::string& key, std::string_view document) {
  batch.put(store::Family::kCatalog, key, crypto::seal(key_, random_, key, document));
}

DevicePtr StoredRegistry::find_device(std::string_view name) const {
  const auto documents = documents_.lock();
  const auto found = documents->devices.find(name);
  return found == documents->devices.end() ? nullptr : found->second;
}

bool StoredRegistry::list_some(const DeviceFilter& filter, std::string& after, size_t limit, DevicePage& page) const {
  const auto documents = documents_.lock();
  auto at = documents->devices.upper_bound(after);
  for (size_t looked = 0; looked < kDevicesPerLock; ++looked, ++at) {
    if (at == documents->devices.end()) return true;
    if (page.devices.size() == limit) {
      page.next = page.devices.back()->name;
      return true;
    }
    if (filter.takes(*at->second)) page.devices.push_back(at->second);
    after = at->first;
  }
  return false;
}

DevicePage StoredRegistry::list_devices(const DeviceFilter& filter, std::string_view after, size_t limit) const {
  DevicePage page;
  std::string from(after);
  while (!list_some(filter, from, limit, page)) {
  }
  return page;
}

Result<> StoredRegistry::check_place_exists(std::string_view place) const {
  if (place.empty() || documents_.lock()->places.contains(place)) return {};
  return fail(ErrorCode::NotFound, fmt::format("there is no place '{}'", place),
              fmt::format("`tidegate site list` shows what there is; `tidegate site add {}` makes it", place));
}

Result<> StoredRegistry::check_new(std::span<const Device> devices) const {
  std::set<std::string_view> seen;
  for (const Device& device : devices) {
    TRY(check_device(device));
    TRY(check_place_exists(device.place));
    if (seen.insert(device.name).second && find_device(device.name) == nullptr) continue;
    return fail(ErrorCode::AlreadyExists, fmt::format("a device named '{}' exists already", device.name),
                "choose another name; `tidegate device set` changes one, `tidegate device token` gives it a new token");
  }
  return {};
}

Result<> StoredRegistry::add_devices(std::vector<Device> devices, store::WriteBatch together) {
  const auto one_at_a_time = changing_.lock();
  TRY(check_new(devices));
  const int64_t now_us = clock_.now_us();
  for (Device& device : devices) {
    if (device.created_us == 0) device.created_us = now_us;
    device.changed_us = now_us;
    device.revision = 1;
    put(together, device_key(device.name), encode(device));
  }
  TRY(store_.write(std::move(together), store::Durability::kSynced));
  auto documents = documents_.lock();
  for (Device& device : devices) {
    std::string name = device.name;
    documents->devices[std::move(name)] = std::make_shared<const Device>(std::move(device));
  }
  ++device_version_;
  return {};
}

Result<DevicePtr> StoredRegistry::change_device(std::string_view name, Expected revision, const DeviceChange& change) {
  const auto one_at_a_time = changing_.lock();
  const DevicePtr present = find_device(name);
  if (present == nullptr) return no_such_device(name);
  TRY(check_revision("device", present->revision, revision));
  Device changed = *present;
  TRY(change(changed));
  changed.name = present->name;
  changed.created_us = present->created_us;
  changed.changed_us = clock_.now_us();
  changed.revision = present->revision + 1;
  TRY(check_device(changed));
  TRY(check_place_exists(changed.place));
  store::WriteBatch batch;
  put(batch, device_key(changed.name), encode(changed));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  auto made = std::make_shared<const Device>(std::move(changed));
  documents_.lock()->devices[made->name] = made;
  ++device_version_;
  return made;
}

Result<> StoredRegistry::remove_device(std::string_view name, Expected revision) {
  const auto one_at_a_time = changing_.lock();
  const DevicePtr present = find_device(name);
  if (present == nullptr) return no_such_device(name);
  TRY(check_revision("device", present->revision, revision));
  store::WriteBatch batch;
  batch.erase(store::Family::kCatalog, device_key(name));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  documents_.lock()->devices.erase(present->name);
  ++device_version_;
  return {};
}

Result<std::unique_ptr<Registry>> Registry::open(store::Store& store, crypto::KeyRing& keys, io::Random& random,
                                                 const io::Clock& clock) {
  TRY_ASSIGN(crypto::Key key, keys.data_key("registry"));
  auto registry = std::make_unique<StoredRegistry>(store, std::move(key), random, clock);
  TRY(registry->load());
  return registry;
}

}  // namespace tidegate::registry
