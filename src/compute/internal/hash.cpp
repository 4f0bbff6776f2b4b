// MD5, SHA1 and SHA-2 of texts.
#include <memory>

#include "base/check.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "crypto/digest.h"

namespace tidegate::compute {

namespace {

crypto::DigestAlgorithm algorithm_of(FunctionId id) {
  switch (id) {
    case FunctionId::kMd5: return crypto::DigestAlgorithm::kMd5;
    case FunctionId::kSha1: return crypto::DigestAlgorithm::kSha1;
    case FunctionId::kSha224: return crypto::DigestAlgorithm::kSha224;
    case FunctionId::kSha256: return crypto::DigestAlgorithm::kSha256;
    case FunctionId::kSha384: return crypto::DigestAlgorithm::kSha384;
    case FunctionId::kSha512: return crypto::DigestAlgorithm::kSha512;
    default: CHECK(false && "SHA2 is one of the others by its bits");
  }
}

}  // namespace

Function hash_function(const sql::Call& call) {
  // Shared because kernels are copied; an evaluator runs on one thread.
  auto digest = std::make_shared<crypto::Digest>(algorithm_of(call.function));
  return {[digest, out = std::string()](Frame& frame) mutable {
    each_text(frame, [&](size_t row) {
      out.clear();
      digest->append_hex(frame.args[0].text(row), out);
      frame.put(out);
    });
  }};
}

}  // namespace tidegate::compute
