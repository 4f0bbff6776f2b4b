// OptionReader: the options of a stream, looked up and refused by name.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/source_format.h"

namespace tidegate::codec {

class OptionReader {
 public:
  // Both live as long.
  OptionReader(const SourceOptions& options, const SourceColumns& columns) : options_(options), columns_(columns) {}

  [[nodiscard]] const SourceColumns& columns() const { return columns_; }
  [[nodiscard]] const SourceOptions& all() const { return options_; }
  [[nodiscard]] std::optional<std::string> find(std::string_view key) const;
  // The first option whose name starts so.
  [[nodiscard]] std::optional<std::string> first_of(std::string_view prefix) const;
  // A column by the same name, else without regard to case.
  [[nodiscard]] std::optional<size_t> column(std::string_view name) const;

  // The option's value cannot be used; it takes `wanted`.
  [[nodiscard]] std::unexpected<BadOption> refuse(std::string_view key, std::string_view wanted) const;
  // The option cannot stand here at all; `when` says where it can.
  [[nodiscard]] std::unexpected<BadOption> refuse_key(std::string_view key, std::string_view when) const;
  [[nodiscard]] std::unexpected<BadOption> unknown_column(std::string_view key, std::string_view name) const;

 private:
  const SourceOptions& options_;
  const SourceColumns& columns_;
};

// "a, b,c" as a, b and c.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text);

}  // namespace tidegate::codec
