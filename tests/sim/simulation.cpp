#include "simulation.h"

#include <fmt/format.h>

#include <cstdio>

#include "ledger.h"

namespace tidegate::simulation {

namespace {

constexpr uint64_t kLives = 8;
constexpr uint64_t kStepsOfALife = 30;
constexpr size_t kJobsAtOnce = 200;  // the store tries a compaction that finds the disk full again and again
constexpr int64_t kDevices = 5;
constexpr uint64_t kDamagedOneIn = 4;  // seeds that end with damage to what was durable

class Simulation {
 public:
  Simulation(uint64_t seed, bool story)
      : seed_(seed), story_(story), random_(seed), machine_(seed + 1), table_luck_(seed + 2) {}

  Report run() {
    change_rates();
    options_.rates = &rates_;
    for (report_.lives = 1; report_.lives <= kLives && report_.wrong.empty(); ++report_.lives) live();
    if (report_.wrong.empty()) {
      if (ends_damaged() && started_) {
        finish_damaged();
      } else {
        finish();
      }
    }
    life_.reset();
    report_.trace = machine_.disk.trace();
    report_.operations = machine_.disk.operations();
    report_.records = ledger_.records();
    return report_;
  }

 private:
  template <class... Arguments>
  void tell(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    if (!story_) return;
    fmt::print("{:>6}  {}\n", machine_.disk.operations(), fmt::format(text, std::forward<Arguments>(arguments)...));
    std::fflush(stdout);
  }
  [[nodiscard]] bool ends_damaged() const { return seed_ % kDamagedOneIn == 0; }
  [[nodiscard]] bool chance(uint64_t one_in) { return random_.below(one_in) == 0; }
  void wrong(std::string what) {
    if (report_.wrong.empty() && !what.empty()) report_.wrong = std::move(what);
  }

  void change_rates();
  void live();
  void arm();
  [[nodiscard]] bool start();
  void step();
  void append();
  [[nodiscard]] Life::Parcel make_parcel(const std::string& stream, int64_t count);
  void send(std::vector<Life::Parcel> parcels);
  void check();
  void end();
  void finish();
  void finish_damaged();
  void damage_a_file();
  void last_records();

