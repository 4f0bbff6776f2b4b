#include "engine/internal/naive_aggregates.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/hash.h"

namespace tidegate::engine {

namespace {

std::string number(double value) { return fmt::format("|{:.6f}", value); }

std::string spread(const std::vector<Reading>& rows) {
  double sum = 0;
  for (const Reading& row : rows) sum += row.value;
  const auto count = static_cast<double>(rows.size());
  double squares = 0;
  for (const Reading& row : rows) squares += (row.value - sum / count) * (row.value - sum / count);
  return number(squares / count) + (rows.size() < 2 ? "|-" : number(std::sqrt(squares / (count - 1))));
}

// The exact value at the rank, then the middle of the sketch's bucket that it falls into.
double percentile(const std::vector<Reading>& rows, double fraction) {
  std::vector<double> values;
  for (const Reading& row : rows) values.push_back(row.value);
  std::ranges::sort(values);
  const double exact = values[static_cast<size_t>(fraction * static_cast<double>(values.size() - 1))];
  if (exact == 0) return 0;
  const double g = 1.01 / 0.99;
  const double middle = 2 * std::pow(g, std::ceil(std::log(std::abs(exact)) / std::log(g))) / (1 + g);
  return exact < 0 ? -middle : middle;
}

double time_weighted(const std::vector<Reading>& rows, int64_t end_us) {
  double area = 0;
  for (size_t at = 0; at < rows.size(); ++at) {
    const int64_t until = at + 1 < rows.size() ? rows[at + 1].time_us : end_us;
    area += rows[at].value * static_cast<double>(until - rows[at].time_us);
  }
  return area / static_cast<double>(end_us - rows[0].time_us);
}

double counter_delta(const std::vector<Reading>& rows) {
  double sum = 0;
  for (size_t at = 1; at < rows.size(); ++at) {
    if (std::string(kind_of(rows[at])) != kind_of(rows[at - 1])) continue;  // the kind is the meter
    const double step = rows[at].value - rows[at - 1].value;
    if (step >= 0) {
      sum += step;
    } else if (step + 100 >= 0 && step + 100 <= 50) {
      sum += step + 100;
    } else {
      sum += std::max(rows[at].value, 0.0);
    }
  }
  return sum;
}

}  // namespace

const char* kind_of(const Reading& reading) { return static_cast<int64_t>(reading.value) % 2 == 0 ? "even" : "odd"; }

std::string naive_aggregates(std::vector<Reading> rows, int64_t start_us, int64_t end_us, int64_t expected_until_us) {
  std::ranges::stable_sort(rows, [](const Reading& left, const Reading& right) {
    const auto place = [](const Reading& row) { return std::pair(row.time_us, key_group_of(row.device).value); };
    return place(left) < place(right);
  });
  std::set<double> values;
  std::set<std::string> kinds;
  std::set<int64_t> seconds;
  std::vector<Reading> valued;
  for (const Reading& row : rows) {
    kinds.insert(kind_of(row));
    seconds.insert((row.time_us + 1000 * kSecond) / kSecond);
    if (!row.valued) continue;
    values.insert(row.value);
    valued.push_back(row);
  }
  int64_t sum = 0;
  for (const double value : values) sum += static_cast<int64_t>(value);
  std::string text = fmt::format("|{}|{}", values.size(), kinds.size());
  text += values.empty() ? "|-|-|-|-" : fmt::format("|{}", sum) + spread(valued) + number(valued.front().value);
  text += fmt::format("|{}", kind_of(rows.back()));
  if (valued.empty()) {
    text += "|-|-|-";
  } else {
    text += number(percentile(valued, 0.9)) + number(time_weighted(valued, end_us)) + number(counter_delta(valued));
  }
  const auto expected = std::ceil(static_cast<double>(expected_until_us - start_us) / kSecond);
  return text + number(std::min(static_cast<double>(seconds.size()) / expected, 1.0));
}

}  // namespace tidegate::engine
