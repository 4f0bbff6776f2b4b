// Outlet: where a sink's records go. One at a time, on the deliverer's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "columnar/batch.h"
#include "security/policy_checked.h"
#include "security/policy_gate.h"
#include "sinks/sink_runner.h"

namespace tidegate::sinks {

// Consecutive records; offsets rise by one within a piece and may jump between pieces.
struct Piece {
  security::PolicyChecked<columnar::Batch> batch;
  Offset first;
};

struct Delivery {
  std::vector<Piece> pieces;  // at least one, none of them empty

  [[nodiscard]] size_t rows() const;
  [[nodiscard]] Offset first() const { return pieces.front().first; }
  [[nodiscard]] Offset last() const;
  // The offset behind the first `rows` records.
  [[nodiscard]] Offset after(size_t rows) const;
  // Drops what is behind the first `rows` records.
  void keep(size_t rows, const security::PolicyGate& gate);
};

// How far a delivery came.
struct Delivered {
  size_t rows = 0;               // that are out for good, from the first on
  std::optional<Error> error{};  // why not all
  // The receiver answered that it will not take these records, so that sending them again as they are may never help;
  // otherwise it is away or not ready, and the records are good.
  bool refused = false;
  int64_t retry_after_us = 0;  // not before: the receiver said so
};

struct RetryPolicy {
  int64_t first_us = 100'000;
  int64_t longest_us = 30 * kMicrosPerSecond;
  bool jitter = false;  // a random half off each pause, so that many sinks do not come back at once
  // A single record refused so often becomes a dead letter; 0: tried for ever.
  int max_refusals = 0;
};

class Outlet {
 public:
  // One delivery to a local outlet: enough to make a file's fsync cheap per row, little enough to keep memory and
  // repetition small.
  static constexpr size_t kRowsPerDelivery = 8192;

  virtual ~Outlet() = default;
  // Called once before the first delivery with what mark() said when the position was stored; empty at the first time.
  virtual Result<> resume(std::string_view mark) = 0;
  // How many of the records, from the first on, make one delivery: bounded by bytes where records may be large.
  // At least one, and the same for the same records. A delivery that was under way at a crash is not asked again.
  [[nodiscard]] virtual size_t fitting_rows(const Delivery& delivery) { return delivery.rows(); }
  virtual Delivered deliver(const Delivery& delivery) = 0;
  // What resume() needs, stored together with the position.
  [[nodiscard]] virtual std::string mark() const = 0;

  [[nodiscard]] virtual RetryPolicy retry_policy() const { return {}; }
  // How many records the next delivery takes at most.
  [[nodiscard]] virtual size_t max_rows() const { return kRowsPerDelivery; }
  // Wall clock from which on the next delivery may go out; 0: at once.
  [[nodiscard]] virtual int64_t not_before_us() const { return 0; }
  // The same records go out together again after a crash, so that the receiver knows the delivery again.
  [[nodiscard]] virtual bool keeps_deliveries_together() const { return false; }
  // Where the records go, for the dead letters' topic column.
  [[nodiscard]] virtual std::string target() const { return {}; }
  // Ends a delivery under way soon; none follows. Any thread.
  virtual void cancel() {}
};

// SqlInvalidOption.
[[nodiscard]] Result<std::unique_ptr<Outlet>> make_file_outlet(const catalog::StreamDefinition& stream,
                                                               const FileSinkFolders& folders);
[[nodiscard]] Result<std::unique_ptr<Outlet>> make_mqtt_outlet(const catalog::StreamDefinition& stream,
                                                               const Publish& publish);
// The file a file sink writes: option 'path', relative ones below the home folder. SqlInvalidOption when it leads out
// of the folders that sinks may write to, by '..' or by a symbolic link.
[[nodiscard]] Result<std::filesystem::path> sink_file_path(const catalog::StreamDefinition& stream,
                                                           const FileSinkFolders& folders);

}  // namespace tidegate::sinks
