// Options of sink tables as values. Errors: SqlInvalidOption, naming table and option.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "catalog/definitions.h"
#include "egress/egress_url.h"

namespace tidegate::sinks {

class SinkOptions {
 public:
  explicit SinkOptions(const catalog::StreamDefinition& stream) : stream_(stream) {}

  [[nodiscard]] std::string text(std::string_view key, std::string_view fallback = {}) const;
  [[nodiscard]] Result<std::string> required(std::string_view key, std::string_view example) const;
  [[nodiscard]] Result<int64_t> number(std::string_view key, int64_t fallback, int64_t least, int64_t most) const;
  // A duration such as '10 s', in microseconds.
  [[nodiscard]] Result<int64_t> duration_us(std::string_view key, int64_t fallback_us, int64_t least_us,
                                            int64_t most_us) const;
  [[nodiscard]] Result<egress::EgressUrl> url(std::string_view key, std::string_view example, bool mail) const;
  // The PEM text of 'ca.file'; empty without.
  [[nodiscard]] Result<std::string> authority() const;

  [[nodiscard]] std::unexpected<Error> wrong(std::string_view key, std::string_view what, std::string hint = {}) const;

 private:
  const catalog::StreamDefinition& stream_;
};

}  // namespace tidegate::sinks
