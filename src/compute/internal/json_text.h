// JSON in texts: what stands at a path, and values as JSON.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sql/json_path.h"

namespace tidegate::compute {

enum class JsonKind { kNothing, kNull, kScalar, kObject, kArray };

// What a path found in a text.
struct JsonFound {
  bool error = false;  // the text is no JSON, or a strict path found nothing
  JsonKind kind = JsonKind::kNothing;
  std::string_view text;  // a scalar as SQL prints it, an object or array as JSON; lives until the next find
};

// Holds the parser's memory: one thread at a time.
class JsonReader {
 public:
  JsonReader();
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  // `as_json` asks for scalars as JSON too: "a" with its quotes.
  [[nodiscard]] JsonFound find(std::string_view json, const sql::JsonPath& path, bool as_json);
  // The text in a JSON string literal; false if it is none.
  [[nodiscard]] bool unquote(std::string_view json, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// `text` as a JSON string; with `slashes`, / is escaped as well.
void append_json_string(std::string_view text, bool slashes, std::string& out);

}  // namespace tidegate::compute
