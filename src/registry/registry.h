// The registry: devices and the site tree, durable and sealed documents with revisions.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "crypto/key_ring.h"
#include "io/clock.h"
#include "io/random.h"
#include "registry/device.h"
#include "store/store.h"

namespace tidegate::registry {

// All that is given must hold.
struct DeviceFilter {
  std::string type;                                                        // empty: any
  std::string place;                                                       // at this place or below it; empty: any
  std::string name;                                                        // security/name_pattern.h; empty: any
  std::vector<std::pair<std::string, std::optional<std::string>>> labels;  // without a value: has the label

  [[nodiscard]] bool takes(const Device& device) const;
};

struct DevicePage {
  std::vector<DevicePtr> devices;   // in the order of their names
  std::optional<std::string> next;  // list_devices() goes on after this name; nothing: this was the last page
};

// Look-ups are from memory; changes are durable on return. Any thread; look-ups never wait for the disk.
class Registry {
 public:
  // SealBroken or FormatUnknown when a stored document cannot be read. The arguments must outlive the registry.
  [[nodiscard]] static Result<std::unique_ptr<Registry>> open(store::Store& store, crypto::KeyRing& keys,
                                                              io::Random& random, const io::Clock& clock);
  virtual ~Registry() = default;

  // A change applies only if the document has this revision (PreconditionFailed); nothing: whatever it has.
  using Expected = std::optional<uint64_t>;

  [[nodiscard]] virtual DevicePtr find_device(std::string_view name) const = 0;
  [[nodiscard]] virtual DevicePage list_devices(const DeviceFilter& filter, std::string_view after,
                                                size_t limit) const = 0;
  [[nodiscard]] virtual size_t device_count() const = 0;
  // Counts up with every change of a device: whoever keeps something made of devices knows when to make it anew.
  [[nodiscard]] virtual uint64_t device_version() const = 0;

  // All or none, with what `together` holds in the same write. AlreadyExists, NotFound (a place), BadRequest; the
  // message names the device. Times and revisions are set here.
  [[nodiscard]] virtual Result<> add_devices(std::vector<Device> devices, store::WriteBatch together) = 0;
  // `change` gets a copy and may change all but name, times and revision; its error is passed on.
  using DeviceChange = std::function<Result<>(Device&)>;
  [[nodiscard]] virtual Result<DevicePtr> change_device(std::string_view name, Expected revision,
                                                        const DeviceChange& change) = 0;
  [[nodiscard]] virtual Result<> remove_device(std::string_view name, Expected revision) = 0;

  [[nodiscard]] virtual PlacePtr find_place(std::string_view path) const = 0;
  [[nodiscard]] virtual std::vector<PlacePtr> places() const = 0;  // in the order of their paths
  // The time zone of the site that the place belongs to; "UTC" for a device that stands nowhere.
  [[nodiscard]] virtual std::string time_zone_of(std::string_view place) const = 0;
  // The time zone that all sites are in; empty if there is no site, or if they are in several.
  [[nodiscard]] virtual std::string site_time_zone() const = 0;
  // A site needs a time zone, what is below must not have one and needs its parent. AlreadyExists, NotFound,
  // BadRequest.
  [[nodiscard]] virtual Result<PlacePtr> add_place(Place place) = 0;
  using PlaceChange = std::function<Result<>(Place&)>;
  [[nodiscard]] virtual Result<PlacePtr> change_place(std::string_view path, Expected revision,
                                                      const PlaceChange& change) = 0;
  // InUse while a place or a device is in it.
  [[nodiscard]] virtual Result<> remove_place(std::string_view path, Expected revision) = 0;
};

}  // namespace tidegate::registry
