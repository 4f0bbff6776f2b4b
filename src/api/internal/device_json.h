// Devices and places as JSON, and JSON merge patches (RFC 7396) of them.
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "registry/registry.h"
#include "security/authenticator.h"

namespace tidegate::api {

[[nodiscard]] std::string device_json(const registry::Device& device,
                                      const std::optional<security::DeviceRecord>& credentials);
[[nodiscard]] std::string place_json(const registry::Place& place, std::string_view time_zone);

// BadRequest when the text is no JSON object.
[[nodiscard]] Result<boost::json::object> parse_object(std::string_view text);
// Takes a member of type string out of the object; nothing if there is none. BadRequest when it is no string.
[[nodiscard]] Result<std::optional<std::string>> take_text(boost::json::object& members, std::string_view name);
[[nodiscard]] Result<std::optional<bool>> take_flag(boost::json::object& members, std::string_view name);
// BadRequest when something is left that nobody took.
[[nodiscard]] Result<> check_all_taken(const boost::json::object& members);

// type, place, labels, interval_ms, description; null takes a value away. BadRequest at a member that is none of these.
[[nodiscard]] Result<> patch_device(boost::json::object members, registry::Device& device);
// time_zone, description.
[[nodiscard]] Result<> patch_place(boost::json::object members, registry::Place& place);

}  // namespace tidegate::api
