// CAST of ARRAY and ROW: element by element, field by field.
#include "base/check.h"
#include "compute/internal/kernels.h"

namespace tidegate::compute {

namespace {

// All values of a child, those of no row too. What fails is counted in `errors`.
Column cast_values(const Column& source, const Type& to, const Run& run, uint64_t& errors) {
  if (source.type == to) return source;
  const Value argument{&source, false};
  Run inner{run.input};
  Column out;
  prepare(out, to, source.rows);
  combine_validity({&argument, 1}, source.rows, out);
  Frame frame{{&argument, 1}, out, source.rows, false, inner};
  cast_function(source.type, to).kernel(frame);
  errors += inner.errors;
  return out;
}

void cast_children(Frame& frame, const Type& to) {
  const Column& source = *frame.args[0].column;
  uint64_t errors = 0;
  std::vector<columnar::ColumnPtr> children;
  for (size_t at = 0; at < source.children.size(); ++at) {
    Column child = cast_values(*source.children[at], (*to.fields)[at].type, frame.run, errors);
    // Shared as all children are.
    children.push_back(std::make_shared<const Column>(std::move(child)));
  }
  frame.out.children = std::move(children);
  if (to == TypeKind::kArray) frame.out.offsets = source.offsets;
  frame.run.errors += errors;
}

void append_text(const Column& texts, size_t row, std::string& out) {
  out += texts.valid(row) ? texts.string_at(row) : std::string_view("NULL");
}

// As Flink prints them: [1, NULL], (1, a).
void print(Frame& frame) {
  const Column& source = *frame.args[0].column;
  const bool array = source.type == TypeKind::kArray;
  uint64_t errors = 0;
  std::vector<Column> texts;
  for (const columnar::ColumnPtr& child : source.children) {
    texts.push_back(cast_values(*child, TypeKind::kString, frame.run, errors));
  }
  std::string text;
  for (size_t row = 0; row < frame.rows; ++row) {
    if (!frame.out.valid(row)) {
      frame.put_null();
      continue;
    }
    text = array ? "[" : "(";
    const size_t count = array ? source.length_at(row) : texts.size();
    for (size_t at = 0; at < count && text.size() <= kMaxStringBytes; ++at) {
      if (at > 0) text += ", ";
      append_text(array ? texts[0] : texts[at], array ? source.offsets[row] + at : row, text);
    }
    text += array ? ']' : ')';
    frame.put(text);
  }
  frame.run.errors += errors;
}

}  // namespace

Function nested_cast(const Type& from, const Type& to) {
  if (to == TypeKind::kString) return {print};
  CHECK(from.kind == to.kind && from.fields->size() == to.fields->size());
  return {[to](Frame& frame) { cast_children(frame, to); }};
}

}  // namespace tidegate::compute
