// A golden file: blocks of a command line and a body, separated by blank lines. README.md in tests/streams lists them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace tidegate::streams {

struct Block {
  std::string verb;                // the first word: push
  std::vector<std::string> words;  // the others
  std::vector<std::string> body;
  size_t line = 0;       // of the command, from 1
  size_t body_line = 0;  // of the first body line, or where it would be

  [[nodiscard]] std::string text() const;  // the body's lines, each ended by a line feed
};

class Script {
 public:
  [[nodiscard]] static Result<Script> read(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const std::vector<Block>& blocks() const { return blocks_; }
  // For --update: the block's body when the file is written again.
  void replace_body(const Block& block, std::vector<std::string> body);
  // Writes the file if a body was replaced.
  [[nodiscard]] Result<> write_back() const;

 private:
  void split();

  std::filesystem::path path_;
  std::vector<std::string> lines_;
  std::vector<Block> blocks_;
  std::map<size_t, std::pair<size_t, std::vector<std::string>>> replaced_;  // by body line: old length, new body
};

}  // namespace tidegate::streams
