#include "sinks/internal/outlet.h"

#include <algorithm>

#include "base/check.h"

namespace tidegate::sinks {

size_t Delivery::rows() const {
  size_t total = 0;
  for (const Piece& piece : pieces) total += piece.batch.value().rows;
  return total;
}

Offset Delivery::last() const { return Offset{after(rows()).value - 1}; }

Offset Delivery::after(size_t rows) const {
  CHECK(rows > 0);
  for (const Piece& piece : pieces) {
    const size_t here = piece.batch.value().rows;
    if (rows <= here) return Offset{piece.first.value + static_cast<int64_t>(rows)};
    rows -= here;
  }
  CHECK(false);
  return {};
}

void Delivery::keep(size_t rows, const security::PolicyGate& gate) {
  size_t at = 0;
  while (at < pieces.size() && rows > 0) {
    Piece& piece = pieces[at++];
    const size_t here = piece.batch.value().rows;
    if (rows < here) piece.batch = gate.internal(columnar::slice(piece.batch.value(), 0, rows));
    rows -= std::min(rows, here);
  }
  pieces.erase(pieces.begin() + static_cast<ptrdiff_t>(at), pieces.end());
}

}  // namespace tidegate::sinks
