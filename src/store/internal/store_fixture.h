// What the store's tests share: folders, and copies of a store as a killed process leaves them.
#pragma once

#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "store/store.h"
// After base/check.h, whose CHECK it takes the place of.
#undef CHECK
#include <doctest/doctest.h>

namespace tidegate::store {

struct Folder {
  // Of this process alone: tests of several working trees run beside each other, and one that was killed may have left
  // its folder, or a small disk mounted there.
  explicit Folder(const std::string& name)
      : path(std::filesystem::temp_directory_path() / ("tidegate_store_" + std::to_string(::getpid()) + "_" + name)) {
    std::filesystem::remove_all(path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  // What is on the disk now, into `target`: as if the process that has it open were killed at this moment.
  void copy_as_killed(const Folder& target) const {
    std::filesystem::remove_all(target.path);
    std::filesystem::copy(path, target.path, std::filesystem::copy_options::recursive);
  }
  // Files of the database with this ending, in order; the empty write-ahead logs left out.
  [[nodiscard]] std::vector<std::filesystem::path> files(std::string_view ending) const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(path / "db")) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(ending) && entry.file_size() > 0) found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
  }

  const std::filesystem::path path;
};

inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void overwrite(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

inline void flip_byte(const std::filesystem::path& file, size_t at) {
  std::string content = content_of(file);
  REQUIRE(at < content.size());
  content[at] = static_cast<char>(content[at] ^ 0x40);
  overwrite(file, content);
}

// One synced write: `key` in two families, the value of `bytes` bytes.
inline void put_one(Store& store, const std::string& key, size_t bytes = 500) {
  WriteBatch batch;
  batch.put(Family::kLog, key, std::string(bytes, 'v'));
  batch.put(Family::kState, key, key);
  CHECK(store.write(std::move(batch), Durability::kSynced));
}

inline std::string key_of(int number) {
  std::string digits = std::to_string(number);
  return std::string(6 - digits.size(), '0') + digits;
}

// How many of key_of(0), key_of(1), ... are there in both families; checks that none is there in one only.
inline int whole_prefix(Store& store, int total) {
  int found = 0;
  bool ended = false;
  for (int at = 0; at < total; ++at) {
    const bool in_log = store.get(Family::kLog, key_of(at)).value().has_value();
    const bool in_state = store.get(Family::kState, key_of(at)).value().has_value();
    CHECK(in_log == in_state);
    CHECK_FALSE((ended && in_log));
    ended = ended || !in_log;
    found += in_log ? 1 : 0;
  }
  return found;
}

}  // namespace tidegate::store
