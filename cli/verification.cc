#include "cli/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "cli/interrupt.h"
#include "cli/merge_request.h"
#include "cli/progress.h"
#include "core/anatomy/canonical_view.h"
#include "core/error.h"
#include "core/tensor_digest.h"
#include "core/text.h"
#include "merge/executor.h"

namespace weightsmith {
namespace {

namespace fs = std::filesystem;
using Digests = std::map<std::string, Digest, std::less<>>;

// The path of each part of the recipe's models, chosen among candidates.
using Choice = std::map<std::pair<std::string, std::string>, fs::path>;

Plan PlanWith(const Provenance& provenance, const Choice& choice, Terminal& terminal) {
  RecipeRequest request;
  Diagnostics diagnostics;
  std::optional<Recipe> recipe =
      ParseRecipe(provenance.recipe.value(), "recorded recipe", {}, request.options, diagnostics);
  ShowDiagnostics(diagnostics, terminal);
  request.recipe = std::move(recipe).value();
  // The paths play no part, nothing is written, but outputs have them.
  for (std::size_t i = 0; i < request.recipe.outputs.size(); ++i) {
    RecipeOutput& output = request.recipe.outputs[i];
    output.path = fmt::format("recomputed-{}.safetensors", i + 1);
    // One file or a pipeline: it is not recorded which, and the names are the same.
    output.split = output.split || output.layout == FileLayout::kDiffusers;
  }
  for (RecipeModel& model : request.recipe.models) {
    for (RecipeModel::Part& part : model.parts) {
      const auto found = choice.find({model.name, part.component.value_or("")});
      if (found == choice.end()) continue;  // nothing of it was read
      part.file.path = found->second;
      part.file.pins.clear();
    }
  }
  return PlanOf(request, terminal);
}

// The digest of those of a candidate's tensors that the plan reads of this part.
Digest DigestAsRead(const Plan& plan, const RecordedInput& input, const fs::path& candidate) {
  std::set<std::string_view> names;
  const auto read = TensorsRead(plan);
  for (std::size_t m = 0; m < plan.models.size(); ++m) {
    for (std::size_t p = 0; p < plan.models[m].parts.size(); ++p) {
      const Model::Part& part = plan.models[m].parts[p];
      if (plan.models[m].name != input.model || part.component.value_or("") != input.component) {
        continue;
      }
      for (const std::uint32_t tensor : read[m][p]) {
        names.insert(part.checkpoint->tensors()[tensor].name);
      }
    }
  }
  const auto checkpoint = OpenCanonical(candidate);
  SetDigest digest;
  for (const std::string_view name : names) {
    const CheckpointTensor* tensor = checkpoint->Find(name);
    if (tensor == nullptr) return {};
    digest.Add(name, DigestOf(*checkpoint, *tensor));
  }
  return digest.Finish();
}

// Where several files have an input's size, the one with its digest.
Choice ChooseInputs(const Provenance& provenance, const InputFinder& finder, Terminal& terminal) {
  Choice choice;
  std::map<std::size_t, std::vector<fs::path>> open;
  for (std::size_t i = 0; i < provenance.inputs.size(); ++i) {
    const RecordedInput& input = provenance.inputs[i];
    std::vector<fs::path> candidates = finder.Candidates(input);
    choice[{input.model, input.component}] = candidates.front();
    if (candidates.size() > 1) open[i] = std::move(candidates);
  }
  if (open.empty()) return choice;
  const Plan plan = PlanWith(provenance, choice, terminal);
  for (const auto& [i, candidates] : open) {
    const RecordedInput& input = provenance.inputs[i];
    const auto found = std::ranges::find_if(candidates, [&](const fs::path& candidate) {
      return !input.digest || DigestAsRead(plan, input, candidate).ToHex() == *input.digest;
    });
    if (found != candidates.end()) choice[{input.model, input.component}] = *found;
  }
  return choice;
}

void CheckInputs(const Provenance& provenance, const Plan& plan, const Report& report) {
  std::size_t at = 0;
  for (const Model& model : plan.models) {
    for (const Model::Part& part : model.parts) {
      const InputReport& read = report.inputs[at++];
      for (const RecordedInput& input : provenance.inputs) {
        if (input.model != model.name || input.component != part.component.value_or("")) continue;
        if (!read.digest || !input.digest || read.digest->ToHex() == *input.digest) continue;
        throw Error(ErrorCode::kVerification,
                    fmt::format("{} is not the input {}: its tensors have the digest {}, recorded "
                                "is {}",
                                Quote(read.path.string()), Quote(model.name), read.digest->ToHex(),
                                *input.digest),
                    fmt::format("Name the right file with --model {}=PATH.", model.name));
      }
    }
  }
}

// What the plan's output file would hold, by tensor.
Digests ExpectedOf(const Plan& plan, const std::vector<TaskResult>& results, std::uint32_t file) {
  Digests expected;
  for (std::size_t t = 0; t < results.size(); ++t) {
    for (std::size_t p = 0; p < plan.tasks[t].products.size(); ++p) {
      const Product& product = plan.tasks[t].products[p];
      if (product.file != file || plan.tasks[t].elements == 0) continue;
      expected.emplace(product.name, results[t].products[p]);
    }
  }
  return expected;
}

std::vector<std::string> Differences(const Digests& expected, const Digests& found) {
  std::vector<std::string> lines;
  for (const auto& [name, digest] : expected) {
    const auto at = found.find(name);
    if (at == found.end()) {
      lines.push_back(fmt::format("{} is missing", Quote(name)));
    } else if (at->second != digest) {
      lines.push_back(fmt::format("{} differs", Quote(name)));
    }
  }
  for (const auto& [name, digest] : found) {
    if (!expected.contains(name)) lines.push_back(fmt::format("{} is one too many", Quote(name)));
  }
  return lines;
}

std::vector<TaskResult> RecomputeWithProgress(const Plan& plan, Terminal& terminal) {
  ProgressMeter meter(terminal, "recomputing");
  RunOptions options;
  options.cancel = &CatchInterrupts();
  options.progress = [&](const Progress& progress) {
    meter.Update(progress.bytes_done, progress.bytes_total);
    return true;
  };
  return Recompute(plan, options);
}

}  // namespace

Digest DigestOfTensors(const std::vector<ScannedTensor>& tensors) {
  SetDigest digest;
  for (const ScannedTensor& tensor : tensors) {
    if (tensor.info.bytes() > 0) digest.Add(tensor.name, tensor.digest);
  }
  return digest.Finish();
}

std::vector<std::string> CompareWithRecipe(const Provenance& provenance,
                                           std::span<const std::vector<ScannedTensor>> readings,
                                           const std::string& file_name, const InputFinder& finder,
                                           Terminal& terminal) {
  const Plan plan = PlanWith(provenance, ChooseInputs(provenance, finder, terminal), terminal);
  const std::vector<TaskResult> results = RecomputeWithProgress(plan, terminal);
  CheckInputs(provenance, plan, MakeReport(plan, results, false));

  // A recipe may have several outputs, and shards are several files of one: the one that fits best
  // is meant, and of those that fit alike the one of this name.
  std::vector<Digests> possible;
  for (const OutputPlan& output : plan.outputs) {
    Digests all;
    for (const std::uint32_t file : output.files) {
      Digests expected = ExpectedOf(plan, results, file);
      all.insert(expected.begin(), expected.end());
      const bool named = plan.output_files[file].path.filename() == file_name;
      possible.insert(named ? possible.begin() : possible.end(), std::move(expected));
    }
    possible.push_back(std::move(all));
  }
  std::optional<std::vector<std::string>> fewest;
  for (const std::vector<ScannedTensor>& tensors : readings) {
    Digests found;
    for (const ScannedTensor& tensor : tensors) {
      if (tensor.info.bytes() > 0) found.emplace(tensor.name, tensor.digest);
    }
    for (const Digests& expected : possible) {
      std::vector<std::string> differences = Differences(expected, found);
      if (!fewest || differences.size() < fewest->size()) fewest = std::move(differences);
    }
  }
  return std::move(fewest).value();
}

}  // namespace weightsmith
