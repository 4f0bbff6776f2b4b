#include "sim/internal/sent_log.h"

#include <fmt/format.h>

#include <iterator>

#include "net/http_problem.h"

namespace tidegate::sim {

Result<SentLog> SentLog::open(const std::filesystem::path& path) {
  SentLog log;
  if (path.empty()) return log;
  log.file_.reset(std::fopen(path.c_str(), "w"));
  if (log.file_ == nullptr) {
    return fail(ErrorCode::ConfigInvalid, fmt::format("cannot write '{}'", path.string()), "check --record");
  }
  return log;
}

void SentLog::write(std::string_view device, uint64_t sequence, bool acked, uint32_t times, std::string_view payload) {
  if (file_ == nullptr) return;
  line_.clear();
  fmt::format_to(std::back_inserter(line_), R"({{"device":{},"seq":{},"acked":{},"times":{},"payload":{}}})",
                 net::json_string(device), sequence, acked, times, payload);
  line_ += '\n';
  std::fwrite(line_.data(), 1, line_.size(), file_.get());
}

Result<> SentLog::close() {
  if (file_ == nullptr) return {};
  const bool good = std::ferror(file_.get()) == 0;
  const bool closed = std::fclose(file_.release()) == 0;
  if (good && closed) return {};
  return fail(ErrorCode::DiskFull, "the record of what was sent could not be written completely");
}

}  // namespace tidegate::sim
