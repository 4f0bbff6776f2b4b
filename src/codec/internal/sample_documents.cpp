// Samples of nested formats, JSON and CBOR.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "codec/internal/cbor_reader.h"
#include "codec/internal/json_document.h"
#include "codec/internal/record_scanner.h"
#include "codec/internal/sample_reader.h"

namespace tidegate::codec {

namespace {

using OnDocument = std::function<void(const Document&)>;
constexpr int kMaxFieldDepth = 6;  // objects within objects; deeper ones are rarely measurements

// One step of a path: .name, or ['odd name'].
std::string step(std::string_view key) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (!key.empty() && (key[0] < '0' || key[0] > '9') && std::ranges::all_of(key, plain)) return fmt::format(".{}", key);
  std::string out = "['";
  for (const char c : key) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "']";
}

// What a JSON payload is cut into.
class JsonCutter {
 public:
  explicit JsonCutter(std::string_view payload) : rest_(payload) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  // The next value's text; empty at the end, or where no value begins.
  std::string_view next() {
    skip();
    if (!rest_.empty() && rest_.front() == '[' && !in_array_) {
      in_array_ = true;
      rest_.remove_prefix(1);
      skip();
    }
    if (!rest_.empty() && rest_.front() == ']' && in_array_) {
      in_array_ = false;
      rest_.remove_prefix(1);
      return next();
    }
    if (rest_.empty()) return {};
    const bool bracketed = rest_.front() == '{' || rest_.front() == '[';
    // A bare value is the whole message: lines of CSV begin with a number, too.
    if (!bracketed && (in_array_ || !first_)) return {};
    first_ = false;
    std::string_view value = rest_.substr(0, bracketed ? closed_value_size(rest_) : rest_.size());
    rest_.remove_prefix(value.size());
    while (!value.empty() && is_json_space(value.back())) value.remove_suffix(1);
    return value;
  }
  // All of the payload was cut, every array closed.
  [[nodiscard]] bool done() const { return rest_.empty() && !in_array_; }

