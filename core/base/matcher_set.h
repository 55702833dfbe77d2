// Many regular expressions at once: which is the first that matches all of a text. One pass over
// the text, however many there are.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/matcher.h"

namespace weightsmith::internal {

class MatcherSet {
 public:
  MatcherSet();
  ~MatcherSet();
  MatcherSet(MatcherSet&&) noexcept;
  MatcherSet& operator=(MatcherSet&&) noexcept;

  /// Adds `pattern`, which has to match what follows `prefix`, an expression as well. False where
  /// the pattern cannot be compiled, with the reason in `problem`. REQUIRES: not yet Finish().
  bool Add(std::string_view prefix, std::string_view pattern, std::string& problem);
  /// Compiles all of them. False where they need more memory than a set may have.
  bool Finish();

  /// The number of the first that matches all of `text`, in the order of Add(). Throws kInput where
  /// that takes more memory than a set may have. REQUIRES: Finish(). Any thread.
  std::optional<std::size_t> FirstMatch(std::string_view text) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weightsmith::internal
