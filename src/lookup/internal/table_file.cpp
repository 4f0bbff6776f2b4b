#include "lookup/table_file.h"
#include "base/letter_case.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/csv_reader.h"
#include "codec/source_format.h"
#include "codec/utf8.h"
#include "lookup/row_bytes.h"

namespace tidegate::lookup {

namespace {

constexpr size_t kShownLines = 4;   // problems that a message lists
constexpr size_t kShownBytes = 80;  // of a key in a message

size_t line_of(std::string_view text, std::string_view record) {
  const auto at = static_cast<size_t>(record.data() - text.data());
  return static_cast<size_t>(std::ranges::count(text.substr(0, std::min(at, text.size())), '\n')) + 1;
}

// Keeps the first lines that are wrong, and counts the others.
class Misfits final : public codec::MisfitHandler {
 public:
  explicit Misfits(std::string_view text) : text_(text) {}

  void on_misfit(codec::Misfit misfit) override {
    if (++count_ > kShownLines) return;
    const size_t line = line_of(text_, misfit.record);
    if (count_ == 1) first_line_ = line;
    std::string_view reason = misfit.reason;
    if (reason.starts_with("line ")) reason.remove_prefix(std::min(reason.find(": "), reason.size() - 2) + 2);
    described_ += fmt::format("{}line {}: {}", count_ == 1 ? "" : "; ", line, reason);
  }
  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] size_t first_line() const { return first_line_; }
  [[nodiscard]] std::string describe() const {
    if (count_ <= kShownLines) return described_;
    return fmt::format("{}; and {} more lines", described_, count_ - kShownLines);
  }

 private:
  std::string_view text_;
  size_t count_ = 0;
  size_t first_line_ = 0;
  std::string described_;
};

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// A column that the header does not name would be NULL in every row.
Result<> check_header(const catalog::TableDefinition& table, const codec::CsvFormat& format, std::string_view text) {
  codec::CsvReader reader(format.delimiter);
  reader.feed(text, true);
  const auto header = reader.next();
  if (!header || !*header) return {};  // said by the decoder
  for (const columnar::Field& field : table.schema->fields) {
    const bool named = std::ranges::any_of(
        **header, [&](std::string_view name) { return equal_ignoring_case(trimmed(name), field.name); });
    if (named) continue;
    std::string names;
    for (const std::string_view name : **header) names += (names.empty() ? "" : ", ") + std::string(trimmed(name));
    return fail(ErrorCode::TableRefused,
                fmt::format("line {}: the header does not name the column '{}'", reader.line(), field.name),
                fmt::format("It says: {}", codec::valid_utf8(names, 4 * kShownBytes)));
  }
  return {};
}

// The line that a row came from, when all records became rows.
size_t line_of_row(const codec::CsvFormat& format, std::string_view text, size_t row) {
  codec::CsvReader reader(format.delimiter);
  reader.feed(text, true);
  for (size_t left = row + (format.header ? 2 : 1); left > 0; --left) {
    const auto record = reader.next();
    if (!record || !*record) break;
  }
  return reader.line();
}

std::string shown_value(const columnar::Batch& rows, size_t column, size_t row) {
  const columnar::Column& values = *rows.columns[column];
  std::string text = values.type == columnar::TypeKind::kString
                         ? fmt::format("'{}'", codec::valid_utf8(values.string_at(row), kShownBytes))
                         : std::to_string(values.integer_at(row));
  return fmt::format("{} = {}", rows.schema->fields[column].name, text);
}

// An empty field of a NOT NULL text is the empty text; as a key it is a mistake.
Result<> check_keys(const catalog::TableDefinition& table, const codec::CsvFormat& format, const columnar::Batch& rows,
                    std::string_view text) {
  for (const size_t column : table.key) {
    const columnar::Column& keys = *rows.columns[column];
    for (size_t row = 0; keys.type == columnar::TypeKind::kString && row < rows.rows; ++row) {
      if (!keys.string_at(row).empty()) continue;
      return fail(ErrorCode::TableRefused, fmt::format("line {}: the key '{}' is empty", line_of_row(format, text, row),
                                                       table.schema->fields[column].name));
    }
  }
  return {};
}

Result<> check_unique(const catalog::TableDefinition& table, const codec::CsvFormat& format,
                      const columnar::Batch& rows, const std::vector<uint32_t>& order, std::string_view text) {
  std::vector<size_t> columns = table.key;
  if (table.version_column) columns.push_back(*table.version_column);
  std::string before;
  std::string bytes;
  for (size_t at = 0; at < order.size(); ++at) {
    bytes.clear();
    append_row(rows, columns, order[at], bytes);
    if (at > 0 && bytes == before) {
      const auto [first, second] = std::minmax(order[at - 1], order[at]);
      std::string key;
      for (const size_t column : table.key) key += (key.empty() ? "" : ", ") + shown_value(rows, column, first);
      return fail(ErrorCode::TableRefused,
                  fmt::format("lines {} and {} have the same key ({}){}", line_of_row(format, text, first),
                              line_of_row(format, text, second), key,
                              table.version_column
                                  ? fmt::format(" and the same '{}'", table.schema->fields[*table.version_column].name)
                                  : ""),
                  "Which of them holds cannot be told; keep one");
    }
    before.swap(bytes);
  }
  return {};
}

}  // namespace

Result<columnar::Batch> read_table_file(const catalog::TableDefinition& table, std::string_view text) {
  if (text.size() > kMaxFileBytes) {
    return fail(ErrorCode::TableRefused,
                fmt::format("the file has {} bytes, the limit is {}", text.size(), kMaxFileBytes));
  }
  const auto format = codec::parse_source_format(table.options, {*table.schema, std::nullopt, table.version_column});
  if (!format) return std::unexpected(format.error().error);
  if (format->csv.header) TRY(check_header(table, format->csv, text));
  codec::DecoderTarget target;
  target.schema = table.schema;
  const auto decoder = codec::make_decoder(*format, std::move(target));
  columnar::BatchBuilder builder(table.schema);
  Misfits misfits(text);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return fail(ErrorCode::TableRefused, "the file is empty, or being written",
                "A table without rows is a file with the names of its columns alone ('csv.header' = 'true')");
  }
  decoder->decode({text, false, {}}, {}, builder, misfits);
  if (misfits.count() > 0) {
    const bool maybe_header = !format->csv.header && misfits.count() == 1 && misfits.first_line() == 1;
    return fail(ErrorCode::TableRefused, misfits.describe(),
                maybe_header ? "If the first line names the columns, add 'csv.header' = 'true'" : "");
  }
  if (builder.rows() > kMaxRows) {
    return fail(ErrorCode::TableRefused, fmt::format("{} rows, the limit is {}", builder.rows(), kMaxRows));
  }
  const columnar::Batch rows = builder.finish();
  TRY(check_keys(table, format->csv, rows, text));
  const std::vector<uint32_t> order = key_order(rows, table.key, table.version_column);
  TRY(check_unique(table, format->csv, rows, order, text));
  return columnar::gather(rows, order);
}

}  // namespace tidegate::lookup
