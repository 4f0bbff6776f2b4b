// ALTER TABLE: columns for a stream whose devices send and whose pipelines run.
#include <fmt/format.h>

#include "api/statements.h"
#include "base/logging.h"

namespace tidegate::api {

Result<StatementResult> StatementExecutor::alter(sql::AlterTable statement) {
  const std::string name = statement.definition.name;
  if (statement.nothing) return StatementResult{"unchanged", "stream", name, {}, {}};
  TRY(add_columns(std::move(statement.definition)));
  return StatementResult{"altered", "stream", name, {}, {}};
}

// The log first: whoever learns of the columns from the catalog finds them in all that it reads. Nothing with a value
// in them reaches the log before the catalog has them for good, since only then the decoders are told.
Result<> StatementExecutor::add_columns(catalog::StreamDefinition definition) {
  const auto before = parts_.catalog.find_stream(definition.id);
  if (before == nullptr) return fail(ErrorCode::NotFound, fmt::format("there is no stream '{}'", definition.name));
  if (parts_.check_sink && definition.connector != catalog::Connector::kStream) TRY(parts_.check_sink(definition));
  // Shared as every definition.
  TRY(parts_.log.open_stream(std::make_shared<const catalog::StreamDefinition>(definition)));
  auto changed = parts_.catalog.add_columns(std::move(definition));
  if (!changed) {
    if (const auto undone = parts_.log.open_stream(before); !undone) {
      log_error("undo_failed", {{"name", before->name}, {"error", undone.error().to_string()}});
    }
    return fail(std::move(changed.error()));
  }
  TRY(open(*changed));
  return start_sink(*changed);
}

}  // namespace tidegate::api
