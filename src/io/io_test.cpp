#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "io/clock.h"
#include "io/file.h"
#include "io/process.h"
#include "io/random.h"
#include "io/thread.h"

namespace tidegate::io {
namespace {

std::filesystem::path fresh_folder() {
  SystemRandom random;
  const auto path = std::filesystem::temp_directory_path() / ("tidegate-io-" + std::to_string(random.next_u64()));
  std::filesystem::create_directories(path);
  return path;
}

}  // namespace

TEST_CASE("the manual clock moves only when told, and its wall clock may jump back alone") {
  ManualClock clock(1000);
  clock.advance_us(500);
  CHECK(clock.now_us() == 1500);
  clock.set_wall_us(10);
  CHECK(clock.now_us() == 10);
  CHECK(clock.monotonic_us() == 500);
}

TEST_CASE("a seeded generator repeats itself and stays within its bounds") {
  SeededRandom one(7);
  SeededRandom two(7);
  SeededRandom other(8);
  CHECK(one.bytes(100) == two.bytes(100));
  CHECK(one.next_u64() != other.next_u64());
  for (int round = 0; round < 1000; ++round) {
    CHECK(one.below(3) < 3);
    const double unit = one.unit();
    CHECK((unit >= 0.0 && unit < 1.0));
  }
}

TEST_CASE("a file is replaced as a whole and with the privacy asked for") {
  const auto folder = fresh_folder();
  REQUIRE(write_file_atomic(folder / "key", "one", FilePrivacy::kOwnerOnly));
  REQUIRE(write_file_atomic(folder / "key", "two", FilePrivacy::kOwnerOnly));
  CHECK(read_file(folder / "key") == "two");
  CHECK((std::filesystem::status(folder / "key").permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK_FALSE(std::filesystem::exists(folder / "key.new"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("a file that cannot be read or written is named with the reason") {
  const auto missing = read_file("/nonexistent/file");
  REQUIRE(!missing);
  CHECK(missing.error().message == "cannot read /nonexistent/file: No such file or directory");
  const auto refused = write_file_atomic("/proc/nowhere/file", "x", FilePrivacy::kPublic);
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::DataFolderUnusable);
}

TEST_CASE("private folders are made with their parents") {
  const auto folder = fresh_folder();
  REQUIRE(create_private_folder(folder / "a" / "b"));
  REQUIRE(create_private_folder(folder / "a" / "b"));
  CHECK((std::filesystem::status(folder / "a").permissions() & std::filesystem::perms::mask) ==
        std::filesystem::perms::owner_all);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a file lock is held once and released with its owner") {
  const auto folder = fresh_folder();
  auto first = FileLock::try_acquire(folder / "lock");
  REQUIRE((first && first->has_value()));
  auto second = FileLock::try_acquire(folder / "lock");
  REQUIRE(second);
  CHECK_FALSE(second->has_value());
  first->reset();
  CHECK(FileLock::try_acquire(folder / "lock")->has_value());
  std::filesystem::remove_all(folder);
}

TEST_CASE("a thread has its name, and gives way alone") {
  char name[16] = {};
  int niceness = 0;
  std::thread([&] {
    name_this_thread("tg-a-very-long-name");
    lower_this_thread_priority();
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    niceness = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
  }).join();
  CHECK(std::string(name) == "tg-a-very-long-");
  CHECK(niceness == 15);
  CHECK(::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())) != 15);
}

TEST_CASE("a process takes all the open files that it may have") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{64, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  CHECK(raise_open_files() == before.rlim_max);
  rlimit now{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &now) == 0);
  CHECK(now.rlim_cur == before.rlim_max);
  CHECK(raise_open_files() == before.rlim_max);
}

}  // namespace tidegate::io
