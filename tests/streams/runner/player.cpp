#include "runner/player.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "codec/timestamp_text.h"
#include "runner/rows.h"

namespace tidegate::streams {

namespace {

// Where every file's clock starts: 2026-01-01T00:00:00Z.
constexpr int64_t kStartUs = 1'767'225'600 * kMicrosPerSecond;

Result<std::string> word(const Block& block, size_t index, std::string_view what) {
  if (index < block.words.size()) return block.words[index];
  return fail(ErrorCode::UsageError, fmt::format("'{}' needs {}", block.verb, what));
}

// 5s, 200ms, 3min, 2h, 1d.
Result<int64_t> parse_duration(std::string_view text) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {{"ms", kMicrosPerMilli},
                                                             {"s", kMicrosPerSecond},
                                                             {"min", 60 * kMicrosPerSecond},
                                                             {"h", 3600 * kMicrosPerSecond},
                                                             {"d", 86'400 * kMicrosPerSecond}};
  int64_t count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  for (const auto& [name, us] : kUnits) {
    if (problem == std::errc() && unit == name) return count * us;
  }
  return fail(ErrorCode::UsageError, fmt::format("'{}' is no duration such as 5s, 200ms, 3min, 2h, 1d", text));
}

// One payload from lines of hexadecimal bytes; what follows a # is a comment.
Result<std::vector<std::string>> from_hex(const std::vector<std::string>& lines) {
  std::string digits;
  for (const std::string& line : lines) {
    for (const char c : std::string_view(line).substr(0, line.find('#'))) {
      if (c != ' ') digits += c;
    }
  }
  std::string payload;
  for (size_t at = 0; at < digits.size(); at += 2) {
    int byte = 0;
    const auto [end, problem] = std::from_chars(digits.data() + at, digits.data() + at + 2, byte, 16);
    if (problem != std::errc() || end != digits.data() + at + 2) {
      return fail(ErrorCode::UsageError, fmt::format("'{}' is no byte", digits.substr(at, 2)));
    }
    payload += static_cast<char>(byte);
  }
  return std::vector<std::string>{payload};
}

// Lines of `left` that `right` lacks, counting repetitions; both sorted.
std::vector<std::string> difference(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  std::vector<std::string> only;
  std::ranges::set_difference(left, right, std::back_inserter(only));
  return only;
}

std::string describe(std::string_view sign, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += fmt::format("    {} {}\n", sign, line);
  return text;
}

}  // namespace

const std::map<std::string, Player::Handler, std::less<>>& Player::handlers() {
  static const std::map<std::string, Handler, std::less<>> all = {
      {"stream", &Player::create},       {"query", &Player::query},         {"push", &Player::push},
      {"clock", &Player::move_clock},    {"expect", &Player::expect},       {"late", &Player::expect_late},
      {"dead", &Player::expect_dead},    {"====", &Player::expect_same},    {"error", &Player::expect_error},
      {"explain", &Player::expect_plan}, {"restart", &Player::restart},     {"file", &Player::write_file},
      {"reload", &Player::reload},       {"devices", &Player::put_devices}, {"select", &Player::expect_rows},
      {"site", &Player::put_site},
  };
  return all;
}

std::string Player::play() {
  auto opened = Platform::open(folder_ / "0", kStartUs, settings_);
  if (!opened) return fmt::format("  cannot start: {}\n", opened.error().to_string());
  platform_ = std::move(*opened);
  for (const Block& block : script_.blocks()) {
    const auto handler = handlers().find(block.verb);
    const Result<> done = handler == handlers().end()
                              ? Result<>(fail(ErrorCode::UsageError, fmt::format("no command '{}'", block.verb)))
                              : (this->*handler->second)(block);
    if (done) continue;
    // What follows would only repeat that something is missing.
    problems_ += fmt::format("  {}:{}: {}: {}\n", script_.path().string(), block.line, block.verb,
                             done.error().to_string_with_source(block.text()));
    break;
  }
  return problems_;
}

Result<> Player::create(const Block& block) { return platform_->execute(block.text(), {}); }

Result<> Player::query(const Block& block) {
  TRY_ASSIGN(const std::string name, word(block, 0, "the pipeline's name"));
  TRY(platform_->execute(block.text(), name));
  return platform_->run();
}

// push STREAM [as DEVICE] [on TOPIC] [whole | hex]
Result<> Player::push(const Block& block) {
  TRY_ASSIGN(const std::string stream, word(block, 0, "a stream"));
  Push push;
  push.lines = block.body;
  for (size_t at = 1; at < block.words.size(); ++at) {
    const std::string& option = block.words[at];
    if (option == "whole" || option == "hex") {
      push.whole = true;
      if (option != "hex") continue;
      TRY_ASSIGN(push.lines, from_hex(block.body));
    } else if (option == "as") {
      TRY_ASSIGN(push.device, word(block, ++at, "a device after 'as'"));
    } else if (option == "on") {
      TRY_ASSIGN(push.topic, word(block, ++at, "a topic after 'on'"));
    } else {
      return fail(ErrorCode::UsageError, fmt::format("'push' does not know '{}'", option));
    }
  }
  TRY(platform_->push(stream, push));
  TRY(platform_->run());
  return settings_.restart_after_push ? reopen(true) : Result<>();
}

Result<> Player::move_clock(const Block& block) {
  TRY_ASSIGN(const std::string by, word(block, 0, "+ or - and a duration, or a time"));
  io::ManualClock& clock = platform_->clock();
  if (by.starts_with('+')) {
    TRY_ASSIGN(const int64_t us, parse_duration(std::string_view(by).substr(1)));
    clock.advance_us(us);
  } else if (by.starts_with('-')) {
    // Someone set the machine's clock back.
    TRY_ASSIGN(const int64_t us, parse_duration(std::string_view(by).substr(1)));
    clock.set_wall_us(clock.now_us() - us);
  } else {
    const auto time_us = codec::parse_timestamp(by, columnar::TypeKind::kTimestampLtz);
    if (!time_us) return fail(ErrorCode::UsageError, fmt::format("'{}' is no time", by));
    clock.set_wall_us(*time_us);
  }
  platform_->look_at_tables();
  return platform_->run();
}

Result<> Player::write_file(const Block& block) {
  TRY_ASSIGN(const std::string name, word(block, 0, "the file's name"));
  return platform_->write_file(name, block.text());
}

// reload TABLE [NUMBER]: with a number, it is refused with this error.
Result<> Player::reload(const Block& block) {
  TRY_ASSIGN(const std::string table, word(block, 0, "a lookup table"));
  const Result<> done = platform_->reload(table);
  if (block.words.size() < 2) return done;
  const std::string actual = done ? "no error" : fmt::format("{}", static_cast<int>(done.error().code));
  if (actual == block.words[1]) return {};
  problems_ += fmt::format("  {}:{}: expected error {}, got {}\n{}\n", script_.path().string(), block.line,
                           block.words[1], actual, done ? "" : done.error().to_string());
  return {};
}

Result<> Player::put_devices(const Block& block) {
  for (const std::string& line : block.body) TRY(platform_->put_device(line));
  return {};
}

Result<> Player::put_site(const Block& block) {
  TRY_ASSIGN(const std::string name, word(block, 0, "the site's name"));
  TRY_ASSIGN(const std::string zone, word(block, 1, "its time zone"));
  return platform_->put_site(name, zone);
}

Result<> Player::expect(const Block& block) {
  const bool ordered = !block.words.empty() && block.words[0] == "ordered";
  TRY_ASSIGN(const std::string stream, word(block, ordered ? 1 : 0, "a stream"));
  return compare_stream(block, stream, ordered, false);
}

Result<> Player::expect_late(const Block& block) {
  TRY_ASSIGN(const std::string pipeline, word(block, 0, "a pipeline"));
  return compare_stream(block, catalog::late_name(pipeline), false, true);
}

Result<> Player::expect_dead(const Block& block) {
  TRY_ASSIGN(const std::string stream, word(block, 0, "a stream"));
  return compare_stream(block, catalog::dead_letter_name(stream), false, true);
}

// `some_columns`: only those that the first line names are looked at.
Result<> Player::compare_stream(const Block& block, const std::string& stream, bool ordered, bool some_columns) {
  TRY_ASSIGN(const auto definition, platform_->stream(stream));
  std::vector<std::string> names;
  if (some_columns && !block.body.empty()) {
    TRY_ASSIGN(names, names_in(block.body.front()));
  }
  TRY_ASSIGN(std::vector<std::string> actual, new_rows(stream, names));
  if (update_) return compare(block, {}, std::move(actual), ordered);
  std::vector<std::string> expected;
  for (const std::string& line : block.body) {
    TRY_ASSIGN(std::string canonical, canonical_line(line, *definition->schema, names));
    expected.push_back(std::move(canonical));
  }
  return compare(block, std::move(expected), std::move(actual), ordered);
}

Result<std::vector<std::string>> Player::new_rows(const std::string& stream, const std::vector<std::string>& names) {
  std::vector<std::string> rows;
  TRY_ASSIGN(const std::vector<columnar::Batch> batches, platform_->read(stream, seen_[stream]));
  for (const columnar::Batch& batch : batches) {
    for (size_t row = 0; row < batch.rows; ++row) {
      TRY_ASSIGN(std::string line, canonical_row(batch, row, names));
      rows.push_back(std::move(line));
    }
  }
  return rows;
}

Result<> Player::compare(const Block& block, std::vector<std::string> expected, std::vector<std::string> actual,
                         bool ordered) {
  if (!ordered) {
    std::ranges::sort(expected);
    std::ranges::sort(actual);
  }
  if (update_) {
    script_.replace_body(block, std::move(actual));
    return {};
  }
  if (expected == actual) return {};
  problems_ +=
      fmt::format("  {}:{}: {} {}\n", script_.path().string(), block.line, block.verb, fmt::join(block.words, " "));
  if (ordered) {
    problems_ += "   expected, in this order:\n" + describe("-", expected) + "   came:\n" + describe("+", actual);
  } else {
    problems_ += describe("- missing   ", difference(expected, actual));
    problems_ += describe("+ unexpected", difference(actual, expected));
  }
  return {};
}

Result<> Player::expect_same(const Block& block) {
  TRY_ASSIGN(const std::string left, word(block, 0, "two streams"));
  TRY_ASSIGN(const std::string right, word(block, 1, "two streams"));
  TRY_ASSIGN(std::vector<std::string> expected, new_rows(left, {}));
  TRY_ASSIGN(std::vector<std::string> actual, new_rows(right, {}));
  std::ranges::sort(expected);
  std::ranges::sort(actual);
  if (expected.empty()) problems_ += fmt::format("  {}:{}: both are empty\n", script_.path().string(), block.line);
  if (expected == actual) return {};
  problems_ += fmt::format("  {}:{}: the queries disagree\n", script_.path().string(), block.line);
  problems_ += describe("only " + left, difference(expected, actual));
  problems_ += describe("only " + right, difference(actual, expected));
  return {};
}

// error NUMBER [LINE:COLUMN]; positions count from the body's first line.
Result<> Player::expect_error(const Block& block) {
  TRY_ASSIGN(const std::string number, word(block, 0, "an error number"));
  const Result<> done = platform_->execute(block.text(), {});
  std::string actual = "no error";
  if (!done) {
    actual = fmt::format("{}", static_cast<int>(done.error().code));
    const auto& position = done.error().position;
    if (block.words.size() > 1 && position) actual += fmt::format(" {}:{}", position->line, position->column);
  }
  const std::string expected = fmt::format("{}", fmt::join(block.words, " "));
  if (actual == expected) return {};
  problems_ += fmt::format("  {}:{}: expected error {}, got {}\n{}\n", script_.path().string(), block.line, expected,
                           actual, done ? "" : done.error().to_string_with_source(block.text()));
  return {};
}

// A statement, then ----, then its plan.
Result<> Player::expect_plan(const Block& block) {
  const auto rule = std::ranges::find(block.body, "----");
  std::string statement;
  for (auto line = block.body.begin(); line != rule; ++line) statement += *line + "\n";
  TRY_ASSIGN(const std::string plan, platform_->explain(statement));
  std::vector<std::string> actual(block.body.begin(), rule);
  actual.emplace_back("----");
  for (size_t at = 0; at < plan.size();) {
    const size_t end = std::min(plan.find('\n', at), plan.size());
    actual.push_back(plan.substr(at, end - at));
    at = end + 1;
  }
  return compare(block, block.body, std::move(actual), true);
}

// select [ordered]: a SELECT over what is stored, then ----, then its rows.
Result<> Player::expect_rows(const Block& block) {
  const bool ordered = !block.words.empty() && block.words[0] == "ordered";
  const auto rule = std::ranges::find(block.body, "----");
  std::string statement;
  for (auto line = block.body.begin(); line != rule; ++line) statement += *line + "\n";
  columnar::SchemaPtr schema;
  TRY_ASSIGN(const std::vector<columnar::Batch> batches, platform_->select(statement, schema));
  std::vector<std::string> expected;
  for (auto line = rule; !update_ && line != block.body.end(); ++line) {
    if (line == rule) continue;
    TRY_ASSIGN(std::string canonical, canonical_line(*line, *schema, {}));
    expected.push_back(std::move(canonical));
  }
  std::vector<std::string> actual;
  for (const columnar::Batch& batch : batches) {
    for (size_t row = 0; row < batch.rows; ++row) {
      TRY_ASSIGN(std::string line, canonical_row(batch, row, {}));
      actual.push_back(std::move(line));
    }
  }
  if (!update_) return compare(block, std::move(expected), std::move(actual), ordered);
  if (!ordered) std::ranges::sort(actual);
  actual.insert(actual.begin(), "----");
  actual.insert(actual.begin(), block.body.begin(), rule);
  return compare(block, {}, std::move(actual), true);
}

// restart: the process dies. restart clean: it is stopped in order.
Result<> Player::restart(const Block& block) { return reopen(block.words.empty() || block.words[0] != "clean"); }

Result<> Player::reopen(bool crash) {
  const int64_t now_us = platform_->clock().now_us();
  const std::filesystem::path before = folder_ / std::to_string(life_);
  const std::filesystem::path after = folder_ / std::to_string(life_ + 1);
  if (crash) TRY(platform_->crash_image(after));
  platform_.reset();
  std::error_code problem;
  if (crash) {
    std::filesystem::remove_all(before, problem);
  } else {
    std::filesystem::rename(before, after, problem);
    if (problem) return fail(ErrorCode::DataFolderUnusable, problem.message());
  }
  ++life_;
  TRY_ASSIGN(platform_, Platform::open(after, now_us, settings_));
  return platform_->run();
}

}  // namespace tidegate::streams
