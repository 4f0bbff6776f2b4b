#include "log/internal/column_codec.h"

#include <bit>
#include <vector>

#include "columnar/decimal.h"
#include "log/internal/integer_packing.h"

namespace tidegate::log::internal {

namespace {

using columnar::Column;
using columnar::ColumnBuilder;
using columnar::ColumnPtr;
using columnar::Int128;
using columnar::StringPool;
using columnar::Type;
using columnar::TypeKind;
using columnar::UInt128;

enum class Encoding : uint8_t {
  kIntegers = 0,
  kDoubles = 1,
  kBytes = 2,
  kText = 3,
  kDictionary = 4,
  kFloats = 5,
  kDecimals = 6,
  kArrays = 7,
  kRows = 8
};

// A dictionary read as plain text repeats its values: far below what 32-bit offsets can hold.
constexpr size_t kMaxExpandedBytes = 256U << 20;
// Of all rows of a column: equal ones take hardly a bit, and must not fill the memory from a few bytes.
constexpr uint64_t kMaxElements = 1U << 25;

std::unexpected<Error> malformed() { return fail(ErrorCode::LogCorrupted, "a stored column is malformed"); }

Encoding encoding_of(const Column& column) {
  switch (column.type) {
    case TypeKind::kString: return column.is_dictionary() ? Encoding::kDictionary : Encoding::kText;
    case TypeKind::kBytes: return Encoding::kText;
    case TypeKind::kDouble: return Encoding::kDoubles;
    case TypeKind::kFloat: return Encoding::kFloats;
    case TypeKind::kDecimal: return Encoding::kDecimals;
    case TypeKind::kBoolean:
    case TypeKind::kNull: return Encoding::kBytes;
    case TypeKind::kArray: return Encoding::kArrays;
    case TypeKind::kRow: return Encoding::kRows;
    default: return Encoding::kIntegers;
  }
}

// Scratch of the encoding thread; grows to the largest batch and stays.
std::vector<int64_t>& integer_scratch() {
  thread_local std::vector<int64_t> scratch;
  return scratch;
}

void encode_integers(const Column& column, std::string& out) {
  if (columnar::value_width(column.type) == 8) return pack_integers(column.values<int64_t>(), out);
  std::vector<int64_t>& wide = integer_scratch();
  const auto narrow = column.values<int32_t>();
  wide.assign(narrow.begin(), narrow.end());
  pack_integers(wide, out);
}

// The bytes of wide values in planes of their own: signs and exponents repeat, low mantissa bytes do not.
template <class Word>
void encode_planes(const Column& column, std::string& out) {
  const size_t rows = column.rows;
  const size_t at = out.size();
  out.resize(at + rows * sizeof(Word));
  char* to = out.data() + at;
  const auto values = column.values<Word>();
  for (size_t plane = 0; plane < sizeof(Word); ++plane) {
    for (size_t row = 0; row < rows; ++row) to[plane * rows + row] = static_cast<char>(values[row] >> (plane * 8));
  }
}

// As integers if every one fits 64 bits, which most do; else in planes. NULL rows may hold anything.
void encode_decimals(const Column& column, std::string& out) {
  const auto values = column.values<Int128>();
  std::vector<int64_t>& narrow = integer_scratch();
  narrow.resize(column.rows);
  bool fits = true;
  for (size_t row = 0; row < column.rows; ++row) {
    narrow[row] = column.valid(row) ? static_cast<int64_t>(values[row]) : 0;
    fits = fits && (narrow[row] == values[row] || !column.valid(row));
  }
  ByteWriter(out).fixed(static_cast<uint8_t>(fits ? 0 : 1));
  if (fits) return pack_integers(narrow, out);
  encode_planes<UInt128>(column, out);
}

void encode_text(const Column& column, std::string& out) {
  std::vector<int64_t>& lengths = integer_scratch();
  lengths.resize(column.rows);
  for (size_t row = 0; row < column.rows; ++row) lengths[row] = column.offsets[row + 1] - column.offsets[row];
  pack_integers(lengths, out);
  out.append(column.text.data() + column.offsets[0], column.offsets[column.rows] - column.offsets[0]);
}

// The lengths, then the elements as a column of their own.
void encode_arrays(const Column& column, std::string& out) {
  std::vector<int64_t>& lengths = integer_scratch();
  lengths.resize(column.rows);
  for (size_t row = 0; row < column.rows; ++row) lengths[row] = column.offsets[row + 1] - column.offsets[row];
  pack_integers(lengths, out);
  const uint32_t first = column.offsets[0];
  const uint32_t count = column.offsets[column.rows] - first;
  const ColumnPtr& elements = column.children[0];
  encode_column(first == 0 && count == elements->rows ? *elements : *columnar::slice(*elements, first, count), nullptr,
                out);
}

// Process-wide codes to dense ones of this batch, in order of appearance: open addressing, at most half full.
class LocalCodes {
 public:
  explicit LocalCodes(size_t rows) : slots_(std::bit_ceil(rows * 2 + 2), kFree), mask_(slots_.size() - 1) {}
  int64_t local(uint32_t code) {
    size_t at = (code * uint64_t{0x9e3779b97f4a7c15} >> 32) & mask_;
    while (slots_[at] != kFree && codes_[slots_[at]] != code) at = (at + 1) & mask_;
    if (slots_[at] == kFree) {
      slots_[at] = static_cast<uint32_t>(codes_.size());
      codes_.push_back(code);
    }
    return slots_[at];
  }
  [[nodiscard]] const std::vector<uint32_t>& codes() const { return codes_; }

