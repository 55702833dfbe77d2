// Which files are the recorded inputs of a file: told by digest, or by hash, where one is recorded.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "recipes/jobs/input_finder.h"
#include "recipes/jobs/provenance.h"

namespace weightsmith::internal {

/// The file of each part of the recorded recipe's models, by model and component.
using InputFiles = std::map<std::pair<std::string, std::string>, std::filesystem::path>;

/// The recorded recipe over these files. Throws as PlanOfRecipe does.
Plan PlanOfRecorded(const Provenance& provenance, const InputFiles& files);

/// Where several files have an input's size, or the only one has another name than it, the one
/// whose tensors have its digest. `output` is the file that was made of the inputs: it is one of
/// them only where that is proven. Throws kInput for an input that is not there, or that several
/// files could be.
InputFiles ChooseInputs(const Provenance& provenance, const std::filesystem::path& output,
                        InputFinder& finder, const RunOptions& options);

}  // namespace weightsmith::internal
