#include "core/formats/safetensors/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/utf8.h"

namespace weightsmith::internal {
namespace {

// A value inside this many brackets is one too deep (serde_json's recursion limit).
constexpr int kMaxDepth = 128;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

/// Whether a number that does not fit a double is too large for it, rather than too small: by the
/// power of ten of its first digit that is not 0.
bool Overflows(std::string_view number) {
  if (number.starts_with('-')) number.remove_prefix(1);
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t lead = mantissa.find_first_of("123456789");
  if (lead == std::string_view::npos) return false;
  std::string_view digits = number.substr(std::min(e + 1, number.size()));
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t power = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), power);
  if (result.ec == std::errc::result_out_of_range) return digits[0] != '-';
  // No sum of the two sides: an exponent may be as large as its type.
  return power > static_cast<std::int64_t>(lead) - static_cast<std::int64_t>(point);
}

}  // namespace

JsonLexer::JsonLexer(std::string_view subject, std::string_view text, std::uint64_t base)
    : subject_(subject), text_(text), base_(base) {
  if (text.starts_with("\xEF\xBB\xBF")) Fail("a byte order mark is not allowed", base);
  const std::size_t invalid = FindInvalidUtf8(text);
  if (invalid != std::string_view::npos) Fail("the text is not valid UTF-8", base + invalid);
}

void JsonLexer::Fail(std::string_view what, std::uint64_t position) const {
  throw Error(ErrorCode::kInput,
              fmt::format("the {} is malformed: {} at byte {}", subject_, what, position),
              "The file is damaged, or was written by a faulty program.");
}

void JsonLexer::FailHere(std::string_view expected) {
  const std::uint64_t position = Position();
  if (at_ == text_.size()) {
    Fail(fmt::format("expected {}, found the end of the {}", expected, subject_), position);
  }
  // A whole character, however many bytes it has.
  std::size_t length = 1;
  while (at_ + length < text_.size() && (text_[at_ + length] & 0xC0) == 0x80) ++length;
  Fail(fmt::format("expected {}, found {}", expected, Quote(text_.substr(at_, length))), position);
}

void JsonLexer::Open(char bracket) {
  Expect(bracket, bracket == '{' ? "an object" : "an array");
  if (++depth_ >= kMaxDepth) {
    Fail(fmt::format("values are nested {} deep", kMaxDepth), base_ + at_ - 1);
  }
}

bool JsonLexer::Next(char closing, bool first) {
  const char next = Peek();
  if (next == closing) {
    ++at_;
    --depth_;
    return false;
  }
  if (!first) {
    Expect(',', closing == '}' ? "',' or '}'" : "',' or ']'");
    Position();
  }
  return true;
}

std::string JsonLexer::Key() {
  if (Peek() != '"') FailHere("a key in double quotes");
  std::string key = String();
  Expect(':', "':' after the key");
  return key;
}

std::string JsonLexer::String() {
  Expect('"', "a string");
  const std::size_t start = at_ - 1;
  std::string out;
  while (true) {
    const std::size_t run = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
           static_cast<unsigned char>(text_[at_]) >= 0x20) {
      ++at_;
    }
    out.append(text_, run, at_ - run);
    if (at_ == text_.size()) Fail("a string that is not closed", base_ + start);
    const char c = text_[at_++];
    if (c == '"') return out;
    if (c != '\\') Fail("a raw control character in a string", base_ + at_ - 1);
    Escape(out);
  }
}

void JsonLexer::Escape(std::string& out) {
  const std::uint64_t start = base_ + at_ - 1;
  const char c = at_ < text_.size() ? text_[at_++] : '\0';
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (const std::size_t i = kLetters.find(c); i != std::string_view::npos) {
    out += kMeanings[i];
    return;
  }
  if (c != 'u') Fail("an unknown escape in a string", start);
  std::uint32_t code = Hex4();
  if (code >= 0xD800 && code < 0xE000) {
    if (code >= 0xDC00 || text_.substr(at_, 2) != "\\u") Fail("an unpaired surrogate", start);
    at_ += 2;
    const std::uint32_t low = Hex4();
    if (low < 0xDC00 || low >= 0xE000) Fail("an unpaired surrogate", start);
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  AppendUtf8(code, out);
}

std::uint32_t JsonLexer::Hex4() {
  const std::string_view digits = text_.substr(at_, 4);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  if (error != std::errc() || end != digits.data() + 4) {
    Fail("'\\u' without four hexadecimal digits", base_ + at_ - 2);
  }
  at_ += 4;
  return code;
}

std::uint64_t JsonLexer::Unsigned() {
  constexpr std::string_view kExpected = "an integer from 0 to 18446744073709551615";
  if (!IsDigit(Peek())) FailHere(kExpected);
  const std::size_t start = at_;
  std::uint64_t value = 0;
  const char* const limit = text_.data() + text_.size();
  const auto [end, error] = std::from_chars(text_.data() + start, limit, value);
  const bool continues = end < limit && (*end == '.' || *end == 'e' || *end == 'E');
  const bool leading_zero = text_[start] == '0' && end - (text_.data() + start) > 1;
  if (error != std::errc() || continues || leading_zero) {
    Fail(fmt::format("expected {}, found another number", kExpected), base_ + start);
  }
  at_ = static_cast<std::size_t>(end - text_.data());
  return value;
}

bool JsonLexer::Null() {
  Position();
  if (text_.substr(at_, 4) != "null") return false;
  at_ += 4;
  return true;
}

void JsonLexer::Skip() {
  switch (Peek()) {
    case '{':
      Open('{');
      for (bool first = true; Next('}', first); first = false) {
        Key();
        Skip();
      }
      return;
    case '[':
      Open('[');
      for (bool first = true; Next(']', first); first = false) Skip();
      return;
    case '"':
      String();
      return;
    default:
      break;
  }
  for (const std::string_view word : {"null", "true", "false"}) {
    if (text_.substr(at_, word.size()) == word) {
      at_ += word.size();
      return;
    }
  }
  SkipNumber();
}

void JsonLexer::SkipNumber() {
  const std::size_t start = at_;
  const auto next_is = [this](std::string_view set) {
    return at_ < text_.size() && set.find(text_[at_]) != std::string_view::npos;
  };
  const auto digits = [&] {
    if (at_ == text_.size() || !IsDigit(text_[at_])) FailHere(at_ == start ? "a value" : "a digit");
    while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
  };
  if (next_is("-")) ++at_;
  if (next_is("0")) {
    ++at_;
  } else {
    digits();
  }
  if (next_is(".")) {
    ++at_;
    digits();
  }
  if (next_is("eE")) {
    ++at_;
    if (next_is("+-")) ++at_;
    digits();
  }
  const std::string_view number = text_.substr(start, at_ - start);
  double value = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
  if (result.ec == std::errc::result_out_of_range && Overflows(number)) {
    Fail("a number out of range", base_ + start);
  }
}

void JsonLexer::End() {
  Position();
  if (at_ != text_.size()) FailHere("the end");
}

}  // namespace weightsmith::internal