 private:
  void skip() {
    while (!rest_.empty() && (is_json_space(rest_.front()) || (in_array_ && rest_.front() == ','))) {
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
  bool in_array_ = false;
  bool first_ = true;
};

// The records of a JSON payload one by one; false when it is not JSON to its end.
bool each_json(std::string_view payload, const OnDocument& take) {
  JsonCutter cutter(payload);
  JsonDocument parser;
  Document document;
  for (std::string_view value = cutter.next(); !value.empty(); value = cutter.next()) {
    const bool bracketed = value.front() == '{' || value.front() == '[';
    std::string text = bracketed ? std::string(value) : fmt::format("[{}]", value);
    const size_t length = text.size();
    text.append(kPayloadPadding, ' ');
    document.clear();
    const std::string_view view(text.data(), length);
    if (bracketed ? parser.read(view, document) : parser.read_bare(view, document)) return false;
    if (document.empty()) return false;
    take(document);
  }
  return cutter.done();
}

// The same of CBOR.
bool each_cbor(std::string_view payload, const OnDocument& take) {
  CborReader reader(payload);
  Document document;
  while (!reader.done()) {
    const auto array = reader.enter_array();
    if (!array) return false;
    if (array->has_value() || reader.take_break()) continue;
    document.clear();
    if (!reader.read(document) || document.empty()) return false;
    // A bare number is valid CBOR of nearly any byte.
    if (document.shape(Document::root()) == Document::Shape::kScalar) return false;
    take(document);
  }
  return true;
}

// Adds the fields below `node`; `path` leads there.
void add_fields(const Document& document, Document::Node node, const std::string& path, bool by_name, int depth,
                std::string_view skipped, SampleFields& fields) {
  for (Document::Node at = document.first(node); at != Document::kNone; at = document.next(at)) {
    const std::string_view key = document.key(at);
    if (key.empty()) continue;
    const std::string here = path + step(key);
    if (here == skipped) continue;
    switch (document.shape(at)) {
      case Document::Shape::kScalar: fields.add(here, key, document.value(at), by_name); break;
      case Document::Shape::kArray: fields.add(here, key, Scalar::other("an array"), false); break;
      case Document::Shape::kObject:
        if (depth < kMaxFieldDepth && can_be_written(key))
          add_fields(document, at, here, false, depth + 1, skipped, fields);
        break;
    }
  }
}

void find_lists(const Document& document, Document::Node node, const std::string& path, int depth,
                std::map<std::string, size_t>& lists) {
  for (Document::Node at = document.first(node); at != Document::kNone; at = document.next(at)) {
    if (!can_be_written(document.key(at))) continue;
    const std::string here = path + step(document.key(at));
    if (document.shape(at) == Document::Shape::kObject && depth < kMaxFieldDepth) {
      find_lists(document, at, here, depth + 1, lists);
    }
    if (document.shape(at) != Document::Shape::kArray) continue;
    const Document::Node first = document.first(at);
    if (first != Document::kNone && document.shape(first) == Document::Shape::kObject) ++lists[here];
  }
}

Document::Node follow(const Document& document, const std::string& path) {
  std::vector<std::pair<std::string, Document::Node>> open{{"$", Document::root()}};
  while (!open.empty()) {
    const auto [here, node] = open.back();
    open.pop_back();
    for (Document::Node at = document.first(node); at != Document::kNone; at = document.next(at)) {
      const std::string next = here + step(document.key(at));
      if (next == path) return at;
      if (document.shape(at) == Document::Shape::kObject && path.starts_with(next)) open.emplace_back(next, at);
    }
  }
  return Document::kNone;
}

// The members of ChirpStack's events that a person wants as columns, by the names that the preset has for them.
void add_chirpstack(const Document& document, SampleFields& fields) {
  struct Wanted {
    std::string_view path;
    std::string_view column;
  };
  static constexpr std::array kWanted = {Wanted{"$.deviceInfo.devEui", "device"}, Wanted{"$.time", "time"},
                                         Wanted{"$.deviceInfo.deviceName", "device_name"}, Wanted{"$.fCnt", "f_cnt"},
                                         Wanted{"$.fPort", "f_port"}};
  for (const Wanted& wanted : kWanted) {
    const Document::Node node = follow(document, std::string(wanted.path));
    if (node != Document::kNone) fields.add(wanted.path, wanted.column, document.value(node), true);
  }
  const Document::Node values = follow(document, "$.object");
  if (values != Document::kNone) add_fields(document, values, "$.object", true, 1, "", fields);
}

using EachRecord = bool (*)(std::string_view, const OnDocument&);

// The path of the one list of objects that all messages have, if there is one: its elements are the records.
std::string record_list(std::span<const Sample> samples, EachRecord each) {
  std::map<std::string, size_t> lists;
  size_t documents = 0;
  for (const Sample& sample : samples) {
    each(sample.payload, [&](const Document& document) {
      if (++documents > kMaxSampleRecords) return;
      if (document.shape(Document::root()) == Document::Shape::kObject) {
        find_lists(document, Document::root(), "$", 1, lists);
      }
    });
  }
  return lists.size() == 1 && lists.begin()->second == documents ? lists.begin()->first : std::string();
}

void add_document(const Document& document, size_t sample, const std::string& list, ReadSamples& out) {
  SampleFields& fields = out.fields;
  if (fields.records() >= kMaxSampleRecords) return;
  const Document::Node root = Document::root();
  if (document.shape(root) == Document::Shape::kScalar) {
    fields.begin_record(sample);
    fields.add("$", "value", document.value(root), false);
    return;
  }
  if (out.preset == "chirpstack") {
    fields.begin_record(sample);
    return add_chirpstack(document, fields);
  }
  const Document::Node records = list.empty() ? Document::kNone : follow(document, list);
  if (records == Document::kNone) {
    fields.begin_record(sample);
    return add_fields(document, root, "$", list.empty(), 1, list, fields);
  }
  for (Document::Node at = document.first(records); at != Document::kNone; at = document.next(at)) {
    if (document.shape(at) != Document::Shape::kObject || fields.records() >= kMaxSampleRecords) continue;
    fields.begin_record(sample);
    add_fields(document, root, "$", false, 1, list, fields);
    add_fields(document, at, "@", true, 1, "", fields);
  }
}

std::string preset_of(std::span<const Sample> samples, EachRecord each) {
  size_t chirpstack = 0;
  size_t zigbee = 0;
  for (const Sample& sample : samples) {
    if (sample.topic.starts_with("zigbee2mqtt/") && std::ranges::count(sample.topic, '/') == 1) ++zigbee;
    bool found = false;
    each(sample.payload, [&](const Document& document) {
      found = found || (document.shape(Document::root()) == Document::Shape::kObject &&
                        follow(document, "$.deviceInfo.devEui") != Document::kNone);
    });
    if (found) ++chirpstack;
  }
  if (chirpstack == samples.size()) return "chirpstack";
  return zigbee == samples.size() ? "zigbee2mqtt" : "";
}

std::optional<ReadSamples> read_documents(std::span<const Sample> samples, EachRecord each, std::string_view format) {
  ReadSamples out;
  out.format = format;
  if (format == "json") out.preset = preset_of(samples, each);
  const std::string list = out.preset == "chirpstack" ? std::string() : record_list(samples, each);
  for (size_t at = 0; at < samples.size(); ++at) {
    const bool read =
        each(samples[at].payload, [&](const Document& document) { add_document(document, at, list, out); });
    if (!read) ++out.unread;
  }
  if (out.fields.records() == 0) return std::nullopt;
  if (!list.empty()) {
    out.options["records"] = list + "[*]";
    out.notes.push_back(fmt::format("Each element of {} becomes a row of its own.", list));
  }
  return out;
}

}  // namespace

std::optional<ReadSamples> read_json_samples(std::span<const Sample> samples) {
  auto out = read_documents(samples, each_json, "json");
  if (!out) return out;
  // Several objects a message, one a line, have a name of their own that says so to people.
  const auto lines = [](const Sample& sample) {
    const size_t end = sample.payload.find('\n');
    return sample.payload.starts_with('{') && end != std::string::npos &&
           sample.payload.find_first_not_of(" \t\r\n", end) != std::string::npos &&
           closed_value_size(sample.payload) <= end;
  };
  if (out->preset.empty() && std::ranges::all_of(samples, lines)) out->format = "ndjson";
  return out;
}

std::optional<ReadSamples> read_cbor_samples(std::span<const Sample> samples) {
  return read_documents(samples, each_cbor, "cbor");
}

}  // namespace tidegate::codec
