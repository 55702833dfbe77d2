#include "cli/merge_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "cli/alpha_words.h"
#include "cli/everyday.h"
#include "cli/everyday_places.h"
#include "cli/model_path.h"
#include "cli/option_words.h"
#include "core/error.h"
#include "core/text.h"
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

// One model with another VAE: nothing is merged.
bool ReplacesVae(const ParsedArguments& arguments) {
  return arguments.positionals().size() == 1 && arguments.Has("vae") && !arguments.Has("op") &&
         !arguments.Has("alpha") && !arguments.Has("mbw");
}

EverydayMerge ReadEverydayMerge(const ParsedArguments& arguments, Everyday kind) {
  EverydayMerge merge;
  merge.bake_each = kind == Everyday::kBake || ReplacesVae(arguments);
  for (const std::string& words : arguments.All("lora")) merge.loras.push_back(ParseLora(words));
  merge.lora_blocks = arguments.Text("lora-blocks");
  merge.allow_unmatched = arguments.Text("allow-unmatched");
  merge.vae = arguments.Path("vae");
  merge.key = arguments.Text("key");
  if (merge.bake_each && merge.loras.empty() && !merge.vae) {
    throw Error(ErrorCode::kUsage, "bake: no adapter is given.",
                "Name one with --lora FILE, or FILE:STRENGTH.");
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
    if (ReplacesVae(arguments)) return true;
    throw Error(ErrorCode::kUsage,
                fmt::format("a merge needs two models; {} is one.", Quote(words.front())),
                arguments.Has("lora") ? "Give a second model, or bake adapters into one: "
                                        "'weightsmith bake MODEL --lora FILE'."
                                      : "Give a second model, or a recipe that names the models.");
  }
  RefuseEverydayFlags(arguments);
  return false;
}

}  // namespace

std::vector<Positional> MergePositionals() {
  return {{.name = "RECIPE|MODEL",
           .doc = "two or three models (more with --op), or a recipe",
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
       .details = "A number; the name of a preset (GRAD_V); a number and rows, such as "
                  "0.3,IN00=0,te=0; weights as a recipe writes them on one line, such as "
                  "'{default: 0.3, te: 0}'; or @FILE that holds one of these.",
       .group = "Models without a recipe"},
      {.name = "mbw",
       .kind = ValueKind::kText,
       .value = "LIST",
       .doc = "Block weights instead of alpha: 26 numbers, or a preset",
       .details = "26 numbers for SD 1 and 2, 20, 21 or 26 for SDXL, 61 for FLUX.1, in the "
                  "community's order; `weightsmith blocks` shows the places.",
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
           "S is 1 by default; TE is the strength in the text encoders, by default S. With a "
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
      {.name = "mkdir", .doc = "Make the folder of the output", .group = "Running"},
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
      {.name = "sha256",
       .doc = "Compute SHA-256 of inputs and outputs (slow)",
       .group = "Running"},
      {.name = "report",
       .kind = ValueKind::kFile,
       .value = "FILE",
       .doc = "Write a JSON report of every input, step and tensor",
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
  if (IsEveryday(arguments, kind)) {
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
  return {std::move(recipe).value(), std::move(options)};
}

Plan PlanOf(const RecipeRequest& request, Terminal& terminal) {
  Diagnostics diagnostics;
  try {
    Plan plan = PlanOfRecipe(request.recipe, request.options, diagnostics);
    ShowDiagnostics(diagnostics, terminal);
    return plan;
  } catch (const RecipeProblems&) {
    ShowDiagnostics(diagnostics, terminal);
    throw;
  }
}

}  // namespace weightsmith
