#include "api/internal/router.h"

#include <doctest/doctest.h>

#include <set>

#include "io/file.h"

namespace tidegate::api {
namespace {

// "GET /api/v1/streams" for every operation of the description: a path is a line indented by two that starts with a
// slash, its methods are indented by four.
std::set<std::string> described_routes() {
  const auto text = io::read_file("schema/openapi.yaml");
  REQUIRE_MESSAGE(text, "unit tests run in the project's root folder, as ctest does it");
  std::set<std::string> out;
  std::string path;
  size_t at = 0;
  while (at < text->size()) {
    const size_t end = std::min(text->find('\n', at), text->size());
    const std::string line = text->substr(at, end - at);
    at = end + 1;
    if (line.starts_with("components:")) break;
    if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
    for (const auto& [word, method] : {std::pair{"    get:", "GET "},
                                       {"    post:", "POST "},
                                       {"    put:", "PUT "},
                                       {"    patch:", "PATCH "},
                                       {"    delete:", "DELETE "}}) {
      if (line == word) out.insert(method + path);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("the description names every route, and the router every description") {
  std::set<std::string> routed;
  for (const Route& route : routes()) routed.insert(std::string(route.method) + " " + std::string(route.pattern));
  CHECK(routed == described_routes());
}

TEST_CASE("names in addresses are single segments that are not empty") {
  const std::vector<std::string> good{"api", "v1", "streams", "a/b"};
  const auto match = match_route("GET", good);
  REQUIRE(match);
  CHECK(match->name == "a/b");
  CHECK(match_route("PUT", good).error().hint == "GET, HEAD, DELETE");
  const std::vector<std::string> empty{"api", "v1", "streams", ""};
  CHECK(match_route("GET", empty).error().code == ErrorCode::NotFound);
  CHECK(match_route("GET", {}).error().code == ErrorCode::NotFound);
}

}  // namespace tidegate::api
