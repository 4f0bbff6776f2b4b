// AND, OR, NOT, IS NULL: Kleene's three-valued logic, 64 rows at a time where NULLs are involved.
#include <algorithm>

#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"

namespace tidegate::compute {

namespace {

size_t word_count(size_t rows) { return (rows + 63) / 64; }

// The truth values of rows 64 * word ... as bits; each byte is 0 or 1 for rows that are not NULL.
uint64_t truth_word(const Value& value, size_t word, size_t rows) {
  const auto* bytes = value.data<uint8_t>();
  if (value.constant) return (bytes[0] & 1) != 0 ? ~uint64_t{0} : 0;
  uint64_t bits = 0;
  const size_t first = word * 64;
  const size_t count = std::min<size_t>(64, rows - first);
  for (size_t at = 0; at < count; ++at) bits |= uint64_t{bytes[first + at] & 1U} << at;
  return bits;
}

uint64_t valid_word(const Value& value, size_t word) {
  if (!value.column->has_nulls()) return ~uint64_t{0};
  if (value.constant) return value.column->valid(0) ? ~uint64_t{0} : 0;
  return value.column->validity.words()[word];
}

// NULL AND FALSE is FALSE, NULL OR TRUE is TRUE: one side with the deciding value makes the result known.
template <bool kOr>
void set_junction_validity(Frame& frame) {
  const auto has_nulls = [](const Value& value) { return value.column->has_nulls(); };
  if (std::ranges::none_of(frame.args, has_nulls)) return;
  Bitmap& validity = frame.out.validity;
  validity.resize(frame.rows, true);
  for (size_t word = 0; word < word_count(frame.rows); ++word) {
    uint64_t all_valid = ~uint64_t{0};
    uint64_t decided = 0;
    for (const Value& arg : frame.args) {
      const uint64_t valid = valid_word(arg, word);
      const uint64_t truth = truth_word(arg, word, frame.rows);
      all_valid &= valid;
      decided |= valid & (kOr ? truth : ~truth);
    }
    validity.words()[word] &= all_valid | decided;
  }
}

template <bool kOr>
uint8_t junction_of(uint8_t a, uint8_t b) {
  return static_cast<uint8_t>((kOr ? a | b : a & b) & 1);
}

// The value of a NULL row is arbitrary but 0 or 1 after masking; wherever the result is known, masking by the
// deciding side yields it, so the value loop needs no look at the NULLs. A chain may have more than two members.
template <bool kOr>
void junction(Frame& frame) {
  auto* __restrict out = frame.result<uint8_t>();
  each_pair<uint8_t, uint8_t>(frame, [out](size_t row, uint8_t a, uint8_t b) { out[row] = junction_of<kOr>(a, b); });
  for (size_t argument = 2; argument < frame.args.size(); ++argument) {
    const auto* next = frame.args[argument].data<uint8_t>();
    const size_t step = frame.literal(argument) ? 0 : 1;
    for (size_t row = 0; row < frame.rows; ++row) out[row] = junction_of<kOr>(out[row], next[row * step]);
  }
  set_junction_validity<kOr>(frame);
}

template <bool kWhenNull>
void null_test(Frame& frame) {
  const Value& value = frame.args[0];
  auto* out = frame.result<uint8_t>();
  if (!value.column->has_nulls()) {
    std::memset(out, kWhenNull ? 0 : 1, frame.rows);
    return;
  }
  for (size_t row = 0; row < frame.rows; ++row) out[row] = value.valid(row) != kWhenNull;
}

}  // namespace

Function logic_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kAnd: return {junction<false>, false};
    case FunctionId::kOr: return {junction<true>, false};
    case FunctionId::kNot:
      return {unary<uint8_t, uint8_t>([](uint8_t a) { return static_cast<uint8_t>((a & 1) ^ 1); })};
    case FunctionId::kIsNull: return {null_test<true>, false};
    default: return {null_test<false>, false};
  }
}

}  // namespace tidegate::compute
