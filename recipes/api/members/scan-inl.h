// The members of a scanned file by the names of their fields. A binding takes all members of its
// struct: one that is new does not compile until it has a row here.
#pragma once

#include <weightsmith/scan.h>

#include "recipes/api/members/visit_all-inl.h"

namespace weightsmith::internal {

template <class Visitor>
void VisitMembers(weightsmith::ScannedGlobal& value, const Visitor& visit) {
  auto& [name, safety] = value;
  VisitAll(visit, {"name", "safety"}, name, safety);
}

template <class Visitor>
void VisitMembers(weightsmith::ScanResult& value, const Visitor& visit) {
  auto& [path, safe, verdict, format, problems, ambiguities, unusual, globals] = value;
  VisitAll(visit,
           {"path", "safe", "verdict", "format", "problems", "ambiguities", "unusual", "globals"},
           path, safe, verdict, format, problems, ambiguities, unusual, globals);
}

}  // namespace weightsmith::internal
