// The files that a plan writes: what they call their tensors, how they store them, where each is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "merge/plan/plan.h"
#include "merge/plan/planned_tensors.h"

namespace weightsmith::internal {

/// How an output stores a tensor. `leading` is the leftmost model's tensor. An fp8 target leaves
/// what the architecture keeps precise as it is, unless a regex row names it. No encoding: with
/// scales where the leading tensor has the same codes with scales.
StoredAs OutputStorage(const OutputSpec& spec, const TensorPlace& place,
                       const ModelTensor& leading);

/// The name that an output gives a tensor: the leftmost model's own, or the canonical one where a
/// bare component file is joined by other components.
std::string OutputName(const ModelTensor& tensor, bool leftmost, bool bare_layout,
                       bool one_component, const std::string& canonical);

/// Divides the tensors of an output into files, lays those out and gives every product its place.
/// `blank` are the plan's BlankDigests, `leading` is what the output's leftmost model is, null
/// where there is none.
void PlaceInFiles(Plan& plan, std::uint32_t output, const std::vector<OutputTensor>& tensors,
                  const RunDigests& blank, const Anatomy* leading);

}  // namespace weightsmith::internal
