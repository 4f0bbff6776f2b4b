#include "compute/internal/frame.h"

#include <bit>

namespace tidegate::compute {

namespace {

size_t count_active(const Run& run) {
  if (run.active == nullptr) return run.input.rows;
  size_t count = 0;
  for (const uint64_t word : run.active->words().span()) count += static_cast<size_t>(std::popcount(word));
  return count;
}

}  // namespace

void Frame::fail(size_t row) {
  if (!out.valid(row)) return;
  if (out.validity.empty()) out.validity.resize(rows, true);
  out.validity.reset(row);
  if (constant) {
    run.errors += count_active(run);
  } else if (run.active == nullptr || run.active->test(row)) {
    ++run.errors;
  }
}

void Frame::put(std::string_view first, std::string_view second) {
  const size_t size = first.size() + second.size();
  if (size > kMaxStringBytes || out.text.size() + size > kMaxColumnTextBytes) {
    fail(out.offsets.size() - 1);
    return put_null();
  }
  out.text.append({first.data(), first.size()});
  out.text.append({second.data(), second.size()});
  put_null();
}

void prepare(Column& out, const Type& type, size_t rows) {
  out.type = type;
  out.rows = rows;
  out.validity.clear();
  out.pool = nullptr;
  out.children.clear();
  if (columnar::is_text(type)) {
    out.fixed.clear();
    out.text.clear();
    out.offsets.clear();
    out.offsets.reserve(rows + 1);
    out.offsets.push_back(0);
  } else if (type.is_nested()) {
    out.offsets.clear();
    if (type == TypeKind::kArray) out.offsets.push_back(0);
  } else {
    out.fixed.resize(rows * columnar::value_width(type));
  }
}

void combine_validity(std::span<const Value> args, size_t rows, Column& out) {
  for (const Value& arg : args) {
    if (!arg.column->has_nulls()) continue;
    if (arg.constant) {
      if (arg.column->valid(0)) continue;
      out.validity.clear();
      out.validity.resize(rows, false);
      return;
    }
    if (out.validity.empty()) {
      out.validity = arg.column->validity;
      continue;
    }
    const uint64_t* from = arg.column->validity.words().data();
    uint64_t* to = out.validity.words().data();
    for (size_t word = 0; word < (rows + 63) / 64; ++word) to[word] &= from[word];
  }
}

}  // namespace tidegate::compute
