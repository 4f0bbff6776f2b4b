#include <rocksdb/comparator.h>
#include <rocksdb/db.h>

#include "store/internal/families.h"

namespace tidegate::store {

namespace {

rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }

// RocksDB's batches ask a handle only for its id and its comparator; so a batch can be filled without the store.
class FamilyId final : public rocksdb::ColumnFamilyHandle {
 public:
  explicit FamilyId(size_t family) : family_(family), name_(kFamilyNames[family]) {}
  const std::string& GetName() const override { return name_; }
  uint32_t GetID() const override { return static_cast<uint32_t>(family_ + 1); }
  rocksdb::Status GetDescriptor(rocksdb::ColumnFamilyDescriptor*) override { return rocksdb::Status::NotSupported(); }
  const rocksdb::Comparator* GetComparator() const override { return rocksdb::BytewiseComparator(); }

 private:
  const size_t family_;
  const std::string name_;
};

rocksdb::ColumnFamilyHandle* id_of(Family family) {
  static std::array<FamilyId, kFamilyCount> ids = {FamilyId(0), FamilyId(1), FamilyId(2), FamilyId(3)};
  return &ids[static_cast<size_t>(family)];
}

}  // namespace

WriteBatch::WriteBatch() : impl_(std::make_unique<Impl>()) {}
WriteBatch::~WriteBatch() = default;
WriteBatch::WriteBatch(WriteBatch&&) noexcept = default;
WriteBatch& WriteBatch::operator=(WriteBatch&&) noexcept = default;

// Filling a batch fails only past 4 GB, which the limits of its makers exclude.
void WriteBatch::put(Family family, std::string_view key, std::string_view value) {
  impl_->native.Put(id_of(family), slice_of(key), slice_of(value)).PermitUncheckedError();
}

void WriteBatch::erase(Family family, std::string_view key) {
  impl_->native.Delete(id_of(family), slice_of(key)).PermitUncheckedError();
}

void WriteBatch::erase_range(Family family, std::string_view begin, std::string_view end) {
  impl_->native.DeleteRange(id_of(family), slice_of(begin), slice_of(end)).PermitUncheckedError();
}

size_t WriteBatch::bytes() const { return impl_->native.GetDataSize(); }
bool WriteBatch::empty() const { return impl_->native.Count() == 0; }

void* Store::native(WriteBatch& batch) { return &batch.impl_->native; }

}  // namespace tidegate::store
