#include "api/internal/request_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>

namespace tidegate::api {

Result<std::map<std::string, std::string>> parse_members(std::string_view json,
                                                         std::initializer_list<std::string_view> required,
                                                         std::initializer_list<std::string_view> optional) {
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(boost::json::string_view(json.data(), json.size()), error);
  if (error || !value.is_object()) return fail(ErrorCode::BadRequest, "the body must be a JSON object");
  std::map<std::string, std::string> out;
  for (const auto& member : value.get_object()) {
    const std::string name(member.key());
    const auto is_name = [&](std::string_view known) { return known == name; };
    if (std::none_of(required.begin(), required.end(), is_name) &&
        std::none_of(optional.begin(), optional.end(), is_name)) {
      return fail(ErrorCode::BadRequest, fmt::format("the member '{}' has no meaning here", name));
    }
    const auto* text = member.value().if_string();
    if (text == nullptr) return fail(ErrorCode::BadRequest, fmt::format("the member '{}' must be a string", name));
    out.emplace(name, std::string(text->data(), text->size()));
  }
  for (const std::string_view name : required) {
    if (!out.contains(std::string(name)))
      return fail(ErrorCode::BadRequest, fmt::format("the member '{}' is missing", name));
  }
  return out;
}

}  // namespace tidegate::api
