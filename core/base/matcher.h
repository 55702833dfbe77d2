// Regular expressions that people and files write. RE2 runs them: in linear time, without recursion
// and in bounded memory, whatever the expression and the text are.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace weightsmith::internal {

class Matcher {
 public:
  /// Compiles an expression in RE2's syntax. Nothing where that fails, with the reason in
  /// `problem`: "look-ahead and look-behind are not supported: '(?='".
  static std::optional<Matcher> Compile(std::string_view pattern, std::string& problem);

  /// Whether some part of `text` matches.
  bool Search(std::string_view text) const;
  /// Whether all of `text` matches.
  bool MatchesAll(std::string_view text) const;

  const std::string& pattern() const;

 private:
  explicit Matcher(std::shared_ptr<const re2::RE2> regex) : regex_(std::move(regex)) {}

  std::shared_ptr<const re2::RE2> regex_;
};

}  // namespace weightsmith::internal
