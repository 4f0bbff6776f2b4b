// Tests: a catalog on a real store, and definitions for it.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "catalog/catalog.h"

namespace tidegate::catalog {

// A catalog on a real store in a folder of its own, which may be closed and opened again.
class Fixture {
 public:
  Fixture()
      : folder_(std::filesystem::temp_directory_path() / ("tidegate-catalog-" + std::to_string(random_.next_u64()))) {
    std::filesystem::create_directories(folder_);
    open();
  }
  ~Fixture() {
    close();
    std::filesystem::remove_all(folder_);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void close() {
    catalog.reset();
    keys_.reset();
    store.reset();
  }
  void open() {
    auto opened_store = store::Store::open(folder_ / "store");
    REQUIRE(opened_store);
    store = std::move(*opened_store);
    auto opened_keys = crypto::KeyRing::open(folder_ / "keys", random_);
    REQUIRE(opened_keys);
    keys_ = std::move(*opened_keys);
    auto opened = Catalog::open(*store, *keys_, random_);
    REQUIRE(opened);
    catalog = std::move(*opened);
  }
  auto try_open() { return Catalog::open(*store, *keys_, random_); }

  std::unique_ptr<store::Store> store;
  std::unique_ptr<Catalog> catalog;

 private:
  io::SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<crypto::KeyRing> keys_;
};

inline StreamDefinition readings() {
  StreamDefinition stream;
  stream.name = "Readings";
  stream.schema = std::make_shared<const columnar::Schema>(columnar::Schema{
      {{"device", columnar::TypeKind::kString, false}, {"ts", columnar::TypeKind::kTimestampLtz, false}}});
  stream.time_column = 1;
  stream.device_column = 0;
  stream.watermark_delay_us = 5'000'000;
  stream.mqtt_topic = "site/+";
  stream.options = {{"device", "device"}, {"mqtt.topic", "site/+"}};
  stream.sql = "CREATE TABLE Readings (...)";
  return stream;
}

inline PipelineDefinition averages() {
  PipelineDefinition pipeline;
  pipeline.name = "averages";
  pipeline.target = "readings";
  pipeline.sql = "INSERT INTO ...";
  return pipeline;
}

}  // namespace tidegate::catalog
