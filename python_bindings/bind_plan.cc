#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/encoding.h"
#include "merge/run/executor.h"
#include "python_bindings/bindings.h"
#include "python_bindings/handles.h"
#include "python_bindings/watch.h"
#include "recipes/jobs/assemble.h"
#include "recipes/jobs/convert.h"
#include "recipes/jobs/generated_recipe.h"
#include "recipes/jobs/plan_json.h"
#include "recipes/jobs/plan_recipe.h"
#include "recipes/jobs/prepared_plan.h"
#include "recipes/jobs/report_json.h"
#include "recipes/jobs/split.h"
#include "recipes/show.h"

namespace weightsmith::internal::python {
namespace {

namespace nb = nanobind;
using Words = std::map<std::string, std::string>;
using Paths = std::vector<std::filesystem::path>;
using PathsByName = std::map<std::string, std::filesystem::path>;

RecipeOptions RecipeOptionsOf(const nb::dict& given) {
  RecipeOptions options;
  options.variables = Find<Words>(given, "vars").value_or(Words());
  for (auto& policy : Find<Words>(given, "policy").value_or(Words())) {
    options.policies.emplace_back(policy);
  }
  options.output_step = Find<std::string>(given, "output_step");
  options.output_path = Find<std::filesystem::path>(given, "output");
  options.dtype = Find<std::string>(given, "dtype");
  options.rounding = Find<std::string>(given, "rounding");
  options.max_shard_size = Find<std::uint64_t>(given, "max_shard_size");
  options.model_folders = Find<Paths>(given, "models").value_or(Paths());
  options.presets = Find<std::filesystem::path>(given, "presets");
  for (auto& name :
       Find<std::vector<std::string>>(given, "differences").value_or(std::vector<std::string>())) {
    options.differences.insert(std::move(name));
  }
  options.difference_as_output = Find<bool>(given, "difference_as_output").value_or(false);
  options.check_output_names = Find<bool>(given, "check_output_names").value_or(true);
  options.private_metadata = Find<bool>(given, "private").value_or(false);
  options.sha256 = Find<bool>(given, "sha256").value_or(false);
  if (given.contains("opened")) {
    for (const auto& [path, open] : nb::cast<nb::dict>(given["opened"])) {
      options.opened[nb::cast<std::filesystem::path>(path)] =
          nb::cast<OpenCheckpoint&>(open).checkpoint;
    }
  }
  return options;
}

/// A recipe: a file by `path`, or `text` that Python made, with the paths of its models and
/// adapters by their names.
struct Source {
  std::optional<std::filesystem::path> path;
  GeneratedRecipe generated;
};

Source SourceOf(const nb::dict& given) {
  return {Find<std::filesystem::path>(given, "path"),
          {Find<std::string>(given, "text").value_or(""),
           Find<PathsByName>(given, "paths").value_or(PathsByName())}};
}

Recipe ReadRecipe(const Source& source, const RecipeOptions& options, Diagnostics& diagnostics) {
  if (!source.path) return ReadGenerated(source.generated, options, diagnostics);
  std::optional<Recipe> recipe = LoadRecipe(*source.path, options, diagnostics);
  diagnostics.ThrowIfErrors();
  return std::move(recipe).value();
}

PreparedPlan PlanRecipe(const nb::dict& given) {
  const Source source = SourceOf(given);
  const RecipeOptions options = RecipeOptionsOf(given);
  const nb::gil_scoped_release released;
  Diagnostics diagnostics;
  auto recipe = std::make_shared<const Recipe>(ReadRecipe(source, options, diagnostics));
  if (!source.path)
    return PreparedPlan(PlanOfGenerated(*recipe, options, diagnostics), diagnostics);
  Plan plan = PlanOfRecipe(*recipe, options, diagnostics);
  return PreparedPlan(std::move(plan), diagnostics, std::move(recipe));
}

std::string ShowRecipeOf(const nb::dict& given) {
  const Source source = SourceOf(given);
  const RecipeOptions options = RecipeOptionsOf(given);
  Diagnostics diagnostics;
  return ShowRecipe(ReadRecipe(source, options, diagnostics));
}

PreparedPlan PlanSplit(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const nb::gil_scoped_release released;
  return PreparedPlan(SplitJob(path, folder));
}

PreparedPlan PlanAssemble(const std::string& like, const PathsByName& parts,
                          const std::filesystem::path& output) {
  const nb::gil_scoped_release released;
  return PreparedPlan(AssembleJob(like, {parts.begin(), parts.end()}, output));
}

PreparedPlan PlanConvert(const nb::dict& given) {
  ConvertRequest request;
  request.path = Find<std::filesystem::path>(given, "path").value();
  request.output = Find<std::filesystem::path>(given, "output").value();
  if (const auto word = Find<std::string>(given, "dtype")) request.dtype = StorageNamed(*word);
  if (const auto word = Find<std::string>(given, "layout")) request.layout = LayoutNamed(*word);
  request.components =
      Find<std::vector<std::string>>(given, "components").value_or(std::vector<std::string>());
  request.files_from = Find<std::filesystem::path>(given, "files_from");
  request.key = Find<std::string>(given, "key").value_or("");
  request.prune = Find<bool>(given, "prune").value_or(false);
  request.fix = Find<bool>(given, "fix").value_or(false);
  const nb::gil_scoped_release released;
  return PreparedPlan(ConvertJob(request));
}

std::string JsonOf(const PreparedPlan& prepared, const nb::dict& options) {
  const RunOptions run = RunOptionsOf(options);
  const nb::gil_scoped_release released;
  return prepared.InRecipe([&] { return PlanJson(prepared.plan(), run); });
}

/// The report, JSON.
std::string RunPlan(const PreparedPlan& prepared, const nb::dict& given, const std::string& phase,
                    const nb::object& progress) {
  std::string report;
  RunWatched(RunOptionsOf(given), phase, progress,
             [&](const RunOptions& watched, const auto& /*phase*/) {
               report = ReportJson(prepared.plan(), prepared.Run(watched));
             });
  return report;
}

/// The result in memory.
OpenCheckpoint ComputePlan(const PreparedPlan& prepared, const nb::dict& given,
                           const nb::object& progress) {
  OpenCheckpoint result;
  RunWatched(RunOptionsOf(given), "computing", progress,
             [&](const RunOptions& watched, const auto& /*phase*/) {
               result.checkpoint = prepared.Compute(watched);
             });
  return result;
}

/// One tensor of it, on the calling thread, stopped by Ctrl-C.
OpenCheckpoint ComputeTensor(const PreparedPlan& prepared, const std::string& name) {
  const nb::gil_scoped_release released;
  return {prepared.ComputeTensor(name, [] {
    const nb::gil_scoped_acquire acquired;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  })};
}

nb::list OutputKeys(const PreparedPlan& prepared) {
  nb::list names;
  for (const std::string& name : prepared.Names()) names.append(name);
  return names;
}

}  // namespace

void BindPlan(nb::module_& module) {
  nb::class_<PreparedPlan>(module, "Plan")
      .def_static("of_recipe", &PlanRecipe, nb::arg("request"),
                  nb::sig("def of_recipe(request: dict[str, typing.Any]) -> Plan"))
      .def_static("of_split", &PlanSplit, nb::arg("path"), nb::arg("folder"))
      .def_static("of_assemble", &PlanAssemble, nb::arg("like"), nb::arg("parts"),
                  nb::arg("output"))
      .def_static("of_convert", &PlanConvert, nb::arg("request"),
                  nb::sig("def of_convert(request: dict[str, typing.Any]) -> Plan"))
      .def_prop_ro("notes", &PreparedPlan::notes)
      .def_prop_ro("warnings", &PreparedPlan::warnings)
      .def("keys", &OutputKeys, nb::sig("def keys(self) -> list[str]"))
      .def("json", &JsonOf, nb::arg("options"),
           nb::sig("def json(self, options: dict[str, typing.Any]) -> str"))
      .def("run", &RunPlan, nb::arg("options"), nb::arg("phase"), nb::arg("progress").none(),
           nb::sig("def run(self, options: dict[str, typing.Any], phase: str, progress: "
                   "typing.Callable[[str, int, int, float], object] | None) -> str"))
      .def("compute", &ComputePlan, nb::arg("options"), nb::arg("progress").none(),
           nb::sig("def compute(self, options: dict[str, typing.Any], progress: "
                   "typing.Callable[[str, int, int, float], object] | None) -> Checkpoint"))
      .def("compute_tensor", &ComputeTensor, nb::arg("name"));
  module.def("show_recipe", &ShowRecipeOf, nb::arg("request"),
             nb::sig("def show_recipe(request: dict[str, typing.Any]) -> str"));
}

}  // namespace weightsmith::internal::python
