#include "cli/merge_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "cli/alpha_words.h"
#include "cli/everyday.h"
#include "cli/everyday_places.h"
#include "cli/everyday_step.h"
#include "cli/flags/option_words.h"
#include "cli/lora_arguments.h"
#include "cli/model_path.h"
#include "cli/operator_names.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "merge/run/touched_paths.h"
#include "recipes/jobs/plan_recipe.h"
#include "recipes/jobs/problem_places.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kMaxThreads = 1024;

// Flags that only an everyday merge has a use for.
constexpr std::array<FlagName, 12> kEverydayOnly = {
    "op",    "base", "alpha", "mbw",  "weights",     "density",
    "param", "vae",  "key",   "lora", "lora-blocks", "allow-unmatched"};

// Parameters that are flags by themselves.
constexpr std::array<FlagName, 2> kParameterFlags = {"weights", "density"};

bool LooksLikeRecipe(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  return !LooksLikeModel(path) &&
         (path == "-" || extension == ".yaml" || extension == ".yml" || extension == ".json");
}

std::vector<std::filesystem::path> SplitFolders(std::string_view text) {
  std::vector<std::filesystem::path> folders;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    if (end > 0) folders.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return folders;
}

std::optional<IoBackend> BackendOf(const ParsedArguments& arguments) {
  const std::optional<std::string> way = arguments.Text("io");
  if (!way) return std::nullopt;
  return *way == "map" ? IoBackend::kMap : IoBackend::kRead;
}

// One model with adapters or another VAE: nothing is merged, `bake` would do the same.
bool ChangesOneModel(const ParsedArguments& arguments) {
  return arguments.positionals().size() == 1 && (arguments.Has("vae") || arguments.Has("lora")) &&
         !arguments.Has("op") && !arguments.Has("base") && !arguments.Has("alpha") &&
         !arguments.Has("mbw") && !arguments.Has("weights") && !arguments.Has("density") &&
         !arguments.Has("param");
}

/// The base at its place among the models.
void AddBase(const std::filesystem::path& base, EverydayMerge& merge) {
  if (!merge.op) {
    throw Error(ErrorCode::kUsage, "--base needs an operator.",
                "Name one with --op, such as ties; 'weightsmith ops' lists them.");
  }
  const std::size_t place = PlaceOfBase(OperatorNamed("--op", *merge.op));
  const std::size_t at = std::min(place, merge.models.size());
  merge.has_base = true;
  merge.models.insert(merge.models.begin() + static_cast<std::ptrdiff_t>(at), base);
}

EverydayMerge ReadEverydayMerge(const ParsedArguments& arguments, Everyday kind) {
  EverydayMerge merge;
  merge.bake_each = kind == Everyday::kBake || ChangesOneModel(arguments);
  for (const std::string& words : arguments.All("lora")) {
    merge.loras.push_back(ParseLora(words));
    ExpectStrength(merge.loras.back(), words);
  }
  merge.lora_blocks = arguments.Text("lora-blocks");
  merge.allow_unmatched = arguments.Text("allow-unmatched");
  merge.vae = arguments.Path("vae");
  merge.key = arguments.Text("key");
  if (merge.bake_each && merge.loras.empty() && !merge.vae) {
    RefuseNoAdapter(arguments.positionals());
  }
  for (const std::string& word : arguments.positionals()) {
    if (LooksLikeRecipe(word)) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("the recipe {} cannot be combined with other files.", Quote(word)),
                  "Give one recipe, or models and no recipe.");
    }
    merge.models.emplace_back(word);
  }
  merge.output = arguments.Path("output");
  merge.dtype = arguments.Text("dtype");
  merge.policies = arguments.Assignments("policy");
  if (arguments.Knows("strict-components") && arguments.Has("strict-components")) {
    merge.policies.emplace_back("elsewhere", "error");
  }
  if (merge.bake_each) return merge;
  merge.op = arguments.Text("op");
  if (arguments.Has("alpha") && arguments.Has("mbw")) {
    throw Error(ErrorCode::kUsage, "--alpha and --mbw cannot be combined.", "Give one of them.");
  }
  for (const FlagName flag : {FlagName("alpha"), FlagName("mbw")}) {
    if (const auto words = arguments.Text(flag)) merge.alpha = AlphaText(*words);
  }
  for (const FlagName flag : kParameterFlags) {
    const auto words = arguments.Text(flag);
    if (!words) continue;
    merge.parameters.emplace_back(flag.text(), *words);
    merge.own_flags.emplace(flag.text());
  }
  for (auto& parameter : arguments.Assignments("param")) {
    merge.parameters.push_back(std::move(parameter));
  }
  if (const auto base = arguments.Path("base")) AddBase(*base, merge);
  return merge;
}

