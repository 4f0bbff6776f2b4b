#include "codec/internal/json_document.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "codec/internal/record_scanner.h"
#include "codec/json_decoder.h"

namespace tidegate::codec {

namespace od = simdjson::ondemand;
using Failure = std::optional<Error>;

namespace {

Failure malformed(simdjson::error_code code) {
  return Error{ErrorCode::RecordMalformed, fmt::format("not valid JSON: {}", simdjson::error_message(code)), {}, {}};
}

Failure too_many() {
  return Error{ErrorCode::RecordTooLarge,
               fmt::format("a message of more than {} values, which is the limit", Document::kMaxValues),
               {},
               {}};
}

}  // namespace

class JsonDocument::Impl {
 public:
  Failure read(std::string_view text, Document& document, bool bare) {
    od::document parsed;
    if (const auto error = parser_.iterate(text.data(), text.size(), text.size() + kPayloadPadding).get(parsed)) {
      return malformed(error);
    }
    document_ = &document;
    od::value root;
    if (const auto error = parsed.get_value().get(root)) return malformed(error);
    if (!bare) return add(root, Document::kNone, {}, 1);
    od::array array;
    if (const auto error = root.get_array().get(array)) return malformed(error);
    size_t values = 0;
    for (auto element : array) {
      od::value inner;
      if (const auto error = std::move(element).get(inner)) return malformed(error);
      if (++values > 1) return malformed(simdjson::TAPE_ERROR);
      if (auto failure = add(inner, Document::kNone, {}, 1)) return failure;
    }
    return values == 1 ? std::nullopt : malformed(simdjson::EMPTY);
  }

 private:
  // Recursion is bounded by kMaxJsonDepth.
  Failure add(od::value value, Document::Node parent, std::string_view key, int depth) {
    if (depth > kMaxJsonDepth) return malformed(simdjson::DEPTH_ERROR);
    od::json_type type{};
    if (const auto error = value.type().get(type)) return malformed(error);
    if (type == od::json_type::array) return add_array(value, parent, key, depth);
    if (type == od::json_type::object) return add_object(value, parent, key, depth);
    Scalar scalar;
    if (const auto error = read_scalar(value, type, scalar)) return malformed(error);
    return document_->add(parent, key, scalar) == Document::kNone ? too_many() : std::nullopt;
  }

  Failure add_array(od::value& value, Document::Node parent, std::string_view key, int depth) {
    const Document::Node node = document_->add(parent, key, Document::Shape::kArray);
    if (node == Document::kNone) return too_many();
    od::array array;
    if (const auto error = value.get_array().get(array)) return malformed(error);
    for (auto element : array) {
      od::value inner;
      if (const auto error = std::move(element).get(inner)) return malformed(error);
      if (auto failure = add(inner, node, {}, depth + 1)) return failure;
    }
    return std::nullopt;
  }

  Failure add_object(od::value& value, Document::Node parent, std::string_view key, int depth) {
    const Document::Node node = document_->add(parent, key, Document::Shape::kObject);
    if (node == Document::kNone) return too_many();
    od::object object;
    if (const auto error = value.get_object().get(object)) return malformed(error);
    for (auto field : object) {
      std::string_view name;
      od::value inner;
      if (const auto error = field.unescaped_key().get(name)) return malformed(error);
      if (const auto error = field.value().get(inner)) return malformed(error);
      if (auto failure = add(inner, node, name, depth + 1)) return failure;
    }
    return std::nullopt;
  }

  static simdjson::error_code read_scalar(od::value& value, od::json_type type, Scalar& out) {
    switch (type) {
      case od::json_type::string: {
        std::string_view text;
        if (const auto error = value.get_string().get(text)) return error;
        out = Scalar::of(text);
        return simdjson::SUCCESS;
      }
      case od::json_type::boolean: {
        bool flag = false;
        if (const auto error = value.get_bool().get(flag)) return error;
        out = Scalar::boolean(flag);
        return simdjson::SUCCESS;
      }
      case od::json_type::number: {
        std::string_view written = value.raw_json_token();
        while (!written.empty() && is_json_space(written.back())) written.remove_suffix(1);
        int64_t whole = 0;
        if (value.get_int64().get(whole) == simdjson::SUCCESS) {
          out = Scalar::of(whole);
          return simdjson::SUCCESS;
        }
        double real = 0;
        if (const auto error = value.get_double().get(real)) return error;
        out = Scalar::of(real, written);
        return simdjson::SUCCESS;
      }
      default: break;
    }
    bool null = false;
    const auto error = simdjson::simdjson_result<bool>(value.is_null()).get(null);
    if (error != simdjson::SUCCESS) return error;
    return null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
  }

  od::parser parser_;
  Document* document_ = nullptr;
};

JsonDocument::JsonDocument() : impl_(std::make_unique<Impl>()) {}
JsonDocument::~JsonDocument() = default;

Failure JsonDocument::read(std::string_view text, Document& document) { return impl_->read(text, document, false); }

Failure JsonDocument::read_bare(std::string_view text, Document& document) { return impl_->read(text, document, true); }

}  // namespace tidegate::codec