  const uint64_t seed_;
  const bool story_;
  io::SeededRandom random_;
  Machine machine_;
  Ledger ledger_;
  Report report_;
  Rates rates_;
  io::SeededRandom table_luck_;  // of its own, so that the table changes nothing about what else happens
  LifeOptions options_;
  std::unique_ptr<Life> life_;
  int64_t next_id_ = 1;
  bool full_ = false;
  bool started_ = false;  // in the life at hand
};

// Another version of the lookup table; some devices may be missing in it.
void Simulation::change_rates() {
  std::vector<std::string> devices;
  for (int64_t device = 0; device < kDevices; ++device) {
    if (table_luck_.below(6) != 0) devices.push_back(fmt::format("meter-{}", device));
  }
  rates_.change(devices);
}

// What will go wrong in this life, if anything.
void Simulation::arm() {
  Disk& disk = machine_.disk;
  if (!chance(4)) {
    const uint64_t after = 1 + random_.below(chance(2) ? 60 : 700);
    disk.stop_after(after);
    tell("the power will go in {} operations", after);
  }
  if (chance(4)) {
    const uint64_t after = random_.below(60);
    disk.fail_sync_after(after);
    ++report_.faults;
    tell("a sync will fail after {}", after);
  }
  if (chance(5)) {
    const uint64_t after = random_.below(150);
    disk.fail_write_after(after);
    ++report_.faults;
    tell("a write will fail after {}", after);
  }
}

// With faults about, a start may fail; without, never.
bool Simulation::start() {
  options_.memtable_bytes = (16U << 10) << random_.below(4);
  options_.tail_bytes = chance(2) ? 32U << 20 : random_.below(20'000);
  options_.max_epoch_rows = 1 + random_.below(60);
  options_.max_batch_rows = 1 + random_.below(30);
  options_.spills = chance(2);
  for (int attempt = 0; life_ == nullptr; ++attempt) {
    Result<std::unique_ptr<Life>> begun = Life::begin(machine_, random_.next_u64(), options_);
    if (begun) {
      life_ = std::move(*begun);
      break;
    }
    tell("does not start: {}", begun.error().to_string());
    if (machine_.disk.off()) return false;
    if (attempt > 0) {
      wrong("does not start: " + begun.error().to_string());
      return false;
    }
    machine_.disk.forget_faults();
    full_ = false;
  }
  return !machine_.disk.off();
}

void Simulation::live() {
  tell("life {}", report_.lives);
  arm();
  started_ = start();
  if (started_) {
    check();
    for (uint64_t at = 0; at < kStepsOfALife && !machine_.disk.off() && report_.wrong.empty(); ++at) step();
  }
  end();
}

void Simulation::step() {
  machine_.jobs.run_some();
  if (table_luck_.below(6) == 0) change_rates();
  const uint64_t what = random_.below(20);
  if (what < 9) {
    append();
  } else if (what < 14) {
    const Result<> ran = life_->run();
    if (!ran) tell("engine: {}", ran.error().to_string());
  } else if (what < 16) {
    machine_.clock.advance_us(static_cast<int64_t>(1 + random_.below(chance(4) ? 60 : 6)) * kMicrosPerSecond);
  } else if (what == 16) {
    const Result<> maintained = life_->maintain();
    if (!maintained) tell("maintenance: {}", maintained.error().to_string());
  } else if (what == 17) {
    if (full_ || chance(3)) {
      full_ = !full_;
      const uint64_t room = random_.below(20'000);
      machine_.disk.set_room(full_ ? std::optional(room) : std::nullopt);
      report_.faults += full_ ? 1 : 0;
      tell("room for {}", full_ ? std::to_string(room) : "everything");
    }
  } else if (what == 18) {
    for (size_t left = kJobsAtOnce; left > 0 && machine_.jobs.run_one(); --left) {
    }
  } else {
    check();
  }
}

void Simulation::append() {
  std::vector<Life::Parcel> parcels;
  for (uint64_t left = chance(5) ? 1 + random_.below(4) : 1; left > 0; --left) {
    const auto count = 1 + static_cast<int64_t>(random_.below(chance(5) ? 40 : 5));
    parcels.push_back(make_parcel(chance(4) ? "fleeting" : "readings", count));
  }
  send(std::move(parcels));
}

Life::Parcel Simulation::make_parcel(const std::string& stream, int64_t count) {
  Life::Parcel parcel{stream, {}};
  for (int64_t at = 0; at < count; ++at) {
    const int64_t id = next_id_++;
    const std::string device = fmt::format("meter-{}", random_.below(kDevices));
    const int64_t late_ms = static_cast<int64_t>(random_.below(chance(6) ? 60'000 : 4000));
    const int64_t time_ms = machine_.clock.now_us() / kMicrosPerMilli - late_ms;
    const auto n = static_cast<int64_t>(random_.below(100));
    const std::string note(random_.below(chance(15) ? 9000 : 40), 'x');  // some go to blob files
    std::vector<std::string> values{device, std::to_string(id), note};
    if (stream == "readings") {
      parcel.lines += fmt::format("{{\"device\":\"{}\",\"ts\":{},\"id\":{},\"n\":{},\"note\":\"{}\"}}\n", device,
                                  time_ms, id, n, note);
      values = {device, std::to_string(time_ms * kMicrosPerMilli), std::to_string(id), std::to_string(n), note};
    } else {
      parcel.lines += fmt::format("{{\"device\":\"{}\",\"id\":{},\"note\":\"{}\"}}\n", device, id, note);
    }
    ledger_.sent(id, {stream, std::move(values), false, 0});
    parcel.ids.push_back(id);
  }
  return parcel;
}

void Simulation::send(std::vector<Life::Parcel> parcels) {
  life_->append(parcels);
  for (const Life::Parcel& parcel : parcels) {
    const Result<>& outcome = parcel.outcome;
    tell("{} to {} from {}: {}", parcel.ids.size(), parcel.stream, parcel.ids.front(),
         outcome ? "ok" : outcome.error().to_string());
    if (!outcome && outcome.error().code == ErrorCode::Bug) wrong(outcome.error().message);
    if (!outcome || machine_.disk.off()) continue;  // off: nobody hears it any more
    for (const int64_t id : parcel.ids) ledger_.acknowledged(id, machine_.clock.now_us());
  }
}

void Simulation::check() {
  const std::string found = ledger_.check(*life_, machine_.clock.now_us());
  if (!machine_.disk.off()) wrong(found);
}

void Simulation::end() {
  // After a power cut the store's mark may be old, and a log that became shorter can look torn: the one loss that
  // nobody could tell. So damage follows a kill.
  const bool before_damage = ends_damaged() && report_.lives == kLives;
  const bool cut = (machine_.disk.off() ? !chance(3) : chance(3)) && !before_damage;
  const bool clean = !machine_.disk.off() && !cut && chance(2);
  tell("{}", clean ? "a clean stop" : cut ? "the power goes" : "it is killed");
  if (!clean) machine_.disk.turn_off();
  life_.reset();
  while (machine_.jobs.run_one()) {
  }
  report_.power_cuts += cut ? 1 : 0;
  machine_.disk.turn_on(cut);
  full_ = false;
  machine_.clock.advance_us(static_cast<int64_t>(random_.below(20)) * kMicrosPerSecond);
}

// No more trouble: everything must come out right.
void Simulation::finish() {
  tell("the end");
  machine_.disk.forget_faults();
  if (!start()) return wrong("does not start at the end");
  check();
  last_records();
  if (const Result<> ran = life_->run(); !ran) return wrong("the engine does not finish: " + ran.error().to_string());
  check();
  wrong(ledger_.check_results(*life_, machine_.clock.now_us() + 30 * kMicrosPerSecond));
}

// The disk changes what was durable while nobody looks. The program may refuse to start if it says why, or start with
// less if it says so.
void Simulation::finish_damaged() {
  damage_a_file();
  Result<std::unique_ptr<Life>> begun = Life::begin(machine_, random_.next_u64(), options_);
  if (!begun) {
    tell("does not start: {}", begun.error().to_string());
    if (begun.error().code == ErrorCode::Bug) wrong("damage was taken for a bug: " + begun.error().to_string());
    return;
  }
  life_ = std::move(*begun);
  wrong(ledger_.check_after_damage(*life_));
}

void Simulation::damage_a_file() {
  std::vector<std::string> files = machine_.disk.files();
  const bool in_log = !chance(3);
  std::erase_if(files, [&](const std::string& path) {
    return machine_.disk.find(path)->seen.empty() || (in_log && !path.ends_with(".log"));
  });
  if (files.empty()) return;
  const std::string& path = files[random_.below(files.size())];
  File& file = *machine_.disk.find(path);
  const uint64_t at = random_.below(file.seen.size());
  const uint64_t how = random_.below(5);
  if (how == 0) {
    tell("{} is cut from {} to {}", path, file.seen.size(), at);
    machine_.disk.cut_end(file, at);
  } else if (how == 1) {
    tell("{} is gone", path);
    (void)machine_.disk.remove(path);
  } else {
    tell("byte {} of {} in {} changes", at, file.seen.size(), path);
    machine_.disk.change_byte(file, at);
  }
}

// One for each device, a minute ahead: all windows before are closed by them.
void Simulation::last_records() {
  for (int64_t device = 0; device < kDevices; ++device) {
    const int64_t id = next_id_++;
    const std::string name = fmt::format("meter-{}", device);
    const int64_t time_ms = machine_.clock.now_us() / kMicrosPerMilli + 60'000;
    const std::string time_us = std::to_string(time_ms * kMicrosPerMilli);
    ledger_.sent(id, {"readings", {name, time_us, std::to_string(id), "0", "NULL"}, false, 0});
    std::vector<Life::Parcel> parcels{
        {"readings", fmt::format("{{\"device\":\"{}\",\"ts\":{},\"id\":{},\"n\":0}}\n", name, time_ms, id), {id}}};
    life_->append(parcels);
    const Result<>& appended = parcels.front().outcome;
    if (!appended) return wrong("nothing fails any more, but: " + appended.error().to_string());
    ledger_.acknowledged(id, machine_.clock.now_us());
  }
}

}  // namespace

Report simulate(uint64_t seed, bool story) { return Simulation(seed, story).run(); }

}  // namespace tidegate::simulation
