#include "recipes/jobs/input_chooser.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/text.h"
#include "core/formats/tensor_digest.h"
#include "core/io/byte_source.h"
#include "core/io/hash_cache.h"
#include "recipes/jobs/plan_recipe.h"
#include "recipes/jobs/read_progress.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<fs::path>;

// Plans are made of headers, but many files of one size in several places would be many plans.
constexpr std::size_t kMostCombinations = 256;

// The digest of those tensors of the input that the plan reads.
Digest DigestAsRead(const Plan& plan, const RecordedInput& input, const RunOptions& options) {
  std::vector<std::pair<const Checkpoint*, std::uint32_t>> tensors;
  std::uint64_t bytes = 0;
  const auto read = TensorsRead(plan);
  for (std::size_t m = 0; m < plan.models.size(); ++m) {
    for (std::size_t p = 0; p < plan.models[m].parts.size(); ++p) {
      const Model::Part& part = plan.models[m].parts[p];
      if (plan.models[m].name != input.model || part.component.value_or("") != input.component) {
        continue;
      }
      for (const std::uint32_t tensor : read[m][p]) {
        tensors.emplace_back(part.checkpoint.get(), tensor);
        bytes += part.checkpoint->tensors()[tensor].info.bytes();
      }
    }
  }
  ReadProgress progress(options, bytes);
  SetDigest digest;
  for (const auto& [checkpoint, tensor] : tensors) {
    const CheckpointTensor& stored = checkpoint->tensors()[tensor];
    digest.Add(stored.name, DigestOf(*checkpoint, stored, [&](std::span<const std::byte> block) {
                 progress.Add(block.size());
               }));
  }
  return digest.Finish();
}

std::optional<Plan> TryPlan(const Provenance& provenance, const InputFiles& files) {
  try {
    return PlanOfRecorded(provenance, files);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) throw;
    return std::nullopt;
  }
}

class Chooser {
 public:
  Chooser(const Provenance& provenance, const fs::path& output, InputFinder& finder,
          const RunOptions& options)
      : provenance_(provenance), output_(IdentifyFile(output)), finder_(finder), options_(options) {
    for (const RecordedInput& input : provenance.inputs) Collect(input);
  }

  InputFiles Choose() {
    if (open_.empty()) return files_;
    FindFitting();
    for (const std::size_t i : open_) {
      const RecordedInput& input = provenance_.inputs[i];
      if (!input.digest) continue;
      const auto found = std::ranges::find_if(
          candidates_[i], [&](const fs::path& path) { return IsInput(input, path); });
      // A file of the recorded name that has changed is reported when it is read.
      const fs::path& first = candidates_[i].front();
      const bool changed = first.filename() == input.file && !IsOutput(first);
      if (found == candidates_[i].end() && !changed) {
        // The file that is checked is none that might have been meant.
        std::erase_if(candidates_[i], [&](const fs::path& path) { return IsOutput(path); });
        throw finder_.NotFound(input, candidates_[i]);
      }
      File(input) = found == candidates_[i].end() ? first : *found;
    }
    return files_;
  }

 private:
  fs::path& File(const RecordedInput& input) { return files_[{input.model, input.component}]; }

  bool IsOutput(const fs::path& path) const {
    const auto identity = IdentifyFile(path);
    return output_ && identity && identity->SameFile(*output_);
  }

  void Collect(const RecordedInput& input) {
    Paths& candidates = candidates_.emplace_back();
    if (const auto named = finder_.Named(input)) {
      File(input) = *named;
      return;
    }
    candidates = finder_.Candidates(input);
    const auto outputs =
        std::stable_partition(candidates.begin(), candidates.end(),
                              [&](const fs::path& path) { return !IsOutput(path); });
    if (!input.digest) {
      candidates.erase(outputs, candidates.end());
      OnlyByHashOrName(input, candidates);
    }
    if (candidates.empty()) throw finder_.NotFound(input, {});
    File(input) = candidates.front();
    // The only file of its size and name shows itself when it is read.
    const bool named_so = candidates.front().filename() == input.file;
    if (candidates.size() > 1 || !named_so || IsOutput(candidates.front())) {
      open_.push_back(candidates_.size() - 1);
    }
  }

