// The members of what a checkpoint is by the names of their fields. A binding takes all members of
// its struct: one that is new does not compile until it has a row here.
#pragma once

#include <weightsmith/info.h>

#include "recipes/api/members/visit_all-inl.h"

namespace weightsmith::internal {

template <class Visitor>
void VisitMembers(weightsmith::ComponentInfo& value, const Visitor& visit) {
  auto& [tensors, parameters, bytes, dtypes, complete, missing, extra] = value;
  VisitAll(visit, {"tensors", "parameters", "bytes", "dtypes", "complete", "missing", "extra"},
           tensors, parameters, bytes, dtypes, complete, missing, extra);
}

template <class Visitor>
void VisitMembers(weightsmith::Distilled& value, const Visitor& visit) {
  auto& [kind, by] = value;
  VisitAll(visit, {"kind", "by"}, kind, by);
}

template <class Visitor>
void VisitMembers(weightsmith::TensorEntry& value, const Visitor& visit) {
  auto& [name, dtype, shape, component, canonical, role] = value;
  VisitAll(visit, {"name", "dtype", "shape", "component", "canonical", "role"}, name, dtype, shape,
           component, canonical, role);
}

template <class Visitor>
void VisitMembers(weightsmith::AdapterSummary& value, const Visitor& visit) {
  auto& [modules, families, namings, components, ranks, alphas, dora, architectures,
         modules_of_architecture] = value;
  VisitAll(visit,
           {"modules", "families", "namings", "components", "ranks", "alphas", "dora",
            "architectures", "modules_of_architecture"},
           modules, families, namings, components, ranks, alphas, dora, architectures,
           modules_of_architecture);
}

template <class Visitor>
void VisitMembers(weightsmith::CheckpointInfo& value, const Visitor& visit) {
  auto& [path, format, files, bytes, architecture, variant, scale, layout, prediction, distilled,
         components, tensors, parameters, dtypes, markers, quantization, damage, code, metadata,
         adapter, entries] = value;
  VisitAll(visit, {"path",       "format",  "files",      "bytes",        "architecture", "variant",
                   "scale",      "layout",  "prediction", "distilled",    "components",   "tensors",
                   "parameters", "dtypes",  "markers",    "quantization", "damage",       "code",
                   "metadata",   "adapter", "entries"},
           path, format, files, bytes, architecture, variant, scale, layout, prediction, distilled,
           components, tensors, parameters, dtypes, markers, quantization, damage, code, metadata,
           adapter, entries);
}

}  // namespace weightsmith::internal
