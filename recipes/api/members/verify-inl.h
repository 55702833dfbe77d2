// The members of a verification by the names of their fields. A binding takes all members of its
// struct: one that is new does not compile until it has a row here.
#pragma once

#include <weightsmith/verify.h>

#include "recipes/api/members/visit_all-inl.h"

namespace weightsmith::internal {

template <class Visitor>
void VisitMembers(weightsmith::Verification& value, const Visitor& visit) {
  auto& [path, right, checked, recipe, problems, status] = value;
  VisitAll(visit, {"path", "right", "checked", "recipe", "problems", "status"}, path, right,
           checked, recipe, problems, status);
}

}  // namespace weightsmith::internal
