#include <fmt/format.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/input_finder.h"
#include "cli/merge_request.h"
#include "cli/provenance.h"
#include "cli/tensor_scan.h"
#include "cli/verification.h"
#include "core/anatomy/canonical_view.h"
#include "core/checkpoint.h"
#include "core/error.h"
#include "core/text.h"

namespace weightsmith {
namespace {

constexpr std::size_t kMostNamed = 10;

InputFinder FinderFor(const ParsedArguments& arguments, const std::filesystem::path& file) {
  std::vector<std::filesystem::path> folders = ModelFolders(arguments);
  const std::filesystem::path own = file.parent_path();
  folders.push_back(own.empty() ? std::filesystem::path(".") : own);
  std::map<std::string, std::filesystem::path> named;
  for (const auto& [name, path] : arguments.Assignments("model")) named[name] = path;
  return {std::move(folders), std::move(named)};
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

struct Verdict {
  std::string checked;  ///< for the last word
  std::vector<std::string> problems;
};

/// The file's tensors under each of its namings, or under the one alone that has the digest.
/// Tensors that were computed under one name and written in parts under others have it under the
/// one.
std::vector<std::vector<ScannedTensor>> Readings(
    const std::shared_ptr<const Checkpoint>& checkpoint, const Provenance& provenance,
    Terminal& terminal) {
  std::vector<std::vector<ScannedTensor>> readings;
  for (const auto& naming : NamingsOf(checkpoint)) {
    readings.push_back(ScanTensors(*naming, terminal));
    if (!provenance.output_digest) continue;
    if (DigestOfTensors(readings.back()).ToHex() == *provenance.output_digest) {
      return {std::move(readings.back())};
    }
  }
  return readings;
}

Verdict Check(const ParsedArguments& arguments, const std::filesystem::path& path,
              Terminal& terminal) {
  const auto checkpoint = Checkpoint::Open(path);
  const Provenance provenance = ReadProvenance(checkpoint->metadata());
  const auto readings = Readings(checkpoint, provenance, terminal);
  Verdict verdict{"structure, finite values", {}};
  AddProblems("values that are not finite", NonFinite(readings.front()), verdict.problems);
  if (provenance.output_digest) {
    verdict.checked += ", digest";
    if (DigestOfTensors(readings.front()).ToHex() != *provenance.output_digest) {
      verdict.problems.emplace_back(
          "the tensors are not those that were written: their digest differs");
    }
  }
  if (!provenance.recipe) {
    verdict.checked += "; no recipe is recorded";
  } else if (!arguments.Has("no-recompute")) {
    AddProblems("not what the recipe makes of its inputs",
                CompareWithRecipe(provenance, readings, path.filename().string(),
                                  FinderFor(arguments, path), terminal),
                verdict.problems);
    verdict.checked += ", recomputed";
  }
  return verdict;
}

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const std::filesystem::path path = arguments.positionals().front();
  const auto [checked, problems] = Check(arguments, path, terminal);
  if (problems.empty()) {
    terminal.Print(fmt::format("{}: right ({})\n", path.string(), checked));
    return 0;
  }
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "\n") + problem;
  throw Error(ErrorCode::kVerification, fmt::format("verify {}: {}", Quote(path.string()), text));
}

}  // namespace

const Command& verify() {
  static const Command command = {
      .name = "verify",
      .summary = "Check that a model file is what it says it is",
      .doc =
          "Checks the structure of a checkpoint and that all its values are finite. Of a file "
          "that weightsmith wrote it also compares the digest that is recorded, looks for the "
          "inputs by their digests, recomputes every tensor and compares (nothing is written). "
          "Inputs are looked for in `--models`, $WEIGHTSMITH_MODELS and the folder of the file. "
          "The status is 7 where something differs.",
      .positionals = {{.name = "FILE", .doc = "a checkpoint: a file, an index or a folder"}},
      .flags = {{.name = "models",
                 .kind = ValueKind::kFolder,
                 .value = "DIR",
                 .doc = "Look for inputs in this folder and all below it",
                 .repeatable = true},
                {.name = "model",
                 .kind = ValueKind::kAssignment,
                 .value = "NAME=PATH",
                 .doc = "Take this file for that input of the recipe",
                 .repeatable = true},
                {.name = "no-recompute", .doc = "Check the file alone, without its inputs"}},
      .examples = {{"weightsmith verify mix.safetensors --models ~/models",
                    "Is this what its recipe makes of its inputs?"},
                   {"weightsmith verify download.safetensors", "Is this download whole?"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
