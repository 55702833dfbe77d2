// Rows of names and members, for the tables of members.
#pragma once

#include <cstddef>
#include <string_view>

namespace weightsmith::internal {

/// `visit(name, member)` of each.
template <std::size_t kCount, class Visitor, class... Members>
requires(kCount == sizeof...(Members)) void VisitAll(const Visitor& visit,
                                                     const std::string_view (&names)[kCount],
                                                     Members&... members) {
  std::size_t next = 0;
  (visit(names[next++], members), ...);
}

}  // namespace weightsmith::internal
