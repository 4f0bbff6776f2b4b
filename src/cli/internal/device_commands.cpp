#include "cli/internal/device_commands.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/internal/client_command.h"
#include "cli/internal/commands.h"
#include "cli/internal/registry_calls.h"

namespace tidegate::cli {
namespace {

// What the words fill in. Shared by the callbacks of one group of words.
struct DeviceWords {
  NewDevice device;
  DeviceChoice choice;
  std::string name;
  std::string place;
  std::string revision;
  DeviceImport import;
};

void add_values(CLI::App* word, DeviceValues& values) {
  word->add_option("--type", values.type, "what it is: 'flow meter'");
  word->add_option("--place", values.place, "where it stands: north/pumping/pump-3");
  word->add_option("--label", values.labels, "name=value; name- takes it away. May be repeated")
      ->allow_extra_args(false);
  word->add_option("--interval", values.interval, "the longest time between two reports: 30s, 15m, none");
  word->add_option("--description", values.description);
}

void add_credentials(CLI::App* group, const ClientOptions& client, Command& command,
                     const std::shared_ptr<DeviceWords>& words) {
  CLI::App* add = group->add_subcommand("add", "Register a device; prints its token once");
  add->add_option("name", words->device.name)->required();
  add_values(add, words->device.values);
  add->add_option("--certificate-fingerprint", words->device.certificate_fingerprint,
                  "SHA-256 of its client certificate, hex");
  add->add_option("--certificate", words->device.certificate_file,
                  "its client certificate (PEM file), in place of the fingerprint");
  add->add_flag("!--no-token", words->device.token, "no credentials: a gateway sends for it");
  on_use(add, command, [&client, words] { return add_device(client, words->device); });
  CLI::App* token = group->add_subcommand("token", "Give a device a new token; the old one ends");
  token->add_option("name", words->name)->required();
  on_use(token, command, [&client, words] { return renew_token(client, words->name); });
}

void add_import(CLI::App* group, const ClientOptions& client, Command& command,
                const std::shared_ptr<DeviceWords>& words) {
  CLI::App* import = group->add_subcommand("import", "Register the devices of a CSV file, all or none");
  import->add_option("file", words->import.file, "columns name,type,place,interval,description,label.NAME")->required();
  import->add_flag("--dry-run", words->import.dry_run, "check the file, change nothing");
  import->add_flag("--skip-existing", words->import.skip_existing, "pass over devices that exist");
  import->add_option("--tokens", words->import.tokens, "give each a token, written to this new file (mode 0600)");
  on_use(import, command, [&client, words] { return import_devices(client, words->import); });
}

void add_changes(CLI::App* group, const ClientOptions& client, Command& command,
                 const std::shared_ptr<DeviceWords>& words) {
  CLI::App* set = group->add_subcommand("set", "Change what is known of a device");
  set->add_option("name", words->name)->required();
  add_values(set, words->device.values);
  set->add_option("--revision", words->revision, "only if the device is still at this revision");
  on_use(set, command,
         [&client, words] { return change_device(client, words->name, words->device.values, words->revision); });
  CLI::App* move = group->add_subcommand("move", "Put a device to another place; its history stays with it");
  move->add_option("name", words->name)->required();
  move->add_option("place", words->place, "north/pumping; '' for nowhere")->required();
  on_use(move, command, [&client, words] { return move_device(client, words->name, words->place); });
  CLI::App* remove = group->add_subcommand("delete", "Delete a device; its records stay");
  remove->add_option("name", words->name)->required();
  on_use(remove, command, [&client, words] { return delete_resource(client, Resource::kDevice, words->name); });
}

}  // namespace

void add_device_commands(CLI::App& app, const ClientOptions& client, Command& command) {
  const auto words = std::make_shared<DeviceWords>();
  CLI::App* group = app.add_subcommand("device", "Devices: what they are, where they stand, how they get in");
  group->require_subcommand(1);
  add_credentials(group, client, command, words);
  CLI::App* list = group->add_subcommand("list", "Devices, all or some");
  list->add_option("--type", words->choice.type);
  list->add_option("--site", words->choice.site, "a site, or an area or asset in it: all that stands there or below");
  list->add_option("--label", words->choice.labels, "name=value, or name with any value. May be repeated")
      ->allow_extra_args(false);
  list->add_option("--name", words->choice.name, "a pattern: 'pump-*'");
  on_use(list, command, [&client, words] { return list_devices(client, words->choice); });
  CLI::App* get = group->add_subcommand("get", "One device in full");
  get->add_option("name", words->name)->required();
  on_use(get, command, [&client, words] { return show_device(client, words->name); });
  add_changes(group, client, command, words);
  add_import(group, client, command, words);
  add_twin_commands(*group, client, command);
}

void add_site_commands(CLI::App& app, const ClientOptions& client, Command& command) {
  struct SiteWords {
    std::string path;
    SiteValues values;
  };
  const auto words = std::make_shared<SiteWords>();
  CLI::App* group = app.add_subcommand("site", "The site tree: sites, areas in them, assets in those");
  group->require_subcommand(1);
  on_use(group->add_subcommand("list", "The whole tree"), command, [&client] { return list_sites(client); });
  const auto one = [&](const char* word, const char* description) {
    CLI::App* made = group->add_subcommand(word, description);
    made->add_option("path", words->path, "north, north/pumping, north/pumping/pump-3")->required();
    return made;
  };
  CLI::App* add = one("add", "A site (with its time zone), or an area or asset in one");
  CLI::App* set = one("set", "Change a site's time zone or what is said of it");
  for (CLI::App* word : {add, set}) {
    word->add_option("--time-zone", words->values.time_zone, "IANA name, of sites only: Europe/Berlin");
    word->add_option("--description", words->values.description);
  }
  on_use(add, command, [&client, words] { return add_site(client, words->path, words->values); });
  on_use(set, command, [&client, words] { return change_site(client, words->path, words->values); });
  on_use(one("get", "One place in full"), command, [&client, words] { return show_site(client, words->path); });
  on_use(one("delete", "Delete an empty place"), command,
         [&client, words] { return delete_site(client, words->path); });
}

}  // namespace tidegate::cli