 private:
  static constexpr uint32_t kFree = UINT32_MAX;
  std::vector<uint32_t> slots_;
  std::vector<uint32_t> codes_;
  size_t mask_;
};

void encode_dictionary(const Column& column, KeyGroupSet* groups, std::string& out) {
  LocalCodes table(column.rows);
  std::vector<int64_t>& local = integer_scratch();
  local.assign(column.rows, 0);
  const auto codes = column.values<uint32_t>();
  for (size_t row = 0; row < column.rows; ++row) {
    if (column.valid(row)) local[row] = table.local(codes[row]);
  }
  ByteWriter writer(out);
  writer.varint(table.codes().size());
  for (const uint32_t code : table.codes()) {
    writer.text(column.pool->view(StringCode{code}));
    if (groups != nullptr) groups->set(column.pool->key_group(StringCode{code}).value);
  }
  pack_integers(local, out);
}

bool decode_validity(ByteReader& in, size_t rows, Column& out) {
  const auto has_nulls = in.fixed<uint8_t>();
  if (has_nulls == 0) return in.ok();
  const size_t words = (rows + 63) / 64;
  const std::string_view raw = in.raw(words * 8);
  if (!in.ok() || has_nulls != 1) return false;
  out.validity.resize(rows, false);
  if (words > 0) std::memcpy(out.validity.words().data(), raw.data(), raw.size());
  out.validity.truncate(rows);
  return true;
}

bool decode_integers(ByteReader& in, Column& out) {
  std::vector<int64_t>& values = integer_scratch();
  values.resize(out.rows);
  if (!unpack_integers(in, values)) return false;
  const size_t width = columnar::value_width(out.type);
  out.fixed.resize(out.rows * width);
  if (out.rows == 0) return true;
  if (width == 8) {
    std::memcpy(out.fixed.data(), values.data(), out.rows * 8);
    return true;
  }
  for (size_t row = 0; row < out.rows; ++row) {
    const auto narrow = static_cast<int32_t>(values[row]);
    std::memcpy(out.fixed.data() + row * 4, &narrow, 4);
  }
  return true;
}

template <class Word>
bool decode_planes(ByteReader& in, Column& out) {
  const std::string_view raw = in.raw(out.rows * sizeof(Word));
  if (!in.ok()) return false;
  out.fixed.resize(out.rows * sizeof(Word));
  for (size_t row = 0; row < out.rows; ++row) {
    Word value = 0;
    for (size_t plane = 0; plane < sizeof(Word); ++plane) {
      value |= static_cast<Word>(static_cast<uint8_t>(raw[plane * out.rows + row])) << (plane * 8);
    }
    std::memcpy(out.fixed.data() + row * sizeof(Word), &value, sizeof(Word));
  }
  return true;
}

bool decode_decimals(ByteReader& in, Column& out) {
  const auto form = in.fixed<uint8_t>();
  if (form == 1) {
    if (!decode_planes<UInt128>(in, out)) return false;
  } else {
    std::vector<int64_t>& narrow = integer_scratch();
    narrow.resize(out.rows);
    if (form != 0 || !in.ok() || !unpack_integers(in, narrow)) return false;
    out.fixed.resize(out.rows * sizeof(Int128));
    auto* to = reinterpret_cast<Int128*>(out.fixed.data());
    for (size_t row = 0; row < out.rows; ++row) to[row] = narrow[row];
  }
  const auto values = out.values<Int128>();
  for (size_t row = 0; row < out.rows; ++row) {
    if (out.valid(row) && !columnar::fits_precision(values[row], out.type.precision)) return false;
  }
  return true;
}

bool decode_bytes(ByteReader& in, Column& out) {
  const std::string_view raw = in.raw(out.rows);
  if (!in.ok()) return false;
  out.fixed.append(as_bytes(raw));
  return true;
}

bool decode_text(ByteReader& in, Column& out) {
  std::vector<int64_t>& lengths = integer_scratch();
  lengths.resize(out.rows);
  if (!unpack_integers(in, lengths)) return false;
  out.offsets.reserve(out.rows + 1);
  out.offsets.push_back(0);
  uint64_t total = 0;
  for (const int64_t length : lengths) {
    if (length < 0 || static_cast<uint64_t>(length) > in.remaining()) return false;
    total += static_cast<uint64_t>(length);
    if (total > in.remaining()) return false;
    out.offsets.push_back(static_cast<uint32_t>(total));
  }
  const std::string_view text = in.raw(total);
  out.text.append({text.data(), text.size()});
  return in.ok();
}

Result<ColumnPtr> decode_dictionary(ByteReader& in, std::shared_ptr<Column> out, StringPool* pool) {
  const uint64_t count = in.varint();
  if (!in.ok() || count > out->rows) return malformed();
  std::vector<std::string_view> texts(count);
  for (std::string_view& text : texts) text = in.text();
  std::vector<int64_t>& local = integer_scratch();
  local.resize(out->rows);
  if (!in.ok() || !unpack_integers(in, local)) return malformed();
  for (size_t row = 0; row < out->rows; ++row) {
    if (out->valid(row) && static_cast<uint64_t>(local[row]) >= count) return malformed();
  }
  if (pool == nullptr) {
    out->offsets.push_back(0);
    for (size_t row = 0; row < out->rows; ++row) {
      const std::string_view text = out->valid(row) ? texts[static_cast<size_t>(local[row])] : std::string_view();
      if (out->text.size() + text.size() > kMaxExpandedBytes) return malformed();
      out->text.append({text.data(), text.size()});
      out->offsets.push_back(static_cast<uint32_t>(out->text.size()));
    }
    return out;
  }
  std::vector<uint32_t> codes(count);
  for (size_t at = 0; at < count; ++at) {
    const std::optional<StringCode> code = pool->intern(texts[at]);
    if (!code) return fail(ErrorCode::LimitReached, "too many different devices are known");
    codes[at] = code->value;
  }
  out->pool = pool;
  out->fixed.resize(out->rows * 4, 0);
  for (size_t row = 0; row < out->rows; ++row) {
    if (out->valid(row)) std::memcpy(out->fixed.data() + row * 4, &codes[static_cast<size_t>(local[row])], 4);
  }
  return out;
}

// Recursion, by way of decode_column(), is bounded by the depth of the type.
bool decode_child(ByteReader& in, const Type& type, size_t rows, Column& out) {
  Result<ColumnPtr> child = decode_column(in, type, rows, nullptr);
  if (child) out.children.push_back(std::move(*child));
  return child.has_value();
}

bool decode_arrays(ByteReader& in, Column& out) {
  std::vector<int64_t>& lengths = integer_scratch();
  lengths.resize(out.rows);
  if (!unpack_integers(in, lengths)) return false;
  out.offsets.reserve(out.rows + 1);
  out.offsets.push_back(0);
  uint64_t total = 0;
  for (const int64_t length : lengths) {
    if (length < 0 || static_cast<uint64_t>(length) > kMaxElements - total) return false;
    total += static_cast<uint64_t>(length);
    out.offsets.push_back(static_cast<uint32_t>(total));
  }
  return decode_child(in, out.type.element().type, total, out);
}

bool decode_rows(ByteReader& in, Column& out) {
  for (const columnar::Field& field : *out.type.fields) {
    if (!decode_child(in, field.type, out.rows, out)) return false;
  }
  return true;
}

}  // namespace

void encode_column(const Column& column, KeyGroupSet* groups, std::string& out) {
  const Encoding encoding = encoding_of(column);
  ByteWriter writer(out);
  writer.fixed(static_cast<uint8_t>(column.type.kind));
  writer.fixed(static_cast<uint8_t>(encoding));
  writer.fixed(static_cast<uint8_t>(column.has_nulls() ? 1 : 0));
  if (column.has_nulls()) {
    const auto words = column.validity.words().span().first((column.rows + 63) / 64);
    writer.raw(ByteSpan(reinterpret_cast<const uint8_t*>(words.data()), words.size_bytes()));
  }
  switch (encoding) {
    case Encoding::kIntegers: return encode_integers(column, out);
    case Encoding::kDoubles: return encode_planes<uint64_t>(column, out);
    case Encoding::kFloats: return encode_planes<uint32_t>(column, out);
    case Encoding::kDecimals: return encode_decimals(column, out);
    case Encoding::kBytes: return writer.raw(ByteSpan(column.fixed.data(), column.rows));
    case Encoding::kText: return encode_text(column, out);
    case Encoding::kArrays: return encode_arrays(column, out);
    case Encoding::kRows:
      for (const ColumnPtr& child : column.children) encode_column(*child, nullptr, out);
      return;
    case Encoding::kDictionary: return encode_dictionary(column, groups, out);
  }
}

Result<ColumnPtr> decode_column(ByteReader& in, const Type& type, size_t rows, StringPool* pool) {
  // Shared: columns are passed on as shared pointers.
  auto out = std::make_shared<Column>();
  out->type = type;
  out->rows = rows;
  const auto stored_type = in.fixed<uint8_t>();
  const auto encoding = static_cast<Encoding>(in.fixed<uint8_t>());
  if (stored_type != static_cast<uint8_t>(type.kind) || !decode_validity(in, rows, *out)) return malformed();
  const bool is_string = type == TypeKind::kString;
  if (is_string && encoding == Encoding::kDictionary) return decode_dictionary(in, std::move(out), pool);
  if (is_string ? encoding != Encoding::kText : encoding != encoding_of(*out)) return malformed();
  bool decoded = false;
  switch (encoding) {
    case Encoding::kIntegers: decoded = decode_integers(in, *out); break;
    case Encoding::kDoubles: decoded = decode_planes<uint64_t>(in, *out); break;
    case Encoding::kFloats: decoded = decode_planes<uint32_t>(in, *out); break;
    case Encoding::kDecimals: decoded = decode_decimals(in, *out); break;
    case Encoding::kBytes: decoded = decode_bytes(in, *out); break;
    case Encoding::kText: decoded = decode_text(in, *out); break;
    case Encoding::kArrays: decoded = decode_arrays(in, *out); break;
    case Encoding::kRows: decoded = decode_rows(in, *out); break;
    case Encoding::kDictionary: break;
  }
  if (!decoded) return malformed();
  if (!is_string || pool == nullptr) return out;
  ColumnPtr interned = to_dictionary(*out, *pool);
  if (interned == nullptr) return fail(ErrorCode::LimitReached, "too many different devices are known");
  return interned;
}

ColumnPtr null_column(const Type& type, size_t rows, const StringPool* pool) {
  ColumnBuilder builder = pool != nullptr ? ColumnBuilder(*pool) : ColumnBuilder(type);
  for (size_t row = 0; row < rows; ++row) builder.append_null();
  return builder.finish();
}

ColumnPtr to_dictionary(const Column& column, StringPool& pool) {
  ColumnBuilder builder(pool);
  builder.reserve(column.rows);
  for (size_t row = 0; row < column.rows; ++row) {
    if (!column.valid(row)) {
      builder.append_null();
      continue;
    }
    const std::optional<StringCode> code = pool.intern(column.string_at(row));
    if (!code) return nullptr;
    builder.append(code->value);
  }
  return builder.finish();
}

}  // namespace tidegate::log::internal
