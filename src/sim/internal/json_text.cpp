#include "sim/internal/json_text.h"

#include <boost/json.hpp>
#include <cctype>

namespace tidegate::sim {
namespace {

JsonKind kind_of(const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null: return JsonKind::kNull;
    case boost::json::kind::bool_: return JsonKind::kBoolean;
    case boost::json::kind::string: return JsonKind::kString;
    case boost::json::kind::array: return JsonKind::kArray;
    case boost::json::kind::object: return JsonKind::kObject;
    default: return JsonKind::kNumber;
  }
}

size_t digits(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
  return end - at;
}

}  // namespace

Result<std::vector<JsonField>> read_object(std::string_view json) {
  boost::json::error_code error;
  const boost::json::value parsed = boost::json::parse({json.data(), json.size()}, error);
  if (error) return fail(ErrorCode::RecordMalformed, "this is not JSON: " + error.message());
  if (!parsed.is_object()) return fail(ErrorCode::RecordMalformed, "this is not a JSON object");
  std::vector<JsonField> fields;
  for (const auto& [name, value] : parsed.get_object()) {
    JsonField field{std::string(name), kind_of(value), {}};
    field.text = field.kind == JsonKind::kString ? std::string(value.get_string()) : boost::json::serialize(value);
    fields.push_back(std::move(field));
  }
  return fields;
}

bool is_json_number(std::string_view text) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const size_t whole = digits(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return false;
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const size_t fraction = digits(text, at + 1);
    if (fraction == 0) return false;
    at += 1 + fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const size_t exponent = digits(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

}  // namespace tidegate::sim
