// What a person reads where JSON gives up: the mistakes that people make in it, by what stands at
// the place and in front of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

struct JsonProblem {
  std::size_t offset = 0;  ///< in bytes
  std::string message;
  std::string advice;
};

/// `offset` is where the parser stopped, `said` what it says. One fault, or it and others like it;
/// never empty.
std::vector<JsonProblem> ExplainJson(std::string_view text, std::size_t offset,
                                     std::string_view said);

}  // namespace weightsmith::internal
