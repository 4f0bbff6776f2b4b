// A disk in memory that does to a program what real ones do: it forgets what was not synced when the power goes, tears
// writes, fails, and fills up. All by a seed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/random.h"

namespace tidegate::simulation {

enum class Outcome : uint8_t { kOk, kMissing, kExists, kFull, kFailed, kOff };

// What the program sees (the page cache) and what would survive a power cut.
struct File {
  struct Change {
    uint64_t offset = 0;
    std::string data;
    bool truncates = false;  // to `offset`
    bool lost = false;       // a sync failed after it: later syncs say nothing about it (as Linux does)
  };
  std::string name;  // at its creation, for the trace
  std::string seen;
  std::string durable;
  std::vector<Change> pending;  // in order, not synced
};
using FilePtr = std::shared_ptr<File>;  // shared by its names and whoever has it open

// One thread. Rules, as journaling file systems keep them: a sync makes a file's content durable; its name is durable
// once its folder was synced. Without, a power cut keeps any part of the changed sectors, and of a folder's changes any
// number of the oldest. Renaming is atomic. Folders themselves are durable at once.
class Disk {
 public:
  explicit Disk(uint64_t seed) : random_(seed) {}

  [[nodiscard]] FilePtr find(const std::string& path) const;
  [[nodiscard]] bool is_folder(const std::string& path) const { return folders_.contains(path); }
  [[nodiscard]] std::vector<std::string> children(const std::string& folder) const;

  [[nodiscard]] Outcome create(const std::string& path, FilePtr& made);
  [[nodiscard]] Outcome write(File& file, uint64_t offset, std::string_view data);
  [[nodiscard]] Outcome truncate(File& file, uint64_t size);
  [[nodiscard]] Outcome sync(File& file);
  [[nodiscard]] Outcome sync_folder(const std::string& folder);
  [[nodiscard]] Outcome rename(const std::string& from, const std::string& to);
  [[nodiscard]] Outcome link(const std::string& from, const std::string& to);
  [[nodiscard]] Outcome remove(const std::string& path);
  [[nodiscard]] Outcome make_folder(const std::string& path);
  [[nodiscard]] Outcome remove_folder(const std::string& path);

  // Faults, all in numbers of operations that change something from now on.
  void stop_after(uint64_t operations) { stop_at_ = operations_ + operations; }
  void fail_sync_after(uint64_t syncs) { failing_sync_ = syncs_ + 1 + syncs; }
  void fail_write_after(uint64_t writes) { failing_write_ = writes_ + 1 + writes; }
  // No more than this many bytes can be added; nothing: as many as one likes.
  void set_room(std::optional<uint64_t> bytes) { room_ = bytes; }
  void forget_faults();
  // What a bad disk does behind everybody's back, to content that was durable: one byte changed, or the end cut off.
  void change_byte(File& file, uint64_t at);
  void cut_end(File& file, uint64_t size);
  // Every file there is, in order.
  [[nodiscard]] std::vector<std::string> files() const;

  // The program is gone (killed or without power): nothing it still does has an effect.
  [[nodiscard]] bool off() const { return off_; }
  void turn_off() { off_ = true; }
  // The next life begins. With `power_cut` what was not synced is lost as the rules allow.
  void turn_on(bool power_cut);

  // The same for the same seed and program: a hash of every operation so far, with its outcome.
  [[nodiscard]] uint64_t trace() const { return trace_; }
  [[nodiscard]] uint64_t operations() const { return operations_; }
  [[nodiscard]] uint64_t syncs() const { return syncs_; }

 private:
  struct NameChange {
    std::vector<std::string> gone;
    std::string added;  // empty: none
    FilePtr file;
  };
  using Names = std::map<std::string, FilePtr>;

  // Counts an operation; what it must come to instead of being done, if anything.
  [[nodiscard]] std::optional<Outcome> begin(char kind, const std::string& name, uint64_t size);
  [[nodiscard]] Outcome end(Outcome outcome);
  void put(File& file, uint64_t offset, std::string_view data);
  void note(const std::string& folder, NameChange change);
  static void apply(Names& names, const NameChange& change);
  void cut_names();
  void cut_content(File& file);

  io::SeededRandom random_;
  Names names_;
  Names durable_names_;
  std::map<std::string, std::vector<NameChange>> pending_names_;  // by folder, in order
  std::set<std::string> folders_{"/"};
  bool off_ = false;
  std::optional<uint64_t> room_;
  uint64_t operations_ = 0;
  uint64_t syncs_ = 0;
  uint64_t writes_ = 0;
  uint64_t stop_at_ = UINT64_MAX;
  uint64_t failing_sync_ = 0;
  uint64_t failing_write_ = 0;
  uint64_t trace_ = 0xcbf29ce484222325U;
};

}  // namespace tidegate::simulation
