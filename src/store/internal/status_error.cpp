#include "store/internal/status_error.h"

namespace tidegate::store {

Error error_of(const rocksdb::Status& status, std::string_view doing) {
  const std::string message = std::string(doing) + ": " + status.ToString();
  if (status.IsNoSpace()) {
    return {ErrorCode::DiskFull, "the disk of the data folder is full (" + std::string(doing) + ")",
            "Free some space; writing goes on by itself then.", std::nullopt};
  }
  if (status.IsCorruption()) {
    return {ErrorCode::LogCorrupted, message, "Check the disk; restore the data folder if it goes on.", std::nullopt};
  }
  return {ErrorCode::StoreFailed, message, {}, std::nullopt};
}

}  // namespace tidegate::store
