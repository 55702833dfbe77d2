// Whether a checkpoint is what its recipe makes of its inputs.
#pragma once

#include <span>
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
/// that differ from the file's, that are missing or too many: in the one of the file's `readings`,
/// each under another naming, that fits best. Throws kInput for an input that is
/// not found, kVerification for one that is another file than the recorded one.
std::vector<std::string> CompareWithRecipe(const Provenance& provenance,
                                           std::span<const std::vector<ScannedTensor>> readings,
                                           const std::string& file_name, const InputFinder& finder,
                                           Terminal& terminal);

}  // namespace weightsmith
