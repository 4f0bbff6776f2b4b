#include "codec/internal/document.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "codec/json_encoder.h"

namespace tidegate::codec {

void Document::clear() {
  nodes_.clear();
  kept_.clear();
}

Document::Node Document::append(Node parent, Entry entry) {
  if (nodes_.size() == kMaxValues) return kNone;
  const auto node = static_cast<Node>(nodes_.size());
  nodes_.push_back(entry);
  if (parent == kNone) return node;
  Entry& above = nodes_[parent];
  (above.first == kNone ? above.first : nodes_[above.last].next) = node;
  above.last = node;
  ++above.children;
  return node;
}

Document::Node Document::add(Node parent, std::string_view key, const Scalar& value) {
  Entry entry;
  entry.value = value;
  entry.key = key;
  return append(parent, entry);
}

Document::Node Document::add(Node parent, std::string_view key, Shape shape) {
  Entry entry;
  entry.value = Scalar::other(shape == Shape::kArray ? "an array" : "an object");
  entry.key = key;
  entry.shape = shape;
  return append(parent, entry);
}

std::string_view Document::keep(std::string text) { return kept_.emplace_back(std::move(text)); }

Document::Node Document::member(Node node, std::string_view key) const {
  if (nodes_[node].shape != Shape::kObject) return kNone;
  Node at = nodes_[node].first;
  while (at != kNone && nodes_[at].key != key) at = nodes_[at].next;
  return at;
}

Document::Node Document::element(Node node, int64_t index) const {
  const Entry& entry = nodes_[node];
  if (entry.shape != Shape::kArray) return kNone;
  if (index < 0) index += entry.children;
  if (index < 0 || index >= static_cast<int64_t>(entry.children)) return kNone;
  Node at = entry.first;
  for (; index > 0; --index) at = nodes_[at].next;
  return at;
}

void Document::append_json(Node node, std::string& out) const {
  const Entry& entry = nodes_[node];
  if (entry.shape == Shape::kScalar) {
    const bool text = entry.value.kind == Scalar::Kind::kText || entry.value.kind == Scalar::Kind::kWord;
    if (text || entry.value.kind == Scalar::Kind::kOther) return append_json_string(entry.value.text, out);
    if (entry.value.kind == Scalar::Kind::kBytes) {
      std::string encoded;
      encode_base64url(entry.value.text, encoded);
      return append_json_string(encoded, out);
    }
    if (entry.value.kind == Scalar::Kind::kInstant) return append_json_string(describe(entry.value), out);
    out += describe(entry.value);
    return;
  }
  const bool object = entry.shape == Shape::kObject;
  out += object ? '{' : '[';
  for (Node at = entry.first; at != kNone; at = nodes_[at].next) {
    if (at != entry.first) out += ',';
    if (object) {
      append_json_string(nodes_[at].key, out);
      out += ':';
    }
    append_json(at, out);
  }
  out += object ? '}' : ']';
}

}  // namespace tidegate::codec