  // Without a digest: the file with the recorded SHA-256, else that of the recorded name.
  void OnlyByHashOrName(const RecordedInput& input, Paths& candidates) {
    if (candidates.empty()) return;
    if (input.sha256) {
      const Paths seen = candidates;
      std::erase_if(candidates,
                    [&](const fs::path& path) { return !HasSha256(path, *input.sha256); });
      if (candidates.empty()) throw finder_.NotFound(input, seen);
      candidates.resize(1);
      return;
    }
    const auto others =
        std::stable_partition(candidates.begin(), candidates.end(),
                              [&](const fs::path& path) { return path.filename() == input.file; });
    if (others != candidates.begin()) candidates.erase(others, candidates.end());
    if (candidates.size() == 1) return;
    throw Error(ErrorCode::kInput,
                fmt::format("the input {} could be {} or {}: no digest of it is recorded",
                            Quote(input.Name()), Quote(candidates[0].string()),
                            Quote(candidates[1].string())),
                {}, {Option::kModelPath});
  }

  bool HasSha256(const fs::path& path, const std::string& sha256) const {
    if (fs::is_directory(path)) return true;  // a set of shards, of which none is recorded
    const auto source = OpenByteSource(path);
    ReadProgress progress(options_, source->size());
    const auto watch = [&](std::uint64_t done, std::uint64_t /*total*/) {
      progress.Reach(done);
      return true;
    };
    return HashCache().Hash(*source, watch).sha256 == sha256;
  }

  // Files that the recipe fits, for the inputs of which there are several, so that plans can be
  // made to try one of them after another.
  void FindFitting() {
    std::vector<std::size_t> at(open_.size(), 0);
    for (std::size_t tried = 0; tried < kMostCombinations; ++tried) {
      for (std::size_t k = 0; k < open_.size(); ++k) {
        File(provenance_.inputs[open_[k]]) = candidates_[open_[k]][at[k]];
      }
      if (TryPlan(provenance_, files_)) return;
      std::size_t k = 0;
      while (k < open_.size() && ++at[k] == candidates_[open_[k]].size()) at[k++] = 0;
      if (k == open_.size()) break;
    }
    for (const std::size_t i : open_) File(provenance_.inputs[i]) = candidates_[i].front();
  }

  bool IsInput(const RecordedInput& input, const fs::path& path) {
    InputFiles files = files_;
    files[{input.model, input.component}] = path;
    const std::optional<Plan> plan = TryPlan(provenance_, files);
    return plan && DigestAsRead(*plan, input, options_).ToHex() == *input.digest;
  }

  const Provenance& provenance_;
  std::optional<FileIdentity> output_;
  InputFinder& finder_;
  const RunOptions& options_;
  InputFiles files_;
  std::vector<Paths> candidates_;  ///< parallel to the inputs
  std::vector<std::size_t> open_;  ///< inputs whose candidates are to be compared
};

}  // namespace

Plan PlanOfRecorded(const Provenance& provenance, const InputFiles& files) {
  RecipeOptions options;
  options.check_output_names = false;
  Diagnostics diagnostics;
  std::optional<Recipe> parsed =
      ParseRecipe({"recorded recipe", provenance.recipe.value()}, {}, options, diagnostics);
  diagnostics.ThrowIfErrors();
  Recipe& recipe = parsed.value();
  // The paths play no part, nothing is written, but outputs have them.
  for (std::size_t i = 0; i < recipe.outputs.size(); ++i) {
    RecipeOutput& output = recipe.outputs[i];
    output.path = fmt::format("recomputed-{}.safetensors", i + 1);
    // One file or a pipeline: it is not recorded which, and the names are the same.
    output.split = output.split || output.layout == OutputLayout::kDiffusers;
  }
  for (RecipeModel& model : recipe.models) {
    for (RecipeModel::Part& part : model.parts) {
      const auto found = files.find({model.name, part.component.value_or("")});
      if (found == files.end()) continue;  // nothing of it was read
      part.file.path = found->second;
      part.file.pins.clear();  // digests and hashes of the metadata have been compared
    }
  }
  return PlanOfRecipe(recipe, options, diagnostics);
}

InputFiles ChooseInputs(const Provenance& provenance, const fs::path& output, InputFinder& finder,
                        const RunOptions& options) {
  finder.ExpectKnown(provenance.inputs);
  return Chooser(provenance, output, finder, options).Choose();
}

}  // namespace weightsmith::internal
