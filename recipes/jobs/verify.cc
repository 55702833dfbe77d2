#include "recipes/jobs/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/tensor_digest.h"
#include "core/model/open_as_stored.h"
#include "core/model/views/canonical_view.h"
#include "merge/plan/plan.h"
#include "recipes/jobs/input_chooser.h"
#include "recipes/jobs/input_finder.h"
#include "recipes/jobs/provenance.h"
#include "recipes/jobs/tensor_scan.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;
using Digests = std::map<std::string, Digest, std::less<>>;

constexpr std::size_t kMostNamed = 10;

// Reports the inputs that are other files than the recorded ones.
void CheckInputs(const Provenance& provenance, const Plan& plan, const Report& report,
                 Verification& found) {
  std::size_t at = 0;
  for (const Model& model : plan.models) {
    for (const Model::Part& part : model.parts) {
      const InputReport& read = report.inputs[at++];
      for (const RecordedInput& input : provenance.inputs) {
        if (input.model != model.name || input.component != part.component.value_or("")) continue;
        if (!read.digest || !input.digest || read.digest->ToHex() == *input.digest) continue;
        found.wrong_inputs = true;
        found.problems.push_back(fmt::format(
            "{} is not the input {}: its tensors have the digest {}, recorded is {}",
            Quote(read.path.string()), Quote(input.Name()), read.digest->ToHex(), *input.digest));
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
    if (!expected.contains(name)) lines.push_back(fmt::format("{} is unexpected", Quote(name)));
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

// The tensors that differ from the expected ones, that are missing or unexpected. A recipe may have
// several outputs, and shards are several files of one: the one that fits best is meant, and of
// those that fit alike the one of this name. `readings` are the file's tensors under each of its
// namings.
std::vector<std::string> Compare(const Plan& plan, const std::vector<TaskResult>& results,
                                 std::span<const std::vector<ScannedTensor>> readings,
                                 const std::string& file_name) {
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

// Recomputes every tensor from the recipe and the inputs that `finder` finds.
void CompareWithRecipe(const Provenance& provenance,
                       std::span<const std::vector<ScannedTensor>> readings,
                       const InputFiles& inputs, const RunOptions& options, Verification& found) {
  std::optional<Plan> plan;
  try {
    plan = PlanOfRecorded(provenance, inputs);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kMismatch && error.code() != ErrorCode::kNoEffect) throw;
    found.problems.push_back(
        fmt::format("the recorded recipe does not fit its inputs: {}", error.what()));
    return;
  }
  const std::vector<TaskResult> results = Recompute(*plan, options);
  CheckInputs(provenance, *plan, MakeReport(*plan, results, false), found);
  if (found.wrong_inputs) return;
  AddProblems("not what the recipe makes of its inputs",
              Compare(*plan, results, readings, found.path.filename().string()), found.problems);
  found.checked.emplace_back("recomputed");
}

}  // namespace

void Verify(const VerifyRequest& request, const RunOptions& options,
            const std::function<void(std::string_view)>& phase, Verification& found) {
  found = {};
  found.path = request.path;
  const auto checkpoint = OpenAsStored(request.path);
  const Provenance provenance = ReadProvenance(checkpoint->metadata());
  found.recipe = provenance.recipe.has_value();
  found.checked.emplace_back("structure");
  phase("reading");
  const auto readings = Readings(checkpoint, provenance, options);
  found.checked.emplace_back("finite values");
  AddProblems("values that are not finite", NonFinite(readings.front()), found.problems);
  if (provenance.output_digest) {
    found.checked.emplace_back("digest");
    if (DigestOfTensors(readings.front()).ToHex() != *provenance.output_digest) {
      found.problems.emplace_back(
          "the tensors are not those that were written: their digest differs");
    }
  }
  if (!found.recipe || !request.recompute) return;
  phase("finding inputs");
  InputFinder finder = FinderFor(request);
  const InputFiles inputs = ChooseInputs(provenance, request.path, finder, options);
  phase("recomputing");
  CompareWithRecipe(provenance, readings, inputs, options, found);
}

Error VerificationError(const Verification& found) {
  return {ErrorCode::kVerification,
          fmt::format("verify {}: {}", Quote(found.path.string()), fmt::join(found.problems, "\n")),
          {},
          found.wrong_inputs ? std::vector{Option::kModelPath} : std::vector<Option>()};
}

}  // namespace weightsmith::internal
