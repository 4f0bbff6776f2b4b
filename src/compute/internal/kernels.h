// The kernels of every function, by family. Each takes a bound call and yields what computes it.
#pragma once

#include "compute/internal/frame.h"

namespace tidegate::compute {

[[nodiscard]] Function arithmetic_function(const sql::Call& call);
[[nodiscard]] Function comparison_function(const sql::Call& call);
[[nodiscard]] Function logic_function(const sql::Call& call);
[[nodiscard]] Function string_function(const sql::Call& call);
// Parts and compositions of texts; what looks into them; codes; regular expressions.
[[nodiscard]] Function text_part_function(const sql::Call& call);
[[nodiscard]] Function text_search_function(const sql::Call& call);
[[nodiscard]] Function text_code_function(const sql::Call& call);
[[nodiscard]] Function regexp_function(const sql::Call& call);
[[nodiscard]] Function hash_function(const sql::Call& call);
[[nodiscard]] Function json_function(const sql::Call& call);
[[nodiscard]] Function math_function(const sql::Call& call);
[[nodiscard]] Function trigonometry_function(const sql::Call& call);
[[nodiscard]] Function bit_function(const sql::Call& call);
[[nodiscard]] Function truncate_function(const sql::Call& call);
[[nodiscard]] Function time_function(const sql::Call& call);
// TIMESTAMPADD and TIMESTAMPDIFF; times as texts and numbers.
[[nodiscard]] Function time_shift_function(const sql::Call& call);
[[nodiscard]] Function time_text_function(const sql::Call& call);
[[nodiscard]] Function cast_function(const Type& from, const Type& to);
// DECIMAL: + - * / % and -x; ABS, CEIL, FLOOR, ROUND, TRUNCATE, SIGN; CAST from or to it. `type` is the result's.
[[nodiscard]] Function decimal_arithmetic(const sql::Call& call, const Type& type);
[[nodiscard]] Function decimal_function(const sql::Call& call, const Type& type);
[[nodiscard]] Function decimal_cast(const Type& from, const Type& to);
[[nodiscard]] Kernel decimal_comparison(FunctionId id, int a_scale, int b_scale);
// ARRAY and ROW: made, taken apart, looked into; CAST of one to a STRING or one of other elements.
[[nodiscard]] Function collection_function(const sql::Call& call);
[[nodiscard]] Function nested_cast(const Type& from, const Type& to);
// TRY_CAST: what cannot be converted does not count.
[[nodiscard]] Function try_cast_function(const Type& from, const Type& to);
// GREATEST, LEAST, NULLIF; CASE and COALESCE are nodes of their own (internal/choice.h).
[[nodiscard]] Function conditional_function(const sql::Call& call);
// IS DISTINCT FROM.
[[nodiscard]] Function distinct_function(const sql::Call& call);
// `value IN (...)` over literals.
[[nodiscard]] Function membership_function(const sql::Call& call);
[[nodiscard]] Function like_function(const sql::Call& call);

// The text of an argument that is a STRING literal; CHECKs that it is one.
[[nodiscard]] const std::string& literal_text(const sql::Expression& argument);
// Null unless the argument is a literal.
[[nodiscard]] const sql::Literal* as_literal(const sql::Expression& argument);

}  // namespace tidegate::compute
