#include "codec/csv_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace tidegate::codec {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void CsvReader::feed(std::string_view piece, bool last) {
  text_.erase(0, at_);
  dropped_ += at_;
  scanned_ -= at_;
  record_at_ = record_size_ = at_ = 0;
  text_.append(piece);
  last_ = last;
}

std::unexpected<Error> CsvReader::malformed(ErrorCode code, std::string_view what) const {
  return fail(code, fmt::format("line {}: {}", record_line_, what));
}

// The index of the line end (or of the text's end) that ends the record at at_.
std::optional<size_t> CsvReader::record_end() {
  for (; scanned_ < text_.size(); ++scanned_) {
    const char c = text_[scanned_];
    if (c == '"') in_quotes_ = !in_quotes_;
    if (c == '\n' && !in_quotes_) return scanned_;
  }
  if (last_ && at_ < text_.size()) return text_.size();
  return std::nullopt;
}

Result<std::optional<std::vector<std::string_view>>> CsvReader::next() {
  if (!started_) {
    if (text_.size() < kByteOrderMark.size() && !last_) return std::nullopt;
    started_ = true;
    if (text_.starts_with(kByteOrderMark)) at_ = scanned_ = kByteOrderMark.size();
  }
  while (const auto end = record_end()) {
    const bool open = *end == text_.size();
    std::string_view record(text_.data() + at_, *end - at_);
    record_at_ = at_;
    record_line_ = next_line_;
    next_line_ += static_cast<size_t>(std::ranges::count(record, '\n')) + 1;
    const bool skipped = std::exchange(skipping_, false);
    const bool cut = std::exchange(in_quotes_, false);
    at_ = scanned_ = open ? *end : *end + 1;
    last_line_was_open_ = last_line_was_open_ || open;
    if (record.ends_with('\r')) record.remove_suffix(1);
    record_size_ = record.size();
    if (skipped || record.empty()) continue;
    if (record.size() > kMaxCsvRecordBytes) return malformed(ErrorCode::RecordTooLarge, "the record is too large");
    if (cut) return malformed(ErrorCode::RecordMalformed, "a quoted field is not closed before the text ends");
    TRY_ASSIGN(auto fields, split(record));
    return fields;
  }
  if (text_.size() - at_ > kMaxCsvRecordBytes) {
    // Its end is looked for at the next line end, quoted or not: a lost quote must not swallow the whole file.
    const bool first = !std::exchange(skipping_, true);
    record_at_ = at_;
    record_size_ = text_.size() - at_;
    record_line_ = next_line_;
    next_line_ += static_cast<size_t>(std::count(text_.begin() + static_cast<ptrdiff_t>(at_), text_.end(), '\n'));
    at_ = scanned_ = text_.size();
    in_quotes_ = false;
    if (first) return malformed(ErrorCode::RecordTooLarge, "the record is too large; is a quote not closed?");
  }
  return std::nullopt;
}

// `rest` starts behind the opening quote; is left behind the closing one.
Result<std::string_view> CsvReader::quoted_field(std::string_view& rest) {
  const size_t begin = unquoted_.size();
  while (true) {
    const size_t quote = rest.find('"');
    if (quote == std::string_view::npos) return malformed(ErrorCode::RecordMalformed, "a quoted field is not closed");
    unquoted_.append(rest, 0, quote);
    rest.remove_prefix(quote + 1);
    if (!rest.starts_with('"')) break;
    unquoted_.push_back('"');
    rest.remove_prefix(1);
  }
  return std::string_view(unquoted_).substr(begin);
}

Result<std::vector<std::string_view>> CsvReader::split(std::string_view record) {
  std::vector<std::string_view> fields;
  unquoted_.clear();
  unquoted_.reserve(record.size());  // so that views into it stay
  for (std::string_view rest = record;;) {
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      TRY_ASSIGN(const std::string_view field, quoted_field(rest));
      fields.push_back(field);
      if (!rest.empty() && rest.front() != delimiter_) {
        return malformed(ErrorCode::RecordMalformed, "text follows the closing quote of a field");
      }
    } else {
      const std::string_view field = rest.substr(0, rest.find(delimiter_));
      if (field.find('"') != std::string_view::npos) {
        return malformed(ErrorCode::RecordMalformed, "a quote stands inside a field that is not quoted");
      }
      fields.push_back(field);
      rest.remove_prefix(field.size());
    }
    if (rest.empty()) return fields;
    rest.remove_prefix(1);
  }
}

}  // namespace tidegate::codec
