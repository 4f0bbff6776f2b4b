// Plays one golden file against a platform of its own.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runner/platform.h"
#include "runner/script.h"

namespace tidegate::streams {

class Player {
 public:
  // `folder` is empty and the player's own. `update`: expectations are written, not compared.
  Player(Script& script, std::filesystem::path folder, const Settings& settings, bool update)
      : script_(script), folder_(std::move(folder)), settings_(settings), update_(update) {}

  // What is wrong, ready to print; empty if the file holds.
  [[nodiscard]] std::string play();

 private:
  using Handler = Result<> (Player::*)(const Block&);
  [[nodiscard]] static const std::map<std::string, Handler, std::less<>>& handlers();

  Result<> create(const Block& block);
  Result<> query(const Block& block);
  Result<> push(const Block& block);
  Result<> move_clock(const Block& block);
  Result<> expect(const Block& block);
  Result<> expect_late(const Block& block);
  Result<> expect_dead(const Block& block);
  Result<> expect_same(const Block& block);
  Result<> expect_error(const Block& block);
  Result<> expect_plan(const Block& block);
  Result<> expect_rows(const Block& block);
  Result<> restart(const Block& block);
  Result<> write_file(const Block& block);
  Result<> reload(const Block& block);
  Result<> put_devices(const Block& block);
  Result<> put_site(const Block& block);

  Result<> reopen(bool crash);
  Result<> compare_stream(const Block& block, const std::string& stream, bool ordered, bool some_columns);
  Result<std::vector<std::string>> new_rows(const std::string& stream, const std::vector<std::string>& names);
  Result<> compare(const Block& block, std::vector<std::string> expected, std::vector<std::string> actual,
                   bool ordered);

  Script& script_;
  const std::filesystem::path folder_;
  const Settings settings_;
  const bool update_;
  int life_ = 0;  // restarts so far
  std::unique_ptr<Platform> platform_;
  std::map<std::string, Offset> seen_;  // by stream: what was already expected
  std::string problems_;
};

}  // namespace tidegate::streams
