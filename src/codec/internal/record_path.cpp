#include "codec/internal/record_path.h"

#include <fmt/format.h>

#include "codec/internal/number_text.h"

namespace tidegate::codec {

using Node = Document::Node;

class RecordPath::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::expected<RecordPath, std::string> parse() {
    RecordPath path;
    path.text_ = text_;
    if (text_ == "@key") {
      path.from_record_ = path.is_key_ = true;
      return path;
    }
    path.from_record_ = accept('@');
    if (!path.from_record_ && !accept('$')) return fail("a path starts with $ (the message) or @ (the record)");
    while (at_ < text_.size()) {
      Step step;
      if (!read_step(step)) return fail(problem_);
      if (path.steps_.size() == kMaxSteps) return fail("too many steps");
      path.steps_.push_back(std::move(step));
    }
    return path;
  }

 private:
  std::unexpected<std::string> fail(std::string_view problem) const {
    return std::unexpected(fmt::format("a path such as $.data.temp; '{}': {} (character {})", text_, problem, at_ + 1));
  }
  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool accept(char wanted) {
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (accept(' ')) continue;
  }

  bool read_step(Step& step) {
    if (accept('.')) {
      if (accept('*')) {
        step.kind = Step::Kind::kAll;
        return true;
      }
      return read_name(step);
    }
    if (!accept('[')) return refuse("'.' or '[' expected");
    skip_space();
    const bool done = accept('?') ? read_filter(step) : read_bracket(step);
    if (!done) return false;
    skip_space();
    return accept(']') || refuse("']' expected");
  }

  bool read_name(Step& step) {
    const size_t end = std::min(text_.find_first_of(".[]=!<>()' ,", at_), text_.size());
    if (end == at_) return refuse("a name expected; write odd ones as ['odd name']");
    step.names.emplace_back(text_.substr(at_, end - at_));
    at_ = end;
    return true;
  }

  bool read_bracket(Step& step) {
    if (accept('*')) {
      step.kind = Step::Kind::kAll;
      return true;
    }
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
      do {
        skip_space();
        std::string name;
        if (!read_quoted(name)) return false;
        step.names.push_back(std::move(name));
        skip_space();
      } while (accept(','));
      if (step.names.size() > 1) step.kind = Step::Kind::kMembers;
      return true;
    }
    const size_t end = std::min(text_.find(']', at_), text_.size());
    const auto index = parse_integer(trimmed(text_.substr(at_, end - at_)));
    if (!index) return refuse("a number, a quoted name, * or ? expected in brackets");
    step.kind = Step::Kind::kIndex;
    step.index = *index;
    at_ = end;
    return true;
  }

  bool read_quoted(std::string& out) {
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') return refuse("a quote expected");
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        return true;
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_];
    }
    return refuse("the quote is not closed");
  }

  // ?@.name == literal, with or without brackets around it.
  bool read_filter(Step& step) {
    step.kind = Step::Kind::kFilter;
    const bool bracket = accept('(');
    skip_space();
    if (!accept('@')) return refuse("a filter looks like [?@.name == 'temp']");
    while (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == '[')) {
      Step inner;
      if (!read_step(inner)) return false;
      if (inner.kind != Step::Kind::kMember) return refuse("a filter compares a member");
      step.names.push_back(inner.names.front());
    }
    skip_space();
    if (!accept('=') || !accept('=')) return refuse("'==' expected");
    skip_space();
    if (!read_literal(step)) return false;
    skip_space();
    return !bracket || accept(')') || refuse("')' expected");
  }

  bool read_literal(Step& step) {
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
      if (!read_quoted(step.wanted_text)) return false;
      step.wanted.kind = Scalar::Kind::kText;
      return true;
    }
    const size_t end = std::min(text_.find_first_of("]) ", at_), text_.size());
    const std::string_view word = text_.substr(at_, end - at_);
    if (word == "true" || word == "false") {
      step.wanted = Scalar::boolean(word == "true");
    } else if (const auto number = parse_real(word)) {
      step.wanted = Scalar::of(*number);
    } else if (word != "null") {
      return refuse("a 'text', a number, true, false or null expected");
    }
    at_ = end;
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string problem_;
};

std::expected<RecordPath, std::string> RecordPath::parse(std::string_view text) { return Parser(text).parse(); }

bool RecordPath::several() const {
  for (const Step& step : steps_) {
    if (step.kind == Step::Kind::kAll || step.kind == Step::Kind::kMembers) return true;
  }
  return false;
}

bool RecordPath::passes(const Document& document, Node element, const Step& step) {
  for (const std::string& name : step.names) {
    element = document.member(element, name);
    if (element == Document::kNone) return false;
  }
  const Scalar& came = document.value(element);
  switch (step.wanted.kind) {
    case Scalar::Kind::kText: return came.kind == Scalar::Kind::kText && came.text == step.wanted_text;
    case Scalar::Kind::kBoolean: return came.kind == Scalar::Kind::kBoolean && came.flag == step.wanted.flag;
    case Scalar::Kind::kReal:
      return (came.kind == Scalar::Kind::kReal && came.real == step.wanted.real) ||
             (came.kind == Scalar::Kind::kInteger && static_cast<double>(came.integer) == step.wanted.real);
    default: return came.kind == Scalar::Kind::kNull;
  }
}

// The first value that the step finds.
Node RecordPath::one(const Document& document, Node from, const Step& step) {
  switch (step.kind) {
    case Step::Kind::kMember: return document.member(from, step.names.front());
    case Step::Kind::kIndex: return document.element(from, step.index);
    case Step::Kind::kFilter: {
      if (document.shape(from) != Document::Shape::kArray) return Document::kNone;
      Node at = document.first(from);
      while (at != Document::kNone && !passes(document, at, step)) at = document.next(at);
      return at;
    }
    default: return document.first(from);
  }
}

Node RecordPath::find(const Document& document, Node from) const {
  for (const Step& step : steps_) {
    if (from == Document::kNone) break;
    from = one(document, from, step);
  }
  return from;
}

bool RecordPath::find_all(const Document& document, Node from, std::vector<Node>& found) const {
  std::vector<Node> level{from};
  bool looked = true;
  for (const Step& step : steps_) {
    if (level.empty()) break;
    std::vector<Node> below;
    looked = false;
    for (const Node node : level) {
      if (step.kind == Step::Kind::kAll) {
        looked = looked || document.shape(node) != Document::Shape::kScalar;
        for (Node at = document.first(node); at != Document::kNone; at = document.next(at)) below.push_back(at);
      } else if (step.kind == Step::Kind::kMembers) {
        looked = looked || document.shape(node) == Document::Shape::kObject;
        for (const std::string& name : step.names) {
          if (const Node at = document.member(node, name); at != Document::kNone) below.push_back(at);
        }
      } else if (const Node at = one(document, node, step); at != Document::kNone) {
        looked = true;
        below.push_back(at);
      }
    }
    if (!looked) return false;
    level = std::move(below);
  }
  found = std::move(level);
  return true;
}

}  // namespace tidegate::codec
