// The only place where the API turns rows into bytes for somebody outside: it takes PolicyChecked batches.
#pragma once

#include <string>
#include <string_view>

#include "codec/json_encoder.h"
#include "columnar/batch.h"
#include "security/policy_checked.h"
#include "security/principal.h"

namespace tidegate::api {

using CheckedBatch = security::PolicyChecked<columnar::Batch>;

// A JSON array of `rows` rows from `first` on.
void append_rows(const codec::JsonEncoder& encoder, const CheckedBatch& batch, size_t first, size_t rows,
                 std::string& out);

// One row as a JSON object.
void append_row(const codec::JsonEncoder& encoder, const CheckedBatch& batch, size_t row, std::string& out);

// One row of a stream, with its offset as the member "_offset".
void append_record(const codec::JsonEncoder& encoder, const CheckedBatch& batch, size_t row, int64_t offset,
                   std::string& out);

// {"columns":[{"name":"device","type":"STRING","nullable":false},...]}
[[nodiscard]] std::string schema_json(const columnar::Schema& schema);

}  // namespace tidegate::api
