#include "cli/merge_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "cli/alpha_words.h"
#include "cli/everyday.h"
#include "cli/everyday_places.h"
#include "cli/lora_arguments.h"
#include "cli/model_path.h"
#include "cli/option_words.h"
#include "core/error.h"
#include "core/text.h"
#include "merge/touched_paths.h"
#include "recipes/jobs/plan_recipe.h"

namespace weightsmith {
namespace {

constexpr std::uint64_t kMaxThreads = 1024;

// Flags that only an everyday merge has a use for.
constexpr std::array<FlagName, 9> kEverydayOnly = {
    "op", "alpha", "mbw", "param", "vae", "key", "lora", "lora-blocks", "allow-unmatched"};

void Append(std::vector<Flag>& flags, const std::vector<Flag>& more) {
  flags.insert(flags.end(), more.begin(), more.end());
}

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
         !arguments.Has("op") && !arguments.Has("alpha") && !arguments.Has("mbw") &&
         !arguments.Has("param");
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
  merge.parameters = arguments.Assignments("param");
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
  if (LooksLikeModel(words.front())) {
    if (ChangesOneModel(arguments)) return true;
    throw Error(ErrorCode::kUsage,
                fmt::format("a merge needs two models; {} is one.", Quote(words.front())),
                "Give a second model, --lora or --vae for this one, or a recipe that names the "
                "models.");
  }
  RefuseEverydayFlags(arguments);
  return false;
}

}  // namespace

std::vector<Positional> MergePositionals() {
  return {{.name = "RECIPE|MODEL",
           .doc = "two or three models (more with --op), one with --lora or --vae, or a recipe",
           .repeatable = true}};
}

std::vector<Flag> RecipeFlags() {
  return {
      {.name = "set",
       .kind = ValueKind::kAssignment,
       .value = "K=V",
       .doc = "Set a variable of the recipe",
       .details = "The value is read as in the recipe's `vars`: a number, a text or a list.",
       .group = "Recipe",
       .repeatable = true},
      {.name = "policy",
       .kind = ValueKind::kAssignment,
       .value = "K=V",
       .doc = "Set a policy, over the recipe's own",
       .details = "Such as `missing=keep` or `non_finite=saturate`.",
       .group = "Recipe",
       .repeatable = true},
      {.name = "step",
       .kind = ValueKind::kText,
       .value = "NAME",
       .doc = "Write this step instead of the recipe's output",
       .group = "Recipe"},
      {.name = "output",
       .letter = 'o',
       .kind = ValueKind::kFile,
       .value = "FILE",
       .doc = "Write to this file or folder",
       .group = "Recipe"},
      {.name = "dtype",
       .kind = ValueKind::kDType,
       .value = "DTYPE",
       .doc = "Store tensors as f32, f16, bf16, f8_e4m3 or f8_e5m2",
       .details = "Without it every tensor keeps the dtype that it has in the leftmost model.",
       .group = "Recipe"},
      {.name = "rounding",
       .kind = ValueKind::kText,
       .value = "WAY",
       .doc = "nearest, stochastic or stochastic:SEED",
       .details =
           "Stochastic rounding goes up or down by chance: small changes to f16, bf16 and fp8 "
           "are kept on average. The same seed gives the same bytes.",
       .group = "Recipe"},
      {.name = "max-shard-size",
       .kind = ValueKind::kBytes,
       .value = "SIZE",
       .doc = "Write shards of at most this size and their index",
       .details = "Such as 5GB. A tensor that is larger has a shard of its own.",
       .group = "Recipe"},
      {.name = "models",
       .kind = ValueKind::kFolder,
       .value = "DIR",
       .doc = "Look here for models named by hash",
       .details = "After it the folders in $WEIGHTSMITH_MODELS.",
       .group = "Recipe",
       .repeatable = true},
      {.name = "presets",
       .kind = ValueKind::kFile,
       .value = "FILE",
       .doc = "Read named block weights from this file",
       .details = "Lines of NAME, a tab and numbers with commas, as people exchange them.",
       .group = "Recipe"},
      {.name = "private", .doc = "Leave recipe and inputs out of the metadata", .group = "Recipe"},
  };
}

std::vector<Flag> EverydayFlags() {
  return {
      {.name = "op",
       .kind = ValueKind::kOperator,
       .value = "NAME",
       .doc = "Operator (weighted_sum; of three add_difference)",
       .details = "`weightsmith ops` lists them.",
       .group = "Models without a recipe"},
      {.name = "alpha",
       .kind = ValueKind::kText,
       .value = "V",
       .doc = "Share of the second model (0.5), or factor of B - C (1)",
       .details =
           "The VAE stays that of the first model, unless a row names vae or a list has BASE. "
           "A number; the name of a preset (GRAD_V); a number and rows, such as "
           "0.3,IN00=0,te=0; weights as a recipe writes them on one line, such as "
           "'{default: 0.3, te: 0}'; or @FILE that holds one of these.",
       .group = "Models without a recipe"},
      {.name = "mbw",
       .kind = ValueKind::kText,
       .value = "LIST",
       .doc = "Block weights instead of alpha: 26 numbers, or a preset",
       .details = "26 numbers for SD 1 and 2, 20, 21 or 26 for SDXL, 61 for FLUX.1, in the "
                  "community's order; `weightsmith blocks` shows the places. The first one, BASE, "
                  "is the weight of the text encoders and, as in SuperMerger, of the VAE (but for "
                  "FLUX.1's and in a list of 21).",
       .group = "Models without a recipe"},
      {.name = "param",
       .kind = ValueKind::kAssignment,
       .value = "K=V",
       .doc = "Set another parameter of the operator",
       .details = "For an operator that takes a list with weights, weights=0.5,0.3,0.2 gives each "
                  "model its own.",
       .group = "Models without a recipe",
       .repeatable = true},
      {.name = "vae",
       .kind = ValueKind::kFile,
       .value = "FILE",
       .doc = "Take the VAE from this file",
       .group = "Models without a recipe"},
      KeyFlag("Models without a recipe"),
      {.name = "print-recipe",
       .doc = "Print the recipe of this merge; write nothing",
       .group = "Running"},
  };
}

