// What a person reads where YAML gives up: yaml-cpp names what it expected of its own grammar, not
// what is wrong with the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

/// What is wrong, and where, in bytes from the front of the text.
struct YamlProblem {
  std::size_t offset = 0;
  std::string message;
  std::string advice;
};

/// What yaml-cpp says of a text that it cannot read.
struct YamlFailure {
  std::string_view message;
  std::size_t offset = 0;                ///< where it gave up
  std::optional<std::size_t> bracket{};  ///< the innermost one that is open there
};

/// What is wrong: one fault, or every line with the same fault. Never empty.
std::vector<YamlProblem> ExplainYaml(std::string_view text, const YamlFailure& failure);

/// Every entry such as "alpha:0.3" and "alpha = 0.3", which YAML does not read as a key and a
/// value.
std::vector<YamlProblem> MissingSpaces(std::string_view text);

/// Whether a plain scalar from `begin` with this value took in such a line by mistake, as of
/// "b: anime" and "alpha:0.3" below it.
bool TakesInLine(std::string_view text, std::size_t begin, std::string_view value);

/// Whether a plain scalar in braces from `begin` is such an entry, as in {alpha:0.3}.
bool IsEntryWithoutSpace(std::string_view text, std::size_t begin, std::string_view value);

}  // namespace weightsmith::internal
