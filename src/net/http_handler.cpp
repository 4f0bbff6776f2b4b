#include "net/http_handler.h"

namespace tidegate::net {
namespace {

std::optional<std::string_view> find_first(const std::vector<std::pair<std::string, std::string>>& list,
                                           std::string_view name) {
  for (const auto& [key, value] : list) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> HttpRequest::header(std::string_view lower_case_name) const {
  return find_first(headers, lower_case_name);
}

std::optional<std::string_view> HttpRequest::query_value(std::string_view name) const {
  return find_first(query, name);
}

}  // namespace tidegate::net
