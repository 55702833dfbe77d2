// Whether a checkpoint is what its recipe makes of its inputs.
#pragma once

#include <string>
#include <vector>

#include "cli/input_finder.h"
#include "cli/provenance.h"
#include "cli/tensor_scan.h"
#include "cli/terminal.h"

namespace weightsmith {

/// The digest of a file's tensors as its metadata has it.
Digest DigestOfTensors(const std::vector<ScannedTensor>& tensors);

/// Recomputes every tensor from the recipe and the inputs that `finder` finds, and names those
/// that differ from `tensors`, that are missing or too many. Throws kInput for an input that is
/// not found, kVerification for one that is another file than the recorded one.
std::vector<std::string> CompareWithRecipe(const Provenance& provenance,
                                           const std::vector<ScannedTensor>& tensors,
                                           const std::string& file_name, const InputFinder& finder,
                                           Terminal& terminal);

}  // namespace weightsmith