/// Values of flags that are files.
void AddFilesOfWeights(const ParsedArguments& arguments, Recipe& recipe) {
  for (const FlagName flag : {FlagName("alpha"), FlagName("mbw"), FlagName("lora-blocks")}) {
    if (!arguments.Knows(flag)) continue;
    const auto words = arguments.Text(flag);
    if (!words) continue;
    const std::size_t sign = words->starts_with('@') ? 1 : 0;
    recipe.files_read.push_back(SideFile{words->substr(sign), "file of weights"});
  }
}

void RefuseEverydayFlags(const ParsedArguments& arguments) {
  for (const FlagName flag : kEverydayOnly) {
    if (!arguments.Has(flag)) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("--{} cannot be combined with a recipe file.", flag.text()),
                "Write it in the recipe; --set changes a variable of the recipe.");
  }
}

// Whether the words are models, and not one recipe.
bool IsEveryday(const ParsedArguments& arguments, Everyday kind) {
  const std::vector<std::string>& words = arguments.positionals();
  if (words.size() > 1 || kind == Everyday::kBake) return true;
  if (LooksLikeModel(words.front()) && arguments.Has("base")) return true;
  if (LooksLikeModel(words.front())) {
    if (ChangesOneModel(arguments)) return true;
    const std::optional<std::string> op = arguments.Text("op");
    if (op && LeastModels(OperatorNamed("--op", *op)) < 2) return true;
    throw Error(ErrorCode::kUsage,
                fmt::format("a merge needs two models; {} is one.", Quote(words.front())),
                "Give a second model, --lora or --vae for this one, or a recipe that names the "
                "models.");
  }
  RefuseEverydayFlags(arguments);
  return false;
}

/// "Write strength: … (how much)" as "Give --param strength=… (how much)".
std::string AdviceInFlags(std::string_view advice) {
  constexpr std::string_view kWrite = "Write ";
  constexpr std::string_view kAnything = ": … (";
  const std::size_t end = advice.find(kAnything);
  if (!advice.starts_with(kWrite) || end == std::string_view::npos) return std::string(advice);
  const std::string_view key = advice.substr(kWrite.size(), end - kWrite.size());
  return fmt::format("Give {}{}", FlagOfParameter(key), advice.substr(end + 2));
}

/// Weights without a number for the rest, "IN00=0.2,M00=0.8", begin with it on the command line.
Diagnostics InWordsOfFlags(const Diagnostics& diagnostics) {
  Diagnostics changed;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    const auto& source = diagnostic.place.source;
    const bool rows = source != nullptr && source->text.find('=') != std::string::npos &&
                      !source->text.starts_with('{') &&
                      source->text.find('\n') == std::string::npos;
    if (diagnostic.severity != Severity::kError) {
      changed.AddWarning(diagnostic.place, diagnostic.message, diagnostic.advice);
    } else if (rows && diagnostic.message.find("no row of 'alpha' matches") != std::string::npos) {
      changed.AddError(
          diagnostic.place,
          Error(diagnostic.code, diagnostic.message,
                fmt::format("Begin with a number for all other places: 0,{}", source->text)));
    } else {
      changed.AddError(diagnostic.place,
                       Error(diagnostic.code, diagnostic.message, AdviceInFlags(diagnostic.advice),
                             diagnostic.options));
    }
  }
  return changed;
}

}  // namespace

std::vector<std::filesystem::path> ModelFolders(const ParsedArguments& arguments) {
  std::vector<std::filesystem::path> folders = arguments.Paths("models");
  if (const char* more = std::getenv("WEIGHTSMITH_MODELS")) {
    for (auto& folder : SplitFolders(more)) folders.push_back(std::move(folder));
  }
  return folders;
}

RecipeOptions ReadRecipeOptions(const ParsedArguments& arguments) {
  RecipeOptions options;
  if (arguments.Knows("set")) {
    for (const auto& [key, value] : arguments.Assignments("set")) options.variables[key] = value;
    options.output_step = arguments.Text("step");
    options.model_folders = ModelFolders(arguments);
  }
  options.policies = arguments.Assignments("policy");
  options.output_path = arguments.Path("output");
  options.dtype = arguments.Text("dtype");
  options.rounding = arguments.Text("rounding");
  options.max_shard_size = arguments.Bytes("max-shard-size");
  options.presets = arguments.Path("presets");
  options.private_metadata = arguments.Has("private");
  return options;
}