Flag KeyFlag(std::string_view group) {
  return {.name = "key",
          .kind = ValueKind::kText,
          .value = "KEY",
          .doc = "Which dict of tensors of a .ckpt or .pt file to take",
          .group = group};
}

std::vector<Flag> LoraFlags() {
  return {
      {.name = "lora",
       .kind = ValueKind::kText,
       .value = "FILE[:S[:TE]]",
       .doc = "Bake in this LoRA or adapter with strength S",
       .details =
           "Such as style.safetensors:0.7 or style.safetensors:0.7:0.3. S is 1 by default; TE is "
           "the strength in the text encoders, by default S. With a "
           "colon in the path, give the strength as well.",
       .group = "Adapters",
       .repeatable = true},
      {.name = "lora-blocks",
       .kind = ValueKind::kText,
       .value = "LIST",
       .doc = "Strengths by block: numbers, a preset, rows",
       .details =
           "In the order of LoRA block weights: 17 or 26 numbers for SD 1 and 2, 12, 20 or 26 "
           "for SDXL, 61 for FLUX.1; INS, IND, INALL, MIDD, OUTD, OUTS, OUTALL; or rows, such "
           "as 1,IN04=0.5,te=0.",
       .group = "Adapters"},
      {.name = "allow-unmatched",
       .kind = ValueKind::kText,
       .value = "REGEX",
       .doc = "Allow matching modules to change nothing",
       .group = "Adapters"},
  };
}

std::vector<Flag> RunFlags() {
  return {
      {.name = "force", .letter = 'f', .doc = "Overwrite an existing output", .group = "Running"},
      {.name = "mkdir", .doc = "Make missing folders of the output", .group = "Running"},
      {.name = "threads",
       .kind = ValueKind::kInteger,
       .value = "N",
       .doc = "Compute with N threads; default: the physical cores",
       .details = "The bytes of the output do not depend on it.",
       .group = "Running"},
      {.name = "max-memory",
       .kind = ValueKind::kBytes,
       .value = "SIZE",
       .doc = "Hold at most this in memory, or refuse to start",
       .details = "A size such as 512M or 1.5GiB.",
       .group = "Running"},
      {.name = "io",
       .kind = ValueKind::kText,
       .value = "WAY",
       .doc = "Read inputs by mapping (map) or by system calls (read)",
       .details = "By default the faster way for the file system.",
       .group = "Running",
       .choices = {"map", "read"}},
      {.name = "no-sync",
       .doc = "Do not wait until the output is safe on disk",
       .details = "For scratch results: faster, but a power cut may lose the file.",
       .group = "Running"},
      {.name = "no-cache",
       .doc = "Keep inputs and outputs out of the page cache",
       .details =
           "For machines where other programs need that memory; a second run reads the disk again.",
       .group = "Running"},
      {.name = "no-digest",
       .doc = "Compute no digests of inputs and outputs",
       .details = "Saves little time; `verify` can then not find the inputs by their digests, and "
                  "an interrupted run starts again from the beginning.",
       .group = "Running"},
      {.name = "trust-partial",
       .doc = "Resume without reading back what was written",
       .details = "Otherwise finished tensors are read from the disk and compared with their "
                  "digests.",
       .group = "Running"},
      {.name = "sha256", .doc = "Compute SHA-256 of inputs and outputs (slow)", .group = "Running"},
      {.name = "report",
       .kind = ValueKind::kFile,
       .value = "FILE",
       .doc = "Write a JSON report of every input, step and tensor",
       .details =
           "inputs[] has the tensors that were read of each input, how many of the result it "
           "was copied to or computed into, how many of those changed and in which steps; "
           "steps[] and tensors[].effects the changes of each step; adapters[].applied[] "
           "those of each module. `weightsmith schema report` describes it. A report that "
           "exists is refused without --force.",
       .group = "Running"},
  };
}

std::vector<Flag> MergeFlags() {
  std::vector<Flag> flags = RecipeFlags();
  Append(flags, EverydayFlags());
  Append(flags, LoraFlags());
  Append(flags, RunFlags());
  return flags;
}

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

namespace {

/// Weights without a number for the rest, "IN00=0.2,M00=0.8", begin with it on the command line.
Diagnostics InWordsOfFlags(const Diagnostics& diagnostics) {
  Diagnostics changed;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    const auto& source = diagnostic.place.source;
    const bool rows = source != nullptr && source->text.find('=') != std::string::npos &&
                      !source->text.starts_with('{') && source->text.find('\n') == std::string::npos;
    if (diagnostic.severity != Severity::kError) {
      changed.AddWarning(diagnostic.place, diagnostic.message, diagnostic.advice);
    } else if (rows && diagnostic.message.find("no row of 'alpha' matches") != std::string::npos) {
      changed.AddError(
          diagnostic.place,
          Error(diagnostic.code, diagnostic.message,
                fmt::format("Begin with a number for all other places: 0,{}", source->text)));
    } else {
      changed.AddError(diagnostic.place, Error(diagnostic.code, diagnostic.message,
                                               diagnostic.advice, diagnostic.options));
    }
  }
  return changed;
}

}  // namespace

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

}  // namespace weightsmith
