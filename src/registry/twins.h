// Twins: for each device a document of what it is to be (desired) and one of what it says it is (reported).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/key_ring.h"
#include "io/clock.h"
#include "io/random.h"
#include "registry/registry.h"
#include "store/store.h"

namespace tidegate::registry {

inline constexpr size_t kMaxTwinBytes = 64U << 10;  // of each document; settings, not data

struct TwinDocument {
  std::string json = "{}";
  uint64_t revision = 0;  // 0: never written
  int64_t changed_us = 0;
};

struct Twin {
  TwinDocument desired;
  TwinDocument reported;

  // The merge patch that makes the reported document the desired one, of what is desired: members that only the device
  // knows are left alone. "{}" when it is as desired.
  [[nodiscard]] std::string delta() const;
};

struct Report {
  std::string device;
  std::string patch;  // JSON merge patch, as the device sent it
};

// Documents are read from the store when they are asked for; changes are durable on return. Any thread.
class Twins {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Twins>> open(store::Store& store, crypto::KeyRing& keys,
                                                           io::Random& random, const io::Clock& clock);
  virtual ~Twins() = default;

  // A twin with empty documents where nothing was written yet. SealBroken, FormatUnknown.
  [[nodiscard]] virtual Result<Twin> find(std::string_view device) = 0;
  // A JSON merge patch of the desired document. BadRequest, RecordTooLarge, PreconditionFailed.
  [[nodiscard]] virtual Result<Twin> change_desired(std::string_view device, std::string_view patch,
                                                    Registry::Expected revision) = 0;
  // The reports of several devices in one durable write, in their order; what became of each.
  [[nodiscard]] virtual std::vector<Result<Twin>> report(std::span<const Report> reports) = 0;
  [[nodiscard]] virtual Result<> remove(std::string_view device) = 0;
};

}  // namespace tidegate::registry
