// Document: one message of a format with nested values (JSON, CBOR) as a tree, so that paths can be followed in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/internal/scalar.h"

namespace tidegate::codec {

// Texts are views: of the payload, of the parser's buffer, or kept by keep(). One thread.
class Document {
 public:
  using Node = uint32_t;
  static constexpr Node kNone = UINT32_MAX;
  // Values of one message, names not counted: 5 MB of nodes. Refused beyond, since a megabyte of "[0,0,0,..." would
  // take forty times its size.
  static constexpr size_t kMaxValues = 65'536;
  enum class Shape : uint8_t { kScalar, kArray, kObject };

  void clear();
  // Adds a value below `parent` (kNone: the root), behind those already there. kNone when there are kMaxValues.
  Node add(Node parent, std::string_view key, const Scalar& value);
  Node add(Node parent, std::string_view key, Shape shape);
  // A view of a text that lives until clear().
  std::string_view keep(std::string text);

  [[nodiscard]] bool empty() const { return nodes_.empty(); }
  [[nodiscard]] static constexpr Node root() { return 0; }
  [[nodiscard]] Shape shape(Node node) const { return nodes_[node].shape; }
  // A container is kOther: "an object".
  [[nodiscard]] const Scalar& value(Node node) const { return nodes_[node].value; }
  // Its name in the object around it.
  [[nodiscard]] std::string_view key(Node node) const { return nodes_[node].key; }
  [[nodiscard]] Node first(Node node) const { return nodes_[node].first; }
  [[nodiscard]] Node next(Node node) const { return nodes_[node].next; }
  // kNone if there is none, or it is no object.
  [[nodiscard]] Node member(Node node, std::string_view key) const;
  // Counts from the end when negative. kNone if there is none, or it is no array.
  [[nodiscard]] Node element(Node node, int64_t index) const;
  // As JSON, for people.
  void append_json(Node node, std::string& out) const;

 private:
  struct Entry {
    Scalar value;
    std::string_view key;
    Shape shape = Shape::kScalar;
    Node first = kNone;
    Node last = kNone;
    Node next = kNone;
    uint32_t children = 0;
  };

  Node append(Node parent, Entry entry);

  std::vector<Entry> nodes_;
  std::deque<std::string> kept_;
};

}  // namespace tidegate::codec
