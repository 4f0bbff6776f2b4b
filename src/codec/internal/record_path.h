// RecordPath: where a value stands in a message: the part of JSONPath (RFC 9535) that finds one value, or the records
// of a message.
//
//   $  the whole message    @  the record    @key  the name (or the number) the record stands under in the message
//   .name  ['name']  [2]  [-1]               one value below
//   [?@.name == 'temp']                      the first element whose member is that text, number, true, false or null
//   [*]  .*  ['a','b']                       several values, in a path to records only
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "codec/internal/document.h"

namespace tidegate::codec {

class RecordPath {
 public:
  // The message of what is wrong otherwise. At most kMaxSteps steps.
  [[nodiscard]] static std::expected<RecordPath, std::string> parse(std::string_view text);

  // It can find several values.
  [[nodiscard]] bool several() const;
  // It starts at the record.
  [[nodiscard]] bool from_record() const { return from_record_; }
  [[nodiscard]] bool is_key() const { return is_key_; }
  [[nodiscard]] const std::string& text() const { return text_; }

  // The first value it finds from `from` on; kNone if there is none.
  [[nodiscard]] Document::Node find(const Document& document, Document::Node from) const;
  // All of them, in order. False when the value that the last step looks into is not there or has nothing inside.
  bool find_all(const Document& document, Document::Node from, std::vector<Document::Node>& found) const;

 private:
  static constexpr size_t kMaxSteps = 32;  // people write a few
  struct Step {
    enum class Kind : uint8_t { kMember, kIndex, kAll, kMembers, kFilter };
    Kind kind = Kind::kMember;
    std::vector<std::string> names;  // the member; the members; the way to what the filter compares
    int64_t index = 0;
    Scalar wanted;            // of the filter
    std::string wanted_text;  // what `wanted` shows, if it is a text
  };
  class Parser;

  [[nodiscard]] static Document::Node one(const Document& document, Document::Node from, const Step& step);
  [[nodiscard]] static bool passes(const Document& document, Document::Node element, const Step& step);

  std::string text_;
  bool from_record_ = false;
  bool is_key_ = false;
  std::vector<Step> steps_;
};

}  // namespace tidegate::codec
