// What a person reads where YAML gives up: yaml-cpp names what it expected of its own grammar, not
// what is wrong with the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith {

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

/// A line that a plain scalar from `begin` with this value took in by mistake: "alpha:0.3" or
/// "alpha = 0.3" below "b: anime". Nothing where the scalar ends on its line.
std::optional<YamlProblem> SwallowedLine(std::string_view text, std::size_t begin,
                                         std::string_view value);

/// A path with `/` for `\`; what Windows calls C:\ is where WSL has it.
std::string WithForwardSlashes(std::string_view path);

}  // namespace weightsmith
