#include "sinks/internal/row_template.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/json_encoder.h"

namespace tidegate::sinks {

namespace {

std::unexpected<Error> bad_text(std::string_view text, std::string_view what) {
  return fail(ErrorCode::SqlInvalidOption, fmt::format("the text '{}' cannot be filled in: {}", text, what),
              "Write columns like '{device}', and braces themselves as '{{' and '}}'");
}

}  // namespace

Result<RowTemplate> RowTemplate::parse(std::string_view text, const columnar::Schema& schema) {
  RowTemplate out;
  Part part;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t brace = std::min(rest.find_first_of("{}"), rest.size());
    part.text += rest.substr(0, brace);
    rest.remove_prefix(brace);
    if (rest.empty()) break;
    if (rest.starts_with("{{") || rest.starts_with("}}")) {
      part.text += rest.front();
      rest.remove_prefix(2);
      continue;
    }
    const size_t close = rest.find('}');
    if (rest.front() == '}' || close == std::string_view::npos) return bad_text(text, "a brace has no partner");
    const std::string_view name = rest.substr(1, close - 1);
    part.column = schema.index_of(name);
    if (!part.column) return bad_text(text, fmt::format("there is no column '{}'", name));
    rest.remove_prefix(close + 1);
    out.parts_.push_back(std::exchange(part, {}));
  }
  if (!part.text.empty()) out.parts_.push_back(std::move(part));
  return out;
}

void RowTemplate::append(const columnar::Batch& batch, size_t row, std::string& out, Clean clean) const {
  for (const Part& part : parts_) {
    out += part.text;
    if (!part.column) continue;
    const size_t start = out.size();
    append_plain_value(*batch.columns[*part.column], row, out);
    if (clean != nullptr) clean(out, start);
  }
}

void append_plain_value(const columnar::Column& column, size_t row, std::string& out) {
  if (column.valid(row) && column.type == columnar::TypeKind::kString) {
    out += column.string_at(row);
  } else {
    codec::append_json_value(column, row, out);
  }
}

}  // namespace tidegate::sinks
