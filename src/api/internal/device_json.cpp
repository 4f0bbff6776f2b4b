#include "api/internal/device_json.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "net/http_problem.h"

namespace tidegate::api {
namespace {

namespace json = boost::json;
using net::json_string;

std::string labels_json(const std::map<std::string, std::string>& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ',';
    out += json_string(name) + ":" + json_string(value);
  }
  return out + "}";
}

std::unexpected<Error> must_be(std::string_view name, std::string_view what) {
  return fail(ErrorCode::BadRequest, fmt::format("the member '{}' must be {}", name, what));
}

std::optional<json::value> take(json::object& members, std::string_view name) {
  const auto found = members.find({name.data(), name.size()});
  if (found == members.end()) return std::nullopt;
  json::value value = std::move(found->value());
  members.erase(found);
  return value;
}

// A text that null empties.
Result<> patch_text(json::object& members, std::string_view name, std::string& target) {
  auto value = take(members, name);
  if (!value) return {};
  if (value->is_null()) {
    target.clear();
  } else if (value->is_string()) {
    target.assign(value->get_string().data(), value->get_string().size());
  } else {
    return must_be(name, "a string or null");
  }
  return {};
}

Result<> patch_labels(json::object& members, std::map<std::string, std::string>& labels) {
  auto value = take(members, "labels");
  if (!value) return {};
  if (value->is_null()) {
    labels.clear();
    return {};
  }
  if (!value->is_object()) return must_be("labels", "an object of strings");
  for (const auto& [name, label] : value->get_object()) {
    if (label.is_null()) {
      labels.erase(std::string(name));
    } else if (label.is_string()) {
      labels[std::string(name)] = std::string(label.get_string().data(), label.get_string().size());
    } else {
      return must_be(fmt::format("labels.{}", std::string_view(name.data(), name.size())), "a string or null");
    }
  }
  return {};
}

Result<> patch_interval(json::object& members, int64_t& interval_us) {
  auto value = take(members, "interval_ms");
  if (!value) return {};
  constexpr int64_t kMaxMs = registry::kMaxIntervalUs / kMicrosPerMilli;
  if (value->is_null()) {
    interval_us = 0;
  } else if (value->is_int64() && value->get_int64() >= 0 && value->get_int64() <= kMaxMs) {
    interval_us = value->get_int64() * kMicrosPerMilli;
  } else {
    return must_be("interval_ms", fmt::format("a whole number of milliseconds up to {}, or null", kMaxMs));
  }
  return {};
}

}  // namespace

std::string device_json(const registry::Device& device, const std::optional<security::DeviceRecord>& credentials) {
  const bool certificate = credentials && credentials->certificate_fingerprint;
  return fmt::format(R"({{"name":{},"type":{},"place":{},"labels":{},"interval_ms":{},"description":{},"token":{},)"
                     R"("certificate_fingerprint":{},"created_us":{},"changed_us":{},"revision":{}}})",
                     json_string(device.name), json_string(device.type), json_string(device.place),
                     labels_json(device.labels),
                     device.interval_us == 0 ? "null" : std::to_string(device.interval_us / kMicrosPerMilli),
                     json_string(device.description), credentials && credentials->has_token,
                     certificate ? json_string(*credentials->certificate_fingerprint) : "null", device.created_us,
                     device.changed_us, device.revision);
}

std::string place_json(const registry::Place& place, std::string_view time_zone) {
  return fmt::format(
      R"({{"path":{},"kind":"{}","time_zone":{},"description":{},"created_us":{},"changed_us":{},"revision":{}}})",
      json_string(place.path), registry::place_kind(place.path), json_string(time_zone), json_string(place.description),
      place.created_us, place.changed_us, place.revision);
}

Result<json::object> parse_object(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) return fail(ErrorCode::BadRequest, "the body must be a JSON object");
  return std::move(value.get_object());
}

Result<std::optional<std::string>> take_text(json::object& members, std::string_view name) {
  auto value = take(members, name);
  if (!value) return std::nullopt;
  if (!value->is_string()) return must_be(name, "a string");
  return std::string(value->get_string().data(), value->get_string().size());
}

Result<std::optional<bool>> take_flag(json::object& members, std::string_view name) {
  auto value = take(members, name);
  if (!value) return std::nullopt;
  if (!value->is_bool()) return must_be(name, "true or false");
  return value->get_bool();
}

Result<> check_all_taken(const json::object& members) {
  if (members.empty()) return {};
  const auto name = members.begin()->key();
  return fail(ErrorCode::BadRequest,
              fmt::format("the member '{}' has no meaning here", std::string_view(name.data(), name.size())));
}

Result<> patch_device(json::object members, registry::Device& device) {
  TRY(patch_text(members, "type", device.type));
  TRY(patch_text(members, "place", device.place));
  TRY(patch_text(members, "description", device.description));
  TRY(patch_labels(members, device.labels));
  TRY(patch_interval(members, device.interval_us));
  return check_all_taken(members);
}

Result<> patch_place(json::object members, registry::Place& place) {
  TRY(patch_text(members, "time_zone", place.time_zone));
  TRY(patch_text(members, "description", place.description));
  return check_all_taken(members);
}

}  // namespace tidegate::api
