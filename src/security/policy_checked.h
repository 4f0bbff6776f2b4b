// PolicyChecked<T>: data that passed the policy for its reader. Every way out of the platform (live queries, tails,
// sinks, MQTT subscribers) takes only this type, so that a new one cannot forget the check.
#pragma once

#include <utility>

namespace tidegate::security {

class PolicyGate;

template <class T>
class PolicyChecked {
 public:
  [[nodiscard]] const T& value() const& { return value_; }
  [[nodiscard]] T&& value() && { return std::move(value_); }

 private:
  friend class PolicyGate;  // the only one who makes them
  explicit PolicyChecked(T value) : value_(std::move(value)) {}
  T value_;
};

}  // namespace tidegate::security
