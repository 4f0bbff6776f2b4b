// Outlet: where a sink's records go. One at a time, on the deliverer's thread.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "catalog/definitions.h"
#include "columnar/batch.h"
#include "security/policy_checked.h"
#include "sinks/sink_runner.h"

namespace tidegate::sinks {

// How far a delivery came.
struct Delivered {
  size_t rows = 0;             // that are out for good
  std::optional<Error> error;  // why not all
};

class Outlet {
 public:
  virtual ~Outlet() = default;
  // Called once before the first delivery with what mark() said when the position was stored; empty at the first time.
  virtual Result<> resume(std::string_view mark) = 0;
  // `first` is the offset of the batch's first row.
  virtual Delivered deliver(const security::PolicyChecked<columnar::Batch>& batch, Offset first) = 0;
  // What resume() needs, stored together with the position.
  [[nodiscard]] virtual std::string mark() const = 0;
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