RunOptions ReadRunOptions(const ParsedArguments& arguments) {
  RunOptions options;
  if (const auto threads = arguments.Integer("threads")) {
    if (*threads < 1 || *threads > kMaxThreads) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("--threads is {}, expected 1 to {}.", *threads, kMaxThreads));
    }
    options.threads = static_cast<int>(*threads);
  }
  options.max_memory = arguments.Bytes("max-memory");
  options.whole_process = true;
  options.io = BackendOf(arguments);
  options.sync = !arguments.Has("no-sync");
  options.keep_cache = !arguments.Has("no-cache");
  options.overwrite = arguments.Has("force");
  options.make_folders = arguments.Has("mkdir");
  options.digests = !arguments.Has("no-digest");
  options.sha256 = arguments.Has("sha256");
  options.trust_partial = arguments.Has("trust-partial");
  options.by_tensor = arguments.Has("report");
  options.report = arguments.Path("report");
  return options;
}

void ShowDiagnostics(const Diagnostics& diagnostics, Terminal& terminal) {
  std::size_t errors = 0;
  ErrorCode code = ErrorCode::kUsage;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    const bool is_error = diagnostic.severity == Severity::kError;
    terminal.Tell(is_error ? Style::kError : Style::kWarning,
                  Render(diagnostic, CommandLineSpelling()));
    if (is_error && ++errors == 1) code = diagnostic.code;
  }
  if (errors == 0) return;
  throw Error(code,
              fmt::format("{} {}; nothing was written.", errors, errors == 1 ? "error" : "errors"));
}

std::optional<std::string> EverydayRecipe(const ParsedArguments& arguments, Everyday kind) {
  if (!IsEveryday(arguments, kind)) return std::nullopt;
  return RecipeText(ReadEverydayMerge(arguments, kind));
}

RecipeRequest ReadRecipe(const ParsedArguments& arguments, Terminal& terminal, Everyday kind) {
  RecipeOptions options = ReadRecipeOptions(arguments);
  options.io = BackendOf(arguments);
  options.sha256 = arguments.Has("sha256");
  Diagnostics diagnostics;
  std::optional<Recipe> recipe;
  const bool everyday = IsEveryday(arguments, kind);
  if (everyday) {
    const EverydayMerge merge = ReadEverydayMerge(arguments, kind);
    // The recipe says what these say.
    options.output_path.reset();
    options.policies.clear();
    options.dtype.reset();
    if (!merge.bake_each || merge.models.size() == 1) options.output_path = OutputPath(merge);
    EverydayWords words;
    for (const FlagName flag : {FlagName("alpha"), FlagName("mbw")}) {
      if (!arguments.Knows(flag) || !arguments.Has(flag)) continue;
      words = {fmt::format("--{}", flag.text()), arguments.Text(flag).value()};
    }
    const SourceText source = EverydaySource(merge, words, diagnostics);
    ShowDiagnostics(diagnostics, terminal);
    recipe = ParseRecipe(source, {}, options, diagnostics);
    diagnostics = InWordsOfFlags(diagnostics);
    if (recipe) {
      SetPaths(merge, *recipe);
      AddFilesOfWeights(arguments, *recipe);
    }
  } else {
    recipe = LoadRecipe(arguments.positionals().front(), options, diagnostics);
  }
  ShowDiagnostics(diagnostics, terminal);
  return {std::move(recipe).value(), std::move(options), everyday};
}

Plan PlanOf(const RecipeRequest& request, Terminal& terminal) {
  Diagnostics diagnostics;
  try {
    Plan plan = PlanOfRecipe(request.recipe, request.options, diagnostics);
    ShowDiagnostics(diagnostics, terminal);
    return plan;
  } catch (const RecipeProblems&) {
    if (request.everyday) RefuseAdaptersAmongModels(request.recipe);
    ShowDiagnostics(InWordsOfFlags(diagnostics), terminal);
    throw;
  }
}

void CheckPathsOf(const RecipeRequest& request, const Plan& plan, const RunOptions& run,
                  Terminal& terminal) {
  if (request.everyday) return CheckPaths(plan, run);
  Diagnostics diagnostics;
  try {
    CheckPathsOf(plan, run, request.recipe, diagnostics);
  } catch (const RecipeProblems&) {
    ShowDiagnostics(diagnostics, terminal);
    throw;
  }
}

void ShowRunProblems(const RecipeRequest& request, const Error& error, Terminal& terminal) {
  if (request.everyday) return;
  Diagnostics diagnostics;
  if (AddRunProblems(error, request.recipe, diagnostics)) ShowDiagnostics(diagnostics, terminal);
}

}  // namespace weightsmith::internal
