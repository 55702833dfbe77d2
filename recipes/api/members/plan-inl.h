// The members of a plan by the names of their fields. A binding takes all members of its struct:
// one that is new does not compile until it has a row here.
#pragma once

#include <weightsmith/plan.h>

#include "recipes/api/members/visit_all-inl.h"

namespace weightsmith::internal {

template <class Visitor>
void VisitMembers(weightsmith::RowRange& value, const Visitor& visit) {
  auto& [first, count, of] = value;
  VisitAll(visit, {"first", "count", "of"}, first, count, of);
}

template <class Visitor>
void VisitMembers(weightsmith::AppliedModule& value, const Visitor& visit) {
  auto& [module, tensor, rows, transposed, family, dora, rank, alpha, scale, strength, step,
         elements, elements_changed, elements_changed_after_rounding, change_norm,
         relative_change] = value;
  VisitAll(visit,
           {"module", "tensor", "rows", "transposed", "family", "dora", "rank", "alpha", "scale",
            "strength", "step", "elements", "elements_changed", "elements_changed_after_rounding",
            "change_norm", "relative_change"},
           module, tensor, rows, transposed, family, dora, rank, alpha, scale, strength, step,
           elements, elements_changed, elements_changed_after_rounding, change_norm,
           relative_change);
}

template <class Visitor>
void VisitMembers(weightsmith::ModulesElsewhere& value, const Visitor& visit) {
  auto& [component, modules] = value;
  VisitAll(visit, {"component", "modules"}, component, modules);
}

template <class Visitor>
void VisitMembers(weightsmith::ModulesLeftOut& value, const Visitor& visit) {
  auto& [reason, modules] = value;
  VisitAll(visit, {"reason", "modules"}, reason, modules);
}

template <class Visitor>
void VisitMembers(weightsmith::AdapterResult& value, const Visitor& visit) {
  auto& [name, path, applied, elsewhere, ignored, unmatched] = value;
  VisitAll(visit, {"name", "path", "applied", "elsewhere", "ignored", "unmatched"}, name, path,
           applied, elsewhere, ignored, unmatched);
}

template <class Visitor>
void VisitMembers(weightsmith::PlannedPart& value, const Visitor& visit) {
  auto& [path, component, architecture, variant, layout, bytes, tensors] = value;
  VisitAll(visit, {"path", "component", "architecture", "variant", "layout", "bytes", "tensors"},
           path, component, architecture, variant, layout, bytes, tensors);
}

template <class Visitor>
void VisitMembers(weightsmith::PlannedModel& value, const Visitor& visit) {
  auto& [name, parts, tensors_matched, tensors_used, tensors_unmatched, tensors_ema,
         unmatched_names, weight_zero] = value;
  VisitAll(visit,
           {"name", "parts", "tensors_matched", "tensors_used", "tensors_unmatched", "tensors_ema",
            "unmatched_names", "weight_zero"},
           name, parts, tensors_matched, tensors_used, tensors_unmatched, tensors_ema,
           unmatched_names, weight_zero);
}

template <class Visitor>
void VisitMembers(weightsmith::Finding& value, const Visitor& visit) {
  auto& [component, label, operand, unit, tensors, lowest, mean, highest, of] = value;
  VisitAll(visit,
           {"component", "label", "operand", "unit", "tensors", "lowest", "mean", "highest", "of"},
           component, label, operand, unit, tensors, lowest, mean, highest, of);
}

template <class Visitor>
void VisitMembers(weightsmith::PlannedStep& value, const Visitor& visit) {
  auto& [name, op, seed, unjudged, findings] = value;
  VisitAll(visit, {"name", "op", "seed", "unjudged", "findings"}, name, op, seed, unjudged,
           findings);
}

template <class Visitor>
void VisitMembers(weightsmith::PlannedFile& value, const Visitor& visit) {
  auto& [path, bytes, tensors] = value;
  VisitAll(visit, {"path", "bytes", "tensors"}, path, bytes, tensors);
}

template <class Visitor>
void VisitMembers(weightsmith::ComponentResult& value, const Visitor& visit) {
  auto& [component, linear, uniform, coefficients] = value;
  VisitAll(visit, {"component", "linear", "uniform", "coefficients"}, component, linear, uniform,
           coefficients);
}

template <class Visitor>
void VisitMembers(weightsmith::PlannedOutput& value, const Visitor& visit) {
  auto& [path, files, result] = value;
  VisitAll(visit, {"path", "files", "result"}, path, files, result);
}

template <class Visitor>
void VisitMembers(weightsmith::DiskNeed& value, const Visitor& visit) {
  auto& [folder, bytes_needed, bytes_free] = value;
  VisitAll(visit, {"folder", "bytes_needed", "bytes_free"}, folder, bytes_needed, bytes_free);
}

template <class Visitor>
void VisitMembers(weightsmith::Resumption& value, const Visitor& visit) {
  auto& [tensors_done, bytes_to_verify] = value;
  VisitAll(visit, {"tensors_done", "bytes_to_verify"}, tensors_done, bytes_to_verify);
}

template <class Visitor>
void VisitMembers(weightsmith::Plan& value, const Visitor& visit) {
  auto& [version, models, adapters, steps, outputs, tensors, tensors_copied, bytes_to_read,
         bytes_to_write, peak_memory, disk, notes, warnings, resume] = value;
  VisitAll(
      visit,
      {"weightsmith", "models", "adapters", "steps", "outputs", "tensors", "tensors_copied",
       "bytes_to_read", "bytes_to_write", "peak_memory", "disk", "notes", "warnings", "resume"},
      version, models, adapters, steps, outputs, tensors, tensors_copied, bytes_to_read,
      bytes_to_write, peak_memory, disk, notes, warnings, resume);
}

}  // namespace weightsmith::internal
