#include "recipes/source/json_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weightsmith::internal {
namespace {

class JsonScan {
 public:
  explicit JsonScan(std::string_view text)
      : text_(text), texts_(BrokenTexts(text, Escapes::kJson)) {}

  std::vector<JsonProblem> Run() {
    while (at_ < text_.size()) Step();
    std::ranges::stable_sort(problems_, {}, &JsonProblem::offset);
    return std::move(problems_);
  }

 private:
  /// The token before.
  enum class Token { kNone, kValue, kComma, kOther };

  void Report(std::size_t offset, std::string message, std::string advice) {
    problems_.push_back({offset, std::move(message), std::move(advice)});
  }

  void Step() {
    const char c = text_[at_];
    const std::string_view rest = text_.substr(at_);
    if (std::string_view(" \t\r\n").find(c) != std::string_view::npos) {
      ++at_;
    } else if (c == '#' || rest.starts_with("//") || rest.starts_with("/*")) {
      Comment(rest);
    } else if (c == '"') {
      Text();
    } else if (c == '{' || c == '[') {
      Value();
      before_ = Token::kOther;
      ++depth_;
      ++at_;
    } else if (c == '}' || c == ']') {
      if (before_ == Token::kComma) {
        Report(comma_, fmt::format("this comma stands in front of {}, with nothing in between", c),
               "In JSON the last entry has no comma: remove the comma.");
      }
      before_ = Token::kValue;
      if (depth_ > 0) --depth_;
      ++at_;
    } else if (c == ',') {
      Comma();
    } else if (c == ':') {
      before_ = Token::kOther;
      ++at_;
    } else {
      before_ = Token::kValue;
      at_ = std::min(text_.find_first_of(" \t\r\n,:{}[]\"#/", at_ + 1), text_.size());
    }
  }

  /// Something begins that a comma parts from a value.
  void Value() {
    if (before_ == Token::kValue) {
      Report(at_, "a comma is missing in front of this",
             "Write a comma behind the entry before it.");
    }
    before_ = Token::kValue;
  }

  void Comma() {
    if (before_ != Token::kValue) {
      Report(at_, "nothing stands in front of this comma", "Remove the comma.");
    } else if (depth_ == 0) {
      Report(at_, "this comma stands behind the last bracket", "Remove the comma.");
    } else {
      comma_ = at_;
    }
    if (before_ == Token::kValue && depth_ > 0) before_ = Token::kComma;
    ++at_;
  }

  void Text() {
    Value();
    while (broken_ < texts_.size() && texts_[broken_].offset < at_) ++broken_;
    if (broken_ < texts_.size() && texts_[broken_].offset == at_) {
      problems_.push_back(AsProblem(texts_[broken_]));
      at_ += texts_[broken_].inside.size() + 2;
      return;
    }
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\n') {
        at_ = text_.size();
        return;
      }
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  void Comment(std::string_view rest) {
    Report(at_, "JSON has no comments",
           "Remove the comment, or write the recipe as YAML, which has # comments.");
    const bool block = rest.starts_with("/*");
    const std::size_t end = rest.find(block ? "*/" : "\n", block ? 2 : 0);
    at_ = end == std::string_view::npos ? text_.size() : at_ + end + (block ? 2 : 0);
  }

  std::string_view text_;
  std::vector<BrokenText> texts_;
  std::size_t broken_ = 0;  ///< the first of them that is not behind
  std::size_t at_ = 0;
  std::size_t comma_ = 0;
  std::size_t depth_ = 0;  ///< of the brackets that are open
  Token before_ = Token::kNone;
  std::vector<JsonProblem> problems_;
};

}  // namespace

JsonProblem AsProblem(const BrokenText& broken) {
  return {broken.offset,
          fmt::format("a \\ starts an escape{}", broken.unknown ? ", and this one is unknown" : ""),
          BackslashAdvice(broken.inside, Escapes::kJson)};
}

std::vector<JsonProblem> ScanJson(std::string_view text) {
  return JsonScan(text).Run();
}

}  // namespace weightsmith::internal
