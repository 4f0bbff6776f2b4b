// The loops kernels are made of. The three forms of a binary loop (column and column, column and literal, literal
// and column) have no branch and no call inside, so that the compiler vectorises them.
#pragma once

#include "compute/internal/frame.h"

namespace tidegate::compute {

// Calls body(row, a) for every row, NULL rows (whose value is arbitrary) too.
template <class A, class Body>
void each(const Frame& frame, Body body) {
  const A* a = frame.args[0].data<A>();
  for (size_t row = 0; row < frame.rows; ++row) body(row, a[row]);
}

// The same for two arguments.
template <class A, class B, class Body>
void each_pair(const Frame& frame, Body body) {
  const A* a = frame.args[0].data<A>();
  const B* b = frame.args[1].data<B>();
  const size_t rows = frame.rows;
  if (frame.literal(0) && frame.literal(1)) {  // the column is a later argument
    const A left = *a;
    const B right = *b;
    for (size_t row = 0; row < rows; ++row) body(row, left, right);
  } else if (frame.literal(1)) {
    const B right = *b;
    for (size_t row = 0; row < rows; ++row) body(row, a[row], right);
  } else if (frame.literal(0)) {
    const A left = *a;
    for (size_t row = 0; row < rows; ++row) body(row, left, b[row]);
  } else {
    for (size_t row = 0; row < rows; ++row) body(row, a[row], b[row]);
  }
}

// out = op(a). For operations that cannot fail.
template <class A, class Out, class Op>
Kernel unary(Op op) {
  return [op](Frame& frame) {
    Out* __restrict out = frame.result<Out>();
    each<A>(frame, [out, op](size_t row, A a) { out[row] = op(a); });
  };
}

// out = op(a, b).
template <class A, class B, class Out, class Op>
Kernel binary(Op op) {
  return [op](Frame& frame) {
    Out* __restrict out = frame.result<Out>();
    each_pair<A, B>(frame, [out, op](size_t row, A a, B b) { out[row] = op(a, b); });
  };
}

// `bool op(a, Out&)` says whether it could be computed; only when some row could not, a second pass finds which.
template <class A, class Out, class Op>
Kernel checked_unary(Op op) {
  return [op](Frame& frame) {
    Out* __restrict out = frame.result<Out>();
    bool bad = false;
    each<A>(frame, [out, op, &bad](size_t row, A a) { bad |= !op(a, out[row]); });
    if (!bad) return;
    each<A>(frame, [&frame, op](size_t row, A a) {
      Out unused;
      if (!op(a, unused)) frame.fail(row);
    });
  };
}

template <class A, class B, class Out, class Op>
Kernel checked_binary(Op op) {
  return [op](Frame& frame) {
    Out* __restrict out = frame.result<Out>();
    bool bad = false;
    each_pair<A, B>(frame, [out, op, &bad](size_t row, A a, B b) { bad |= !op(a, b, out[row]); });
    if (!bad) return;
    each_pair<A, B>(frame, [&frame, op](size_t row, A a, B b) {
      Out unused;
      if (!op(a, b, unused)) frame.fail(row);
    });
  };
}

// A STRING result: make(frame, row) puts exactly one text for every row that is not NULL.
template <class Make>
void each_text(Frame& frame, Make make) {
  for (size_t row = 0; row < frame.rows; ++row) {
    if (frame.out.valid(row)) {
      make(row);
    } else {
      frame.put_null();
    }
  }
}

// A fixed-width result of arguments that are strings: make(row) for every row that is not NULL.
template <class Out, class Make>
void each_valid(Frame& frame, Make make) {
  Out* out = frame.result<Out>();
  for (size_t row = 0; row < frame.rows; ++row) out[row] = frame.out.valid(row) ? make(row) : Out{};
}

}  // namespace tidegate::compute
