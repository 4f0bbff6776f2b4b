#include "store/internal/durable_mark.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/logging.h"
#include "store/internal/status_error.h"

namespace tidegate::store {

namespace {

constexpr uint32_t kVersion = 1;
constexpr size_t kSlots = 2;
constexpr size_t kSlotBytes = 24;
constexpr size_t kSlotDistance = 4096;  // in blocks of their own: a write that a power cut tears spoils one of them

std::string encode_slot(uint64_t generation, uint64_t sequence) {
  std::string slot;
  ByteWriter writer(slot);
  writer.fixed(kVersion);
  writer.fixed(generation);
  writer.fixed(sequence);
  writer.fixed(murmur2(slot));
  return slot;
}

}  // namespace

Result<std::unique_ptr<DurableMark>> DurableMark::open(rocksdb::Env& env, const std::string& path) {
  if (env.FileExists(path).IsNotFound()) {
    const std::string empty((kSlots - 1) * kSlotDistance + kSlotBytes, '\0');
    const rocksdb::Status made = rocksdb::WriteStringToFile(&env, empty, path, true);
    if (!made.ok()) return fail(error_of(made, "making " + path));
  }
  std::unique_ptr<rocksdb::RandomRWFile> file;
  const rocksdb::Status opened = env.NewRandomRWFile(path, &file, rocksdb::EnvOptions());
  if (!opened.ok()) return fail(error_of(opened, "opening " + path));
  std::unique_ptr<DurableMark> mark(new DurableMark(std::move(file)));
  mark->read_slots();
  return mark;
}

void DurableMark::read_slots() {
  for (size_t slot = 0; slot < kSlots; ++slot) {
    std::array<char, kSlotBytes> space{};
    rocksdb::Slice content;
    if (!file_->Read(slot * kSlotDistance, kSlotBytes, &content, space.data()).ok()) continue;
    ByteReader in(view_of(content));
    const auto version = in.fixed<uint32_t>();
    const auto generation = in.fixed<uint64_t>();
    const auto sequence = in.fixed<uint64_t>();
    const auto checksum = in.fixed<uint32_t>();
    const bool good = in.finished() && version == kVersion &&
                      checksum == murmur2(view_of(content).substr(0, kSlotBytes - sizeof checksum));
    if (!good || generation < generation_) continue;
    generation_ = generation;
    sequence_ = sequence;
  }
}

uint64_t DurableMark::sequence() const {
  const std::scoped_lock lock(mutex_);
  return sequence_;
}

rocksdb::Status DurableMark::write_slot() {
  ++generation_;
  return file_->Write(generation_ % kSlots * kSlotDistance, encode_slot(generation_, sequence_));
}

// A mark that cannot be written is older than it might be, so less would be noticed: said once, but no reason to stop.
void DurableMark::advance(uint64_t sequence) {
  const std::scoped_lock lock(mutex_);
  if (sequence <= sequence_) return;
  sequence_ = sequence;
  const rocksdb::Status written = write_slot();
  if (!written.ok() && !complained_) log_warn("store.mark_not_written", {{"reason", written.ToString()}});
  complained_ = !written.ok();
}

Result<> DurableMark::reset(uint64_t sequence) {
  const std::scoped_lock lock(mutex_);
  sequence_ = sequence;
  rocksdb::Status written = write_slot();
  if (written.ok()) written = file_->Sync();
  if (!written.ok()) return fail(error_of(written, "writing the mark of what is durable"));
  return {};
}

}  // namespace tidegate::store
