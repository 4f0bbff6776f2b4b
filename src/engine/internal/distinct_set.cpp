#include "engine/internal/distinct_set.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "columnar/value_bytes.h"

namespace tidegate::engine {

namespace {

using Wide = columnar::Int128;
constexpr size_t kFirstPlaces = 8;

// The finaliser of MurmurHash3: spreads values that differ in few bits.
uint64_t spread(uint64_t bits) {
  bits = (bits ^ (bits >> 33)) * 0xff51afd7ed558ccd;
  bits = (bits ^ (bits >> 33)) * 0xc4ceb9fe1a85ec53;
  return bits ^ (bits >> 33);
}

// Equal doubles have equal bits: one zero, one NaN.
uint64_t canonical(const columnar::Column& column, size_t row) {
  if (!columnar::is_approximate(column.type)) return static_cast<uint64_t>(column.integer_at(row));
  const double value = number_at(column, row);
  if (std::isnan(value)) return std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN());
  return value == 0 ? 0 : std::bit_cast<uint64_t>(value);
}

}  // namespace

void DistinctSet::add(const AggregateField& field, const CellRows& rows, size_t row) {
  if (overflowed_) return;
  const columnar::Column& values = *rows.input.columns[field.argument];
  if (columnar::is_text(values.type)) {
    insert_text(values.string_at(row));
  } else if (columnar::is_wide(values.type)) {
    thread_local std::string bytes;
    bytes.clear();
    columnar::append_value_bytes(values, row, bytes);
    insert_text(bytes);
  } else {
    insert_number(canonical(values, row));
  }
}

void DistinctSet::merge(const AggregateField&, const DistinctSet& other) {
  if (overflowed_) return;
  if (other.overflowed_) return overflow();
  if (other.has_zero_) insert_number(0);
  for (const uint64_t bits : other.table_) {
    if (bits != 0) insert_number(bits);
  }
  if (other.texts_ == nullptr) return;
  for (size_t at = 0; at < other.texts_->size(); ++at) insert_text(other.texts_->key(static_cast<uint32_t>(at)));
}

void DistinctSet::insert_number(uint64_t bits) {
  if (overflowed_) return;
  if (bits == 0) {
    has_zero_ = true;
  } else {
    if (numbers_ * 2 >= table_.size()) grow();
    uint64_t& place = table_[place_of(bits)];
    numbers_ += place == 0 ? 1 : 0;
    place = bits;
  }
  if (size() > kMaxValues) overflow();
}

void DistinctSet::insert_text(std::string_view text) {
  if (overflowed_) return;
  if (texts_ == nullptr) texts_ = std::make_unique<KeyTable>(kFirstPlaces);
  bool added = false;
  (void)texts_->find_or_add(text, added);
  text_bytes_ += added ? text.size() : 0;
  if (size() > kMaxValues || text_bytes_ > kMaxTextBytes) overflow();
}

size_t DistinctSet::place_of(uint64_t bits) const {
  size_t at = spread(bits) & (table_.size() - 1);
  while (table_[at] != 0 && table_[at] != bits) at = (at + 1) & (table_.size() - 1);
  return at;
}

void DistinctSet::grow() {
  std::vector<uint64_t> old(std::max(table_.size() * 2, kFirstPlaces), 0);
  old.swap(table_);
  for (const uint64_t bits : old) {
    if (bits != 0) table_[place_of(bits)] = bits;
  }
}

void DistinctSet::overflow() {
  *this = DistinctSet();
  overflowed_ = true;
}

size_t DistinctSet::size() const {
  return numbers_ + (has_zero_ ? 1 : 0) + (texts_ == nullptr ? size_t{0} : texts_->size());
}

std::vector<uint64_t> DistinctSet::sorted_numbers() const {
  std::vector<uint64_t> all;
  all.reserve(size());
  if (has_zero_) all.push_back(0);
  std::ranges::copy_if(table_, std::back_inserter(all), [](uint64_t bits) { return bits != 0; });
  std::ranges::sort(all);  // so that neither sums nor bytes depend on the order of arrival
  return all;
}

bool DistinctSet::emit(const AggregateField& field, const AggregateResult& result, const WindowBounds&,
                       columnar::ColumnBuilder& out) const {
  if (overflowed_) {
    out.append_null();
    return false;
  }
  if (result.function == sql::AggregateFunction::kCount) {
    out.append<int64_t>(static_cast<int64_t>(size()));
    return true;
  }
  if (field.argument_type == columnar::TypeKind::kDecimal) return emit_total(field, result, out);
  return emit_sum(field, result.function == sql::AggregateFunction::kAvg, out);
}

bool DistinctSet::emit_total(const AggregateField& field, const AggregateResult& result,
                             columnar::ColumnBuilder& out) const {
  columnar::DecimalSum sum;
  for (size_t at = 0; at < size(); ++at) {
    columnar::Decimal value;
    std::memcpy(&value.unscaled, texts_->key(static_cast<uint32_t>(at)).data(), sizeof value.unscaled);
    sum.add(value);
  }
  const bool average = result.function == sql::AggregateFunction::kAvg;
  return append_total(sum, average ? static_cast<int64_t>(size()) : 0, field, result, out);
}

bool DistinctSet::emit_sum(const AggregateField& field, bool average, columnar::ColumnBuilder& out) const {
  const auto count = static_cast<double>(size());
  if (columnar::is_approximate(field.argument_type)) {
    double sum = 0;
    for (const uint64_t bits : sorted_numbers()) sum += std::bit_cast<double>(bits);
    append_real(average ? sum / count : sum, out);
    return true;
  }
  Wide sum = 0;
  for (const uint64_t bits : sorted_numbers()) sum += static_cast<int64_t>(bits);
  if (average) {
    out.append<double>(static_cast<double>(sum) / count);
    return true;
  }
  const bool fits = sum >= std::numeric_limits<int64_t>::min() && sum <= std::numeric_limits<int64_t>::max();
  if (fits) {
    out.append<int64_t>(static_cast<int64_t>(sum));
  } else {
    out.append_null();
  }
  return fits;
}

void DistinctSet::write(const AggregateField& field, ByteWriter& out) const {
  out.fixed<uint8_t>(overflowed_);
  out.varint(size());
  if (!columnar::is_text(field.argument_type) && !columnar::is_wide(field.argument_type)) {
    for (const uint64_t bits : sorted_numbers()) out.fixed(bits);
    return;
  }
  for (size_t at = 0; at < size(); ++at) out.text(texts_->key(static_cast<uint32_t>(at)));
}

bool DistinctSet::read(const AggregateField& field, ByteReader& in) {
  const uint8_t overflowed = in.fixed<uint8_t>();
  const uint64_t count = in.varint();
  if (overflowed > 1 || count > in.remaining() || count > kMaxValues) return false;
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    if (columnar::is_text(field.argument_type)) {
      insert_text(in.text());
    } else if (columnar::is_wide(field.argument_type)) {
      const std::string_view bytes = in.text();
      ByteReader value(bytes);
      if (!columnar::skip_value_bytes(value, field.argument_type) || !value.finished()) return false;
      insert_text(bytes);
    } else {
      insert_number(in.fixed<uint64_t>());
    }
  }
  if (overflowed == 1) overflow();
  return in.ok();
}

size_t DistinctSet::memory_bytes() const {
  return table_.capacity() * sizeof(uint64_t) + (texts_ == nullptr ? size_t{0} : texts_->memory_bytes());
}

}  // namespace tidegate::engine
