#include "recipes/jobs/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "core/anatomy/canonical_view.h"
#include "core/error.h"
#include "core/tensor_digest.h"
#include "core/text.h"
#include "merge/plan.h"
#include "recipes/jobs/input_finder.h"
#include "recipes/jobs/json-inl.h"
#include "recipes/jobs/plan_recipe.h"
#include "recipes/jobs/provenance.h"
#include "recipes/jobs/tensor_scan.h"

namespace weightsmith {
namespace {

namespace fs = std::filesystem;
using Digests = std::map<std::string, Digest, std::less<>>;

constexpr std::size_t kMostNamed = 10;

// The path of each part of the recipe's models, chosen among candidates.
using Choice = std::map<std::pair<std::string, std::string>, fs::path>;

Plan PlanWith(const Provenance& provenance, const Choice& choice) {
  RecipeOptions options;
  options.check_output_names = false;
  Diagnostics diagnostics;
  std::optional<Recipe> parsed =
      ParseRecipe(provenance.recipe.value(), "recorded recipe", {}, options, diagnostics);
  diagnostics.ThrowIfErrors();
  Recipe& recipe = parsed.value();
  // The paths play no part, nothing is written, but outputs have them.
  for (std::size_t i = 0; i < recipe.outputs.size(); ++i) {
    RecipeOutput& output = recipe.outputs[i];
    output.path = fmt::format("recomputed-{}.safetensors", i + 1);
    // One file or a pipeline: it is not recorded which, and the names are the same.
    output.split = output.split || output.layout == FileLayout::kDiffusers;
  }
  for (RecipeModel& model : recipe.models) {
    for (RecipeModel::Part& part : model.parts) {
      const auto found = choice.find({model.name, part.component.value_or("")});
      if (found == choice.end()) continue;  // nothing of it was read
      part.file.path = found->second;
      part.file.pins.clear();
    }
  }
  return PlanOfRecipe(recipe, options, diagnostics);
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
Choice ChooseInputs(const Provenance& provenance, const InputFinder& finder) {
  Choice choice;
  std::map<std::size_t, std::vector<fs::path>> open;
  for (std::size_t i = 0; i < provenance.inputs.size(); ++i) {
    const RecordedInput& input = provenance.inputs[i];
    std::vector<fs::path> candidates = finder.Candidates(input);
    choice[{input.model, input.component}] = candidates.front();
    if (candidates.size() > 1) open[i] = std::move(candidates);
  }
  if (open.empty()) return choice;
  const Plan plan = PlanWith(provenance, choice);
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
                    fmt::format("Name the right file of {}.", Quote(model.name)),
                    {Option::kModelPath});
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

// The digest of a file's tensors as its metadata has it.
Digest DigestOfTensors(const std::vector<ScannedTensor>& tensors) {
  SetDigest digest;
  for (const ScannedTensor& tensor : tensors) {
    if (tensor.info.bytes() > 0) digest.Add(tensor.name, tensor.digest);
  }
  return digest.Finish();
}

// Recomputes every tensor from the recipe and the inputs that `finder` finds, and names those that
// differ from the file's, that are missing or too many: in the one of the file's `readings`, each
// under another naming, that fits best.
std::vector<std::string> CompareWithRecipe(const Provenance& provenance,
                                           std::span<const std::vector<ScannedTensor>> readings,
                                           const std::string& file_name, const InputFinder& finder,
                                           const RunOptions& options) {
  const Plan plan = PlanWith(provenance, ChooseInputs(provenance, finder));
  const std::vector<TaskResult> results = Recompute(plan, options);
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

// "values that are not finite in 2 tensors:", then a line each for the first of them.
void AddProblems(const std::string& what, const std::vector<std::string>& lines,
                 std::vector<std::string>& problems) {
  if (lines.empty()) return;
  std::string text = fmt::format("{} in {} {}:", what, FormatCount(lines.size()),
                                 lines.size() == 1 ? "tensor" : "tensors");
  for (std::size_t i = 0; i < lines.size() && i < kMostNamed; ++i) text += "\n  " + lines[i];
  if (lines.size() > kMostNamed) {
    text += fmt::format("\n  and {} more", FormatCount(lines.size() - kMostNamed));
  }
  problems.push_back(text);
}

std::vector<std::string> NonFinite(const std::vector<ScannedTensor>& tensors) {
  std::vector<std::string> lines;
  for (const ScannedTensor& tensor : tensors) {
    if (tensor.non_finite == 0) continue;
    lines.push_back(fmt::format("{}: {} of {}", Quote(tensor.name), FormatCount(tensor.non_finite),
                                FormatCount(tensor.info.elements())));
  }
  return lines;
}

/// The file's tensors under each of its namings, or under the one alone that has the digest.
/// Tensors that were computed under one name and written in parts under others have it under the
/// one.
std::vector<std::vector<ScannedTensor>> Readings(
    const std::shared_ptr<const Checkpoint>& checkpoint, const Provenance& provenance,
    const RunOptions& options) {
  std::vector<std::vector<ScannedTensor>> readings;
  for (const auto& naming : NamingsOf(checkpoint)) {
    readings.push_back(ScanTensors(*naming, options));
    if (!provenance.output_digest) continue;
    if (DigestOfTensors(readings.back()).ToHex() == *provenance.output_digest) {
      return {std::move(readings.back())};
    }
  }
  return readings;
}

InputFinder FinderFor(const VerifyRequest& request) {
  std::vector<fs::path> folders = request.model_folders;
  const fs::path own = request.path.parent_path();
  folders.push_back(own.empty() ? fs::path(".") : own);
  return {std::move(folders), request.models};
}

}  // namespace

Verification Verify(const VerifyRequest& request, const RunOptions& options,
                    const std::function<void(std::string_view)>& phase) {
  const auto checkpoint = Checkpoint::Open(request.path);
  const Provenance provenance = ReadProvenance(checkpoint->metadata());
  phase("reading");
  const auto readings = Readings(checkpoint, provenance, options);
  Verification found{request.path, {"structure", "finite values"}, {}};
  AddProblems("values that are not finite", NonFinite(readings.front()), found.problems);
  if (provenance.output_digest) {
    found.checked.emplace_back("digest");
    if (DigestOfTensors(readings.front()).ToHex() != *provenance.output_digest) {
      found.problems.emplace_back(
          "the tensors are not those that were written: their digest differs");
    }
  }
  found.recipe = provenance.recipe.has_value();
  if (found.recipe && request.recompute) {
    phase("recomputing");
    AddProblems("not what the recipe makes of its inputs",
                CompareWithRecipe(provenance, readings, request.path.filename().string(),
                                  FinderFor(request), options),
                found.problems);
    found.checked.emplace_back("recomputed");
  }
  return found;
}

std::string VerificationJson(const Verification& found) {
  return ToText({{"path", found.path.string()},
                 {"right", found.problems.empty()},
                 {"checked", found.checked},
                 {"recipe", found.recipe},
                 {"problems", found.problems}});
}

}  // namespace weightsmith
