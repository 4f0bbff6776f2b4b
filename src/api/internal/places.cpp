// The site tree: sites, areas in them, assets in those.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/internal/api_impl.h"
#include "api/internal/device_json.h"
#include "api/internal/document_request.h"

namespace tidegate::api {
namespace {

Result<> done(const Result<registry::PlacePtr>& place) { return place ? Result<>() : Result<>(fail(place.error())); }

}  // namespace

void ApiImpl::places(Call& call) {
  std::string out = "{\"sites\":[";
  for (const auto& place : parts_.registry.places()) {
    if (out.back() != '[') out += ',';
    out += place_json(*place, parts_.registry.time_zone_of(place->path));
  }
  call.reply(out + "]}");
}

void ApiImpl::place(Call& call) {
  const auto found = parts_.registry.find_place(call.name);
  if (!found) {
    return call.reply(Error{ErrorCode::NotFound,
                            fmt::format("there is no place '{}'", call.name),
                            "`tidegate site list` shows what there is",
                            {}});
  }
  call.reply_revision(place_json(*found, parts_.registry.time_zone_of(found->path)), found->revision);
}

void ApiImpl::add_place(Call& call) {
  std::string path;
  const auto added = [&]() -> Result<registry::PlacePtr> {
    TRY_ASSIGN(auto members, parse_object(call.request.body));
    TRY_ASSIGN(const auto wanted, take_text(members, "path"));
    if (!wanted) return fail(ErrorCode::BadRequest, "the member 'path' is missing");
    path = *wanted;
    registry::Place place;
    place.path = path;
    TRY(patch_place(std::move(members), place));
    return parts_.registry.add_place(std::move(place));
  }();
  audit(call, "site.add", path, done(added));
  if (!added) return call.reply(added.error());
  call.reply_revision(place_json(**added, parts_.registry.time_zone_of(path)), (*added)->revision, 201);
}

void ApiImpl::change_place(Call& call) {
  const auto changed = [&]() -> Result<registry::PlacePtr> {
    TRY_ASSIGN(const auto revision, expected_revision(call.request));
    TRY_ASSIGN(auto members, parse_object(call.request.body));
    return parts_.registry.change_place(call.name, revision,
                                        [&](registry::Place& place) { return patch_place(members, place); });
  }();
  audit(call, "site.change", call.name, done(changed));
  if (!changed) return call.reply(changed.error());
  call.reply_revision(place_json(**changed, parts_.registry.time_zone_of(call.name)), (*changed)->revision);
}

void ApiImpl::remove_place(Call& call) {
  const auto removed = [&]() -> Result<> {
    TRY_ASSIGN(const auto revision, expected_revision(call.request));
    return parts_.registry.remove_place(call.name, revision);
  }();
  audit(call, "site.remove", call.name, removed);
  if (!removed) return call.reply(removed.error());
  call.reply("", 204);
}

}  // namespace tidegate::api
