// RowTemplate: a text with columns in it, such as "{device} is at {level}". "{{" and "}}" are braces.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "columnar/batch.h"

namespace tidegate::sinks {

class RowTemplate {
 public:
  // SqlInvalidOption: an unknown column, a brace without its partner.
  [[nodiscard]] static Result<RowTemplate> parse(std::string_view text, const columnar::Schema& schema);

  // `clean` is called for each value with where it starts in `out`, to change what must not stand there; may be null.
  using Clean = void (*)(std::string& out, size_t start);
  void append(const columnar::Batch& batch, size_t row, std::string& out, Clean clean) const;

 private:
  struct Part {
    std::string text;
    std::optional<size_t> column;  // after the text
  };
  std::vector<Part> parts_;
};

// A STRING as it is, anything else as in JSON; NULL is "null".
void append_plain_value(const columnar::Column& column, size_t row, std::string& out);

}  // namespace tidegate::sinks
