#include "runner/script.h"

#include <sstream>

#include "io/file.h"

namespace tidegate::streams {

std::string Block::text() const {
  std::string all;
  for (const std::string& each : body) all += each + "\n";
  return all;
}

Result<Script> Script::read(const std::filesystem::path& path) {
  TRY_ASSIGN(const std::string content, io::read_file(path));
  Script script;
  script.path_ = path;
  std::istringstream in(content);
  for (std::string line; std::getline(in, line);) script.lines_.push_back(line);
  script.split();
  return script;
}

void Script::split() {
  for (size_t at = 0; at < lines_.size();) {
    if (lines_[at].empty() || lines_[at].starts_with('#')) {
      ++at;
      continue;
    }
    Block block;
    block.line = at + 1;
    std::istringstream words(lines_[at]);
    words >> block.verb;
    for (std::string word; words >> word;) block.words.push_back(word);
    block.body_line = ++at + 1;
    for (; at < lines_.size() && !lines_[at].empty(); ++at) block.body.push_back(lines_[at]);
    blocks_.push_back(std::move(block));
  }
}

void Script::replace_body(const Block& block, std::vector<std::string> body) {
  replaced_[block.body_line] = {block.body.size(), std::move(body)};
}

Result<> Script::write_back() const {
  if (replaced_.empty()) return {};
  std::string content;
  size_t at = 0;
  for (const auto& [body_line, change] : replaced_) {
    for (; at + 1 < body_line && at < lines_.size(); ++at) content += lines_[at] + "\n";
    for (const std::string& line : change.second) content += line + "\n";
    at += change.first;
  }
  for (; at < lines_.size(); ++at) content += lines_[at] + "\n";
  return io::write_file_atomic(path_, content, io::FilePrivacy::kPublic);
}

}  // namespace tidegate::streams
