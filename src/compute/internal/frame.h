// What passes between the nodes of a compiled expression, and what a kernel sees.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "columnar/batch.h"
#include "sql/expression.h"

namespace tidegate::compute {

using columnar::Bitmap;
using columnar::Column;
using columnar::Type;
using columnar::TypeKind;
using sql::FunctionId;

// A string result longer than this is NULL and counted: nested concatenation doubles quickly.
inline constexpr size_t kMaxStringBytes = 1U << 20;
// All strings of one result column together; offsets have 32 bits.
inline constexpr size_t kMaxColumnTextBytes = 1U << 30;

// What a node yields: one value per row, or (constant) one row that stands for all.
struct Value {
  const Column* column = nullptr;
  bool constant = false;

  [[nodiscard]] size_t row(size_t at) const { return constant ? 0 : at; }
  [[nodiscard]] bool valid(size_t at) const { return column->valid(row(at)); }
  [[nodiscard]] std::string_view text(size_t at) const { return column->string_at(row(at)); }
  template <class T>
  [[nodiscard]] const T* data() const {
    return column->values<T>().data();
  }
};

// The evaluation of one batch.
struct Run {
  const columnar::Batch& input;
  const Bitmap* active = nullptr;  // rows whose result is asked for (null: all); errors elsewhere do not count
  uint64_t errors = 0;
};

// One kernel at work. Before it is called `out` has its type, `rows` rows and, unless the kernel minds NULLs itself,
// the validity that follows from its arguments.
struct Frame {
  std::span<const Value> args;
  Column& out;
  size_t rows;    // 1 if `constant`
  bool constant;  // every argument is
  Run& run;

  // Makes a row NULL and counts it, unless it is NULL already.
  void fail(size_t row);
  template <class T>
  [[nodiscard]] T* result() {
    return reinterpret_cast<T*>(out.fixed.data());
  }
  [[nodiscard]] bool literal(size_t argument) const { return args[argument].constant && !constant; }
  // The next row of a STRING or BYTES result.
  void put(std::string_view text) { put(text, {}); }
  void put(std::string_view first, std::string_view second);
  // The next row of a STRING result is NULL without being an error.
  void put_none() {
    clear(out.offsets.size() - 1);
    put_null();
  }
  // Makes a row NULL.
  void clear(size_t row) {
    if (out.validity.empty()) out.validity.resize(rows, true);
    out.validity.reset(row);
  }
  // An integer argument of this row, widened.
  [[nodiscard]] int64_t integer(size_t argument, size_t row) const {
    return args[argument].column->integer_at(args[argument].row(row));
  }
  void put_null() { out.offsets.push_back(static_cast<uint32_t>(out.text.size())); }
};

using Kernel = std::function<void(Frame&)>;

struct Function {
  Kernel kernel;
  bool strict = true;  // NULL if any argument is; otherwise the kernel sets the validity
};

// Gives `out` a type and room for `rows` rows (an ARRAY none yet, and neither it nor a ROW children), none of them
// NULL, reusing its memory.
void prepare(Column& out, const Type& type, size_t rows);
// Sets the validity of `out` to the conjunction of the arguments'.
void combine_validity(std::span<const Value> args, size_t rows, Column& out);

}  // namespace tidegate::compute
