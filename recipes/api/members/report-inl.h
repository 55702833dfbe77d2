// The members of a report by the names of their fields. A binding takes all members of its struct:
// one that is new does not compile until it has a row here.
#pragma once

#include <weightsmith/report.h>

#include "recipes/api/members/plan-inl.h"
#include "recipes/api/members/visit_all-inl.h"

namespace weightsmith::internal {

template <class Visitor>
void VisitMembers(weightsmith::InputReport& value, const Visitor& visit) {
  auto& [model, path, digest, tensors, tensors_read, tensors_copied, tensors_computed,
         tensors_changed, steps] = value;
  VisitAll(visit,
           {"model", "path", "digest", "tensors", "tensors_read", "tensors_copied",
            "tensors_computed", "tensors_changed", "steps"},
           model, path, digest, tensors, tensors_read, tensors_copied, tensors_computed,
           tensors_changed, steps);
}

template <class Visitor>
void VisitMembers(weightsmith::ModelKeys& value, const Visitor& visit) {
  auto& [model, matched, unmatched, used, ema] = value;
  VisitAll(visit, {"model", "matched", "unmatched", "used", "ema"}, model, matched, unmatched, used,
           ema);
}

template <class Visitor>
void VisitMembers(weightsmith::Effect& value, const Visitor& visit) {
  auto& [elements, elements_changed, change_norm, before_norm, relative_change] = value;
  VisitAll(visit, {"elements", "elements_changed", "change_norm", "before_norm", "relative_change"},
           elements, elements_changed, change_norm, before_norm, relative_change);
}

template <class Visitor>
void VisitMembers(weightsmith::TensorFinding& value, const Visitor& visit) {
  auto& [step, label, operand, unit, number, of] = value;
  VisitAll(visit, {"step", "label", "operand", "unit", "value", "of"}, step, label, operand, unit,
           number, of);
}

template <class Visitor>
void VisitMembers(weightsmith::StepReport& value, const Visitor& visit) {
  VisitMembers(static_cast<weightsmith::Effect&>(value), visit);
  VisitAll(visit,
           {"name", "op", "seed", "tensors", "tensors_changed", "tensors_copied", "findings"},
           value.name, value.op, value.seed, value.tensors, value.tensors_changed,
           value.tensors_copied, value.findings);
}

template <class Visitor>
void VisitMembers(weightsmith::OutputReport& value, const Visitor& visit) {
  auto& [path, bytes, tensors, tensors_copied, digest, sha256] = value;
  VisitAll(visit, {"path", "bytes", "tensors", "tensors_copied", "digest", "sha256"}, path, bytes,
           tensors, tensors_copied, digest, sha256);
}

template <class Visitor>
void VisitMembers(weightsmith::TensorReport& value, const Visitor& visit) {
  auto& [name, component, elements, copied, non_finite, effects, findings] = value;
  VisitAll(visit, {"name", "component", "elements", "copied", "non_finite", "effects", "findings"},
           name, component, elements, copied, non_finite, effects, findings);
}

template <class Visitor>
void VisitMembers(weightsmith::Report& value, const Visitor& visit) {
  auto& [version, inputs, keys, adapters, steps, outputs, tensors, notes, warnings, bytes_read,
         bytes_written, seconds, sampled, sampled_share, resumed, tensors_left] = value;
  VisitAll(visit,
           {"weightsmith", "inputs", "keys", "adapters", "steps", "outputs", "tensors", "notes",
            "warnings", "bytes_read", "bytes_written", "seconds", "sampled", "sampled_share",
            "resumed", "tensors_left"},
           version, inputs, keys, adapters, steps, outputs, tensors, notes, warnings, bytes_read,
           bytes_written, seconds, sampled, sampled_share, resumed, tensors_left);
}

}  // namespace weightsmith::internal
