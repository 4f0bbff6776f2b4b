#include "cli/internal/quota_text.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

namespace tidegate::cli {

TEST_CASE("amounts are read with and without units") {
  CHECK(parse_quantity("500").value() == 500);
  CHECK(parse_quantity("0.5").value() == 0.5);
  CHECK(parse_quantity("10k").value() == 10'000);
  CHECK(parse_quantity("4kB").value() == 4'000);
  CHECK(parse_quantity("1.5MB").value() == 1'500'000);
  CHECK(parse_quantity("2GB").value() == 2e9);
  for (const char* text : {"", "x", "10x", "10 kB", "kB", "1e"}) CHECK_FALSE(parse_quantity(text));
}

TEST_CASE("limits are written as they are read") {
  CHECK(limit_text("messages_per_s", 0.5) == "0.5");
  CHECK(limit_text("bytes_per_s", 1'500'000) == "1.5MB");
  CHECK(limit_text("payload_bytes", 4000) == "4kB");
  CHECK(limit_text("payload_bytes", 999) == "999B");
  CHECK(limit_text("burst_s", 2.5) == "2.5s");
  CHECK(limit_text("connections", nullptr) == "-");
}

TEST_CASE("a device's quota says where each limit is from, and what was not taken") {
  const auto state = boost::json::parse(R"({"limits":{"messages_per_s":{"value":10,"from":"type:meter"}},)"
                                        R"("refused":{"messages":3,"bytes":0},"dropped":1})");
  CHECK(quota_text(state) == "messages_per_s 10 (type:meter)");
  CHECK(over_quota_text(state) == "3 refused for messages, 1 dropped (QoS 0)");
  CHECK(quota_text(boost::json::parse(R"({"limits":{}})")) == "none");
  CHECK(over_quota_text(boost::json::parse(R"({"refused":{"messages":0}})")) == "-");
}

}  // namespace tidegate::cli
