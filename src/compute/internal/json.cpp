// The functions of JSON in texts. What is to happen ON EMPTY and ON ERROR stands in letters that the parser made:
// N(ULL), E(RROR), D(EFAULT), A (EMPTY ARRAY), O (EMPTY OBJECT), T(RUE), F(ALSE), U(NKNOWN).
#include <cmath>
#include <limits>
#include <memory>

#include "base/base64.h"
#include "base/check.h"
#include "compute/internal/json_text.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/text_conversion.h"

namespace tidegate::compute {

namespace {

// Shared because kernels are copied; an evaluator runs on one thread.
struct Reading {
  JsonReader reader;
  sql::JsonPath path;
  std::string modes;
};

std::shared_ptr<Reading> reading_of(const sql::Call& call) {
  auto reading = std::make_shared<Reading>();
  const auto path = sql::parse_json_path(literal_text(call.arguments[1]));
  CHECK(path);  // the binder has looked
  reading->path = *path;
  reading->modes = literal_text(call.arguments.back());
  return reading;
}

// Never NULL.
Kernel is_json(const sql::Call& call) {
  auto reader = std::make_shared<JsonReader>();
  return [reader, kind = literal_text(call.arguments[1])](Frame& frame) {
    auto* out = frame.result<uint8_t>();
    const sql::JsonPath root;
    for (size_t row = 0; row < frame.rows; ++row) {
      out[row] = 0;
      if (!frame.args[0].valid(row)) continue;
      const JsonFound found = reader->find(frame.args[0].text(row), root, true);
      if (found.error) continue;
      const bool scalar = found.kind == JsonKind::kScalar || found.kind == JsonKind::kNull;
      out[row] = kind == "SCALAR"   ? scalar
                 : kind == "OBJECT" ? found.kind == JsonKind::kObject
                 : kind == "ARRAY"  ? found.kind == JsonKind::kArray
                                    : true;
    }
  };
}

Kernel json_exists(const sql::Call& call) {
  return [reading = reading_of(call)](Frame& frame) {
    auto* out = frame.result<uint8_t>();
    for (size_t row = 0; row < frame.rows; ++row) {
      out[row] = 0;
      if (!frame.out.valid(row)) continue;
      const JsonFound found = reading->reader.find(frame.args[0].text(row), reading->path, true);
      if (!found.error) {
        out[row] = found.kind != JsonKind::kNothing;
      } else if (reading->modes == "E") {
        frame.fail(row);
      } else if (reading->modes == "U") {
        frame.clear(row);
      } else {
        out[row] = reading->modes == "T";
      }
    }
  };
}

// A value of JSON_VALUE's type from the text that was found, into the result; false if it is no such value.
bool put_value(Frame& frame, size_t row, std::string_view text) {
  const auto store = [&frame, row](auto value) {
    frame.result<decltype(value)>()[row] = value;
    return true;
  };
  switch (frame.out.type) {
    case TypeKind::kString: frame.put(text); return true;
    case TypeKind::kBoolean: {
      const auto value = parse_boolean(text);
      return value && store(static_cast<uint8_t>(*value));
    }
    case TypeKind::kDouble: {
      const auto value = parse_double(text);
      return value && store(*value);
    }
    case TypeKind::kInt: {
      const auto value = parse_integer(text);
      return value && *value == static_cast<int32_t>(*value) && store(static_cast<int32_t>(*value));
    }
    default: {
      const auto value = parse_integer(text);
      return value && store(*value);
    }
  }
}

void put_default(Frame& frame, size_t row, const Value& value) {
  const bool text = frame.out.type == TypeKind::kString;
  if (!value.valid(row)) return text ? frame.put_none() : frame.clear(row);
  if (text) return frame.put(value.text(row));
  const size_t width = columnar::value_width(frame.out.type);
  std::memcpy(frame.out.fixed.data() + row * width, value.column->fixed.data() + value.row(row) * width, width);
}

// Arguments: text, path, default on empty, default on error, the type, modes.
void value_of_row(Frame& frame, size_t row, Reading& reading) {
  const bool text = frame.out.type == TypeKind::kString;
  if (!text)
    std::memset(frame.out.fixed.data() + row * columnar::value_width(frame.out.type), 0,
                columnar::value_width(frame.out.type));
  if (!frame.args[0].valid(row)) return text ? frame.put_none() : frame.clear(row);
  const JsonFound found = reading.reader.find(frame.args[0].text(row), reading.path, false);
  const bool scalar = !found.error && found.kind == JsonKind::kScalar;
  if (scalar && put_value(frame, row, found.text)) return;
  const bool empty = !found.error && (found.kind == JsonKind::kNothing || found.kind == JsonKind::kNull);
  const char mode = reading.modes[empty ? 0 : 1];
  if (mode == 'D') return put_default(frame, row, frame.args[empty ? 2 : 3]);
  if (mode == 'E') {
    frame.fail(row);
    if (text) frame.put_null();
    return;
  }
  text ? frame.put_none() : frame.clear(row);
}

// Not strict: the defaults may be NULL.
Kernel json_value(const sql::Call& call) {
  return [reading = reading_of(call)](Frame& frame) {
    for (size_t row = 0; row < frame.rows; ++row) value_of_row(frame, row, *reading);
  };
}

void query_row(Frame& frame, size_t row, Reading& reading, std::string& wrapped) {
  const JsonFound found = reading.reader.find(frame.args[0].text(row), reading.path, true);
  const bool nested = found.kind == JsonKind::kObject || found.kind == JsonKind::kArray;
  const bool something = nested || found.kind == JsonKind::kScalar;
  const char wrapper = reading.modes[2];
  if (!found.error && something && (wrapper == 'U' || (wrapper == 'C' && !nested))) {
    wrapped.assign("[").append(found.text).append("]");
    return frame.put(wrapped);
  }
  if (!found.error && nested) return frame.put(found.text);
  switch (reading.modes[!found.error && !something ? 0 : 1]) {
    case 'A': return frame.put("[]");
    case 'O': return frame.put("{}");
    case 'E': frame.fail(row); return frame.put_null();
    default: return frame.put_none();
  }
}

Kernel json_query(const sql::Call& call) {
  return [reading = reading_of(call), wrapped = std::string()](Frame& frame) mutable {
    each_text(frame, [&](size_t row) { query_row(frame, row, *reading, wrapped); });
  };
}

// What JSON has no word for (NaN, infinity) is NULL and counted.
bool append_value(const Value& value, size_t row, std::string& out) {
  const size_t at = value.row(row);
  switch (value.column->type) {
    case TypeKind::kString: append_json_string(value.text(row), false, out); return true;
    case TypeKind::kBoolean: out += value.data<uint8_t>()[at] != 0 ? "true" : "false"; return true;
    case TypeKind::kDouble: {
      const double number = value.data<double>()[at];
      if (std::isfinite(number)) append_double(number, out);
      return std::isfinite(number);
    }
    case TypeKind::kDecimal:
      columnar::append_decimal({value.data<columnar::Int128>()[at]}, value.column->type.scale, out);
      return true;
    case TypeKind::kFloat: {
      const float number = value.data<float>()[at];
      if (std::isfinite(number)) append_float(number, out);
      return std::isfinite(number);
    }
    case TypeKind::kBytes:
      out += '"';
      encode_base64(value.text(row), out);
      out += '"';
      return true;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      out += '"';
      append_timestamp(value.data<int64_t>()[at], out);
      out += '"';
      return true;
    default: out += std::to_string(value.column->integer_at(at)); return true;
  }
}

void json_string(Frame& frame) {
  std::string out;
  each_text(frame, [&](size_t row) {
    out.clear();
    if (append_value(frame.args[0], row, out)) return frame.put(out);
    frame.fail(row);
    frame.put_null();
  });
}

void json_quote(Frame& frame) {
  std::string out;
  each_text(frame, [&](size_t row) {
    out.clear();
    append_json_string(frame.args[0].text(row), true, out);
    frame.put(out);
  });
}

Kernel json_unquote() {
  auto reader = std::make_shared<JsonReader>();
  return [reader, out = std::string()](Frame& frame) mutable {
    each_text(frame, [&](size_t row) {
      const std::string_view text = frame.args[0].text(row);
      frame.put(reader->unquote(text, out) ? std::string_view(out) : text);
    });
  };
}

}  // namespace

Function json_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kIsJson: return {is_json(call), false};
    case FunctionId::kJsonExists: return {json_exists(call)};
    case FunctionId::kJsonValue: return {json_value(call), false};
    case FunctionId::kJsonQuery: return {json_query(call)};
    case FunctionId::kJsonString: return {json_string};
    case FunctionId::kJsonQuote: return {json_quote};
    default: return {json_unquote()};
  }
}

}  // namespace tidegate::compute
