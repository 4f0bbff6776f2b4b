// Devices and sites over the API: what the words of the command line ask for, and what they print.
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/internal/connection.h"

namespace tidegate::cli {

// What is said of a device; what is left out stays as it is.
struct DeviceValues {
  std::optional<std::string> type;
  std::optional<std::string> place;
  std::optional<std::string> interval;  // "30s", "15m"; "none"
  std::optional<std::string> description;
  std::vector<std::string> labels;  // "name=value"; "name-" takes one away
};
struct DeviceChoice {
  std::string type;
  std::string site;
  std::string name;  // with * and ?
  std::vector<std::string> labels;
};
struct NewDevice {
  std::string name;
  DeviceValues values;
  std::string certificate_fingerprint;  // hex; empty: none
  std::string certificate_file;         // PEM, in place of the fingerprint
  bool token = true;
};

[[nodiscard]] Result<> add_device(const ClientOptions& options, const NewDevice& device);
[[nodiscard]] Result<> change_device(const ClientOptions& options, const std::string& name, const DeviceValues& values,
                                     const std::string& revision);
[[nodiscard]] Result<> move_device(const ClientOptions& options, const std::string& name, const std::string& place);
[[nodiscard]] Result<> list_devices(const ClientOptions& options, const DeviceChoice& choice);
// The document, whether it is online, and its last values.
[[nodiscard]] Result<> show_device(const ClientOptions& options, const std::string& name);
[[nodiscard]] Result<> renew_token(const ClientOptions& options, const std::string& name);

struct DeviceImport {
  std::string file;    // CSV
  std::string tokens;  // a new file for their tokens (0600); empty: they get none
  bool dry_run = false;
  bool skip_existing = false;
};
// All devices of the file, or none; the lines that are wrong are on standard error.
[[nodiscard]] Result<> import_devices(const ClientOptions& options, const DeviceImport& import);

// "30s", "line=3,vendor=acme"; "-" where there is none.
[[nodiscard]] std::string interval_text(const boost::json::value& device);
[[nodiscard]] std::string labels_text(const boost::json::value& device);

struct SiteValues {
  std::optional<std::string> time_zone;
  std::optional<std::string> description;
};
[[nodiscard]] Result<> list_sites(const ClientOptions& options);
[[nodiscard]] Result<> show_site(const ClientOptions& options, const std::string& path);
[[nodiscard]] Result<> add_site(const ClientOptions& options, const std::string& path, const SiteValues& values);
[[nodiscard]] Result<> change_site(const ClientOptions& options, const std::string& path, const SiteValues& values);
[[nodiscard]] Result<> delete_site(const ClientOptions& options, const std::string& path);

}  // namespace tidegate::cli
