// A correction: what a person says a record should have held. The record stays; one of quality 'substituted' follows it
// in its stream, and the stream `corrections` says what was changed, by whom and why.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "log/log.h"
#include "security/policy_gate.h"

namespace tidegate::api {

// Of one request: as the person wrote it.
struct WantedCorrection {
  std::string device;
  boost::json::value time;     // milliseconds, or ISO text
  boost::json::object values;  // by column; numbers may be text, as the command line has them
  std::string reason;
};
[[nodiscard]] Result<WantedCorrection> parse_correction(std::string_view body);

struct ChangedValue {
  std::string column;
  std::optional<std::string> before;  // nothing: NULL, or there was no record
  std::optional<std::string> after;
};

struct Correction {
  columnar::Batch record;  // one row, for the stream
  columnar::Batch notes;   // a row per value, for `corrections`
  std::vector<ChangedValue> changed;
  bool found = false;  // a record of that device and time
};

// The parts of the server that making one needs.
struct CorrectionParts {
  log::Log& log;
  const security::PolicyGate& gate;
};

// The newest record of the device and time lends the values that are not given. BadRequest where the stream does not
// keep the quality of its records, or the request does not fit it; QueryTooLong when the time is too far back to be
// searched.
[[nodiscard]] Result<Correction> make_correction(CorrectionParts parts, const catalog::StreamDefinition& stream,
                                                 const catalog::StreamDefinition& corrections,
                                                 const WantedCorrection& wanted, const security::Principal& author,
                                                 int64_t now_us);

}  // namespace tidegate::api
