// Versions of lookup tables in the store: the newest of each, sealed (docs/formats/lookup.md).
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "crypto/sealing.h"
#include "io/random.h"
#include "lookup/table_version.h"
#include "store/store.h"

namespace tidegate::lookup {

// Tells one content from another: of their bytes as encode_rows() has them.
[[nodiscard]] std::string fingerprint(const columnar::Batch& rows);

struct KeptVersion {
  uint64_t number = 0;
  int64_t loaded_us = 0;
  std::string fingerprint;
  std::optional<columnar::Batch> rows;  // nothing: only the number is kept, the rows are elsewhere
};

// One change at a time.
class VersionStore {
 public:
  VersionStore(store::Store& store, const crypto::Key& key, io::Random& random)
      : store_(store), key_(key), random_(random) {}

  // Durable on return; takes the place of what was kept before.
  [[nodiscard]] Result<> put(catalog::TableId table, const KeptVersion& version);
  // FormatUnknown, SealBroken.
  [[nodiscard]] Result<std::optional<KeptVersion>> get(const catalog::TableDefinition& table);
  [[nodiscard]] Result<> drop(catalog::TableId table);

 private:
  // Sealed and read as a whole.
  static constexpr size_t kPageBytes = 1U << 20;

  store::Store& store_;
  const crypto::Key key_;
  io::Random& random_;
};

}  // namespace tidegate::lookup
