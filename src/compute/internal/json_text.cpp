#include "compute/internal/json_text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "compute/internal/text_conversion.h"
#include "compute/internal/utf8.h"

namespace tidegate::compute {

namespace dom = simdjson::dom;

struct JsonReader::State {
  dom::parser parser;
  std::string text;
};

JsonReader::JsonReader() : state_(std::make_unique<State>()) {}
JsonReader::~JsonReader() = default;

namespace {

bool step_into(dom::element& element, const sql::JsonPath::Step& step) {
  dom::element next;
  if (const auto* name = std::get_if<std::string>(&step)) {
    if (!element.is_object() || element[*name].get(next) != simdjson::SUCCESS) return false;
  } else {
    dom::array array;
    if (element.get(array) != simdjson::SUCCESS) return false;
    if (array.at(std::get<size_t>(step)).get(next) != simdjson::SUCCESS) return false;
  }
  element = next;
  return true;
}

JsonKind kind_of(const dom::element& element) {
  switch (element.type()) {
    case dom::element_type::OBJECT: return JsonKind::kObject;
    case dom::element_type::ARRAY: return JsonKind::kArray;
    case dom::element_type::NULL_VALUE: return JsonKind::kNull;
    default: return JsonKind::kScalar;
  }
}

// A number or truth value as SQL prints it; the text of a string is a view into the parser.
std::string_view scalar_text(const dom::element& element, std::string& scratch) {
  std::string_view text;
  if (element.get(text) == simdjson::SUCCESS) return text;
  scratch.clear();
  if (element.type() == dom::element_type::DOUBLE) {
    append_double(element.get_double().value_unsafe(), scratch);
  } else {
    scratch = simdjson::to_string(element);
  }
  return scratch;
}

}  // namespace

JsonFound JsonReader::find(std::string_view json, const sql::JsonPath& path, bool as_json) {
  dom::element element;
  if (state_->parser.parse(json.data(), json.size()).get(element) != simdjson::SUCCESS)
    return {.error = true, .text = {}};
  for (const sql::JsonPath::Step& step : path.steps) {
    if (!step_into(element, step)) return {.error = path.strict, .text = {}};
  }
  JsonFound found{.kind = kind_of(element), .text = {}};
  if (found.kind == JsonKind::kScalar && !as_json) {
    found.text = scalar_text(element, state_->text);
  } else {
    state_->text = simdjson::to_string(element);
    found.text = state_->text;
  }
  return found;
}

bool JsonReader::unquote(std::string_view json, std::string& out) {
  if (json.size() < 2 || json.front() != '"' || json.back() != '"') return false;
  dom::element element;
  std::string_view text;
  if (state_->parser.parse(json.data(), json.size()).get(element) != simdjson::SUCCESS) return false;
  if (element.get(text) != simdjson::SUCCESS) return false;
  out.assign(text);
  return true;
}

void append_json_string(std::string_view text, bool slashes, std::string& out) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '/': out += slashes ? "\\/" : "/"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

bool is_utf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

}  // namespace tidegate::compute
