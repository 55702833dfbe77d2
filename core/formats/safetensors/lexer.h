// A strict lexer for the JSON of safetensors headers and shard indexes: UTF-8, unsigned 64-bit
// integers only where a value matters, a depth limit, escapes decoded, and byte offsets in every
// error. Stricter than general JSON libraries, which let a BOM, a NUL, trailing text or endless
// nesting through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weightsmith::internal {

class JsonLexer {
 public:
  /// `subject` is what errors call the text ("header"); `base` the offset in the file of its first
  /// byte, from which they count. Throws kInput, as everything here does, where it is not UTF-8.
  JsonLexer(std::string_view subject, std::string_view text, std::uint64_t base);

  /// Offset in the file of the next token, past any whitespace.
  std::uint64_t Position() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    return base_ + at_;
  }

  /// Enters an object or an array by its bracket; throws where nesting gets too deep.
  void Open(char bracket);
  /// Within '{' … '}' or '[' … ']': whether there is another element. Takes the comma before it, or
  /// the closing bracket.
  bool Next(char closing, bool first);
  /// A key and its colon.
  std::string Key();
  std::string String();
  std::uint64_t Unsigned();
  /// Takes "null" when that comes next.
  bool Null();
  /// Any value, checked and dropped.
  void Skip();
  /// Only whitespace may be left.
  void End();

  [[noreturn]] void Fail(std::string_view what, std::uint64_t position) const;

 private:
  static bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  char Peek() {
    Position();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void Expect(char token, std::string_view expected) {
    if (Peek() != token || at_ == text_.size()) FailHere(expected);
    ++at_;
  }
  void SkipNumber();
  void Escape(std::string& out);
  std::uint32_t Hex4();
  [[noreturn]] void FailHere(std::string_view expected);

  std::string_view subject_;
  std::string_view text_;
  std::uint64_t base_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace weightsmith::internal
