#include "registry/merge_patch.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace tidegate::registry {

namespace json = boost::json;

// The parser limits the depth of what comes from outside (boost::json::parse_options::max_depth, 32), and a patch makes
// nothing deeper than itself or its target.
void apply_merge_patch(json::object& target, const json::object& patch) {
  for (const auto& [name, value] : patch) {
    if (value.is_null()) {
      target.erase(name);
    } else if (value.is_object()) {
      json::value& member = target[name];
      if (!member.is_object()) member = json::object();
      apply_merge_patch(member.get_object(), value.get_object());
    } else {
      target[name] = value;
    }
  }
}

json::object merge_patch_between(const json::object& from, const json::object& to) {
  json::object patch;
  for (const auto& [name, value] : from) {
    if (!to.contains(name)) patch[name] = nullptr;
  }
  for (const auto& [name, value] : to) {
    const json::value* present = from.if_contains(name);
    if (present != nullptr && *present == value) continue;
    if (present != nullptr && present->is_object() && value.is_object()) {
      patch[name] = merge_patch_between(present->get_object(), value.get_object());
    } else {
      patch[name] = value;
    }
  }
  return patch;
}

Result<json::object> parse_document(std::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes) {
    return fail(ErrorCode::RecordTooLarge,
                fmt::format("the document has {} bytes, {} are allowed", text.size(), max_bytes));
  }
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (!error && value.is_object()) return std::move(value.get_object());
  return fail(ErrorCode::BadRequest, "this is not a JSON object", "send an object: {\"interval_s\": 30}");
}

}  // namespace tidegate::registry
