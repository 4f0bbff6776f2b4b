// The site tree of the stored registry.
#include <fmt/format.h>

#include <algorithm>

#include "io/time_zone.h"
#include "registry/internal/document.h"
#include "registry/internal/stored_keys.h"
#include "registry/internal/stored_registry.h"

namespace tidegate::registry {
namespace {

std::string place_key(std::string_view path) { return fmt::format("{}{}", kPlacePrefix, path); }

std::unexpected<Error> no_such_place(std::string_view path) {
  return fail(ErrorCode::NotFound, fmt::format("there is no place '{}'", path),
              "`tidegate site list` shows what there is");
}

Result<> check_zone(const Place& place) {
  const bool is_site = place_depth(place.path) == 1;
  if (!is_site && place.time_zone.empty()) return {};
  if (!is_site) {
    return fail(ErrorCode::BadRequest,
                fmt::format("'{}' has the time zone of its site, not one of its own", place.path),
                "leave the time zone out");
  }
  if (io::find_time_zone(place.time_zone) != nullptr) return {};
  return fail(ErrorCode::BadRequest,
              place.time_zone.empty() ? fmt::format("the site '{}' has no time zone", place.path)
                                      : fmt::format("'{}' is no time zone that this machine knows", place.time_zone),
              "use an IANA name: Europe/Berlin, America/New_York, UTC");
}

std::string_view first_segment(std::string_view path) { return path.substr(0, path.find('/')); }

}  // namespace

PlacePtr StoredRegistry::find_place(std::string_view path) const {
  const auto documents = documents_.lock();
  const auto found = documents->places.find(path);
  return found == documents->places.end() ? nullptr : found->second;
}

std::vector<PlacePtr> StoredRegistry::places() const {
  const auto documents = documents_.lock();
  std::vector<PlacePtr> all;
  all.reserve(documents->places.size());
  for (const auto& [path, place] : documents->places) all.push_back(place);
  return all;
}

std::string StoredRegistry::time_zone_of(std::string_view place) const {
  const PlacePtr site = find_place(first_segment(place));
  return site == nullptr ? "UTC" : site->time_zone;
}

std::string StoredRegistry::site_time_zone() const {
  std::string zone;
  for (const PlacePtr& place : places()) {
    if (place_depth(place->path) != 1) continue;
    if (!zone.empty() && zone != place->time_zone) return {};
    zone = place->time_zone;
  }
  return zone;
}

Result<PlacePtr> StoredRegistry::add_place(Place place) {
  const auto one_at_a_time = changing_.lock();
  TRY(check_place(place));
  TRY(check_zone(place));
  if (find_place(place.path) != nullptr) {
    return fail(ErrorCode::AlreadyExists,
                fmt::format("the {} '{}' exists already", place_kind(place.path), place.path));
  }
  const std::string_view parent = place_parent(place.path);
  if (!parent.empty() && find_place(parent) == nullptr) {
    return fail(ErrorCode::NotFound, fmt::format("there is no {} '{}' to put it into", place_kind(parent), parent),
                fmt::format("make it first: tidegate site add {}", parent));
  }
  place.created_us = place.changed_us = clock_.now_us();
  place.revision = 1;
  store::WriteBatch batch;
  put(batch, place_key(place.path), encode(place));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  auto made = std::make_shared<const Place>(std::move(place));
  documents_.lock()->places[made->path] = made;
  return made;
}

Result<PlacePtr> StoredRegistry::change_place(std::string_view path, Expected revision, const PlaceChange& change) {
  const auto one_at_a_time = changing_.lock();
  const PlacePtr present = find_place(path);
  if (present == nullptr) return no_such_place(path);
  TRY(check_revision(place_kind(path), present->revision, revision));
  Place changed = *present;
  TRY(change(changed));
  changed.path = present->path;
  changed.created_us = present->created_us;
  changed.changed_us = clock_.now_us();
  changed.revision = present->revision + 1;
  TRY(check_place(changed));
  TRY(check_zone(changed));
  store::WriteBatch batch;
  put(batch, place_key(changed.path), encode(changed));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  auto made = std::make_shared<const Place>(std::move(changed));
  documents_.lock()->places[made->path] = made;
  return made;
}

Result<> StoredRegistry::remove_place(std::string_view path, Expected revision) {
  const auto one_at_a_time = changing_.lock();
  const PlacePtr present = find_place(path);
  if (present == nullptr) return no_such_place(path);
  TRY(check_revision(place_kind(path), present->revision, revision));
  {
    auto documents = documents_.lock();
    const auto in_it = [&](const auto& entry) { return entry.first != path && is_at_or_below(entry.first, path); };
    if (const auto below = std::ranges::find_if(documents->places, in_it); below != documents->places.end()) {
      return fail(ErrorCode::InUse,
                  fmt::format("'{}' still has the {} '{}'", path, place_kind(below->first), below->first),
                  "delete what is in it first");
    }
    const auto stands_there = [&](const auto& entry) { return entry.second->place == path; };
    if (const auto device = std::ranges::find_if(documents->devices, stands_there);
        device != documents->devices.end()) {
      return fail(ErrorCode::InUse, fmt::format("the device '{}' still stands at '{}'", device->first, path),
                  "move its devices first: `tidegate device list --site` lists them, `tidegate device move` moves one");
    }
  }
  store::WriteBatch batch;
  batch.erase(store::Family::kCatalog, place_key(path));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  documents_.lock()->places.erase(present->path);
  return {};
}

}  // namespace tidegate::registry
