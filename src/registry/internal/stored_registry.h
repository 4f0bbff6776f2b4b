// The registry over the embedded store. docs/formats/registry.md has the keys.
#pragma once

#include <atomic>
#include <map>
#include <span>
#include <string>

#include "base/guarded.h"
#include "crypto/sealing.h"
#include "registry/registry.h"

namespace tidegate::registry {

// Any thread. Changes come one at a time (`changing_`, held over the durable write); the documents' own lock is held
// only for moments, so that look-ups never wait for the disk.
class StoredRegistry final : public Registry {
 public:
  StoredRegistry(store::Store& store, const crypto::Key& key, io::Random& random, const io::Clock& clock)
      : store_(store), key_(key), random_(random), clock_(clock) {}
  [[nodiscard]] Result<> load();

  [[nodiscard]] DevicePtr find_device(std::string_view name) const override;
  [[nodiscard]] DevicePage list_devices(const DeviceFilter& filter, std::string_view after,
                                        size_t limit) const override;
  [[nodiscard]] size_t device_count() const override { return documents_.lock()->devices.size(); }
  [[nodiscard]] uint64_t device_version() const override { return device_version_.load(std::memory_order_acquire); }
  [[nodiscard]] Result<> add_devices(std::vector<Device> devices, store::WriteBatch together) override;
  [[nodiscard]] Result<DevicePtr> change_device(std::string_view name, Expected revision,
                                                const DeviceChange& change) override;
  [[nodiscard]] Result<> remove_device(std::string_view name, Expected revision) override;

  [[nodiscard]] PlacePtr find_place(std::string_view path) const override;
  [[nodiscard]] std::vector<PlacePtr> places() const override;
  [[nodiscard]] std::string time_zone_of(std::string_view place) const override;
  [[nodiscard]] std::string site_time_zone() const override;
  [[nodiscard]] Result<PlacePtr> add_place(Place place) override;
  [[nodiscard]] Result<PlacePtr> change_place(std::string_view path, Expected revision,
                                              const PlaceChange& change) override;
  [[nodiscard]] Result<> remove_place(std::string_view path, Expected revision) override;

 private:
  struct Documents {
    std::map<std::string, DevicePtr, std::less<>> devices;
    std::map<std::string, PlacePtr, std::less<>> places;
  };
  // A list looks at so many devices before it lets others at the lock.
  static constexpr size_t kDevicesPerLock = 4096;

  void put(store::WriteBatch& batch, const std::string& key, std::string_view document);
  [[nodiscard]] Result<> check_new(std::span<const Device> devices) const;
  [[nodiscard]] Result<> check_place_exists(std::string_view place) const;
  // The next devices after `after`, in `page`; true when there are no more.
  bool list_some(const DeviceFilter& filter, std::string& after, size_t limit, DevicePage& page) const;

  store::Store& store_;
  const crypto::Key key_;
  io::Random& random_;
  const io::Clock& clock_;
  std::atomic<uint64_t> device_version_{1};
  Guarded<bool> changing_;
  Guarded<Documents> documents_;
};

}  // namespace tidegate::registry
