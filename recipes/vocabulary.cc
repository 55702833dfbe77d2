#include "recipes/vocabulary.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/text.h"
#include "core/model/architecture.h"

namespace weightsmith::internal {
namespace {

constexpr KeySpec kRecipeKeys[] = {
    {"weightsmith", ValueForm::kVersion, true, "Version of the language: 1."},
    {"include", ValueForm::kInclude, false,
     "A file (or a list of files) with a shared table of models, adapters and vars; what the "
     "recipe "
     "says itself wins."},
    {"models", ValueForm::kModels, false, "Names of the files that go in."},
    {"adapters", ValueForm::kAdapters, false, "Names of adapter files."},
    {"vars", ValueForm::kVariables, false,
     "Variables: a number, a text or a list each, written $name where they are used."},
    {"policy", ValueForm::kPolicy, false, "What to do where models differ."},
    {"steps", ValueForm::kSteps, false, "Named steps; each is a virtual checkpoint."},
    {"output", ValueForm::kOutput, false, "The file that comes out."},
    {"outputs", ValueForm::kOutputs, false, "Several outputs that share one pass."},
};

constexpr KeySpec kTableKeys[] = {
    {"weightsmith", ValueForm::kVersion, false, "Version of the language: 1."},
    {"include", ValueForm::kInclude, false, "Further tables."},
    {"models", ValueForm::kModels, false, "Names of files."},
    {"adapters", ValueForm::kAdapters, false, "Names of adapter files."},
    {"vars", ValueForm::kVariables, false, "Variables."},
};

constexpr KeySpec kModelKeys[] = {
    {"path", ValueForm::kPath, false, "The file or folder; left out, it is looked up by hash."},
    {"sha256", ValueForm::kHash, false, "SHA-256 of the file; another is an error."},
    {"autov1", ValueForm::kHash, false, "The 8 digits of AutoV1."},
    {"autov2", ValueForm::kHash, false, "The 10 digits of AutoV2, the first of the SHA-256."},
    {"autov3", ValueForm::kHash, false, "The 12 digits of AutoV3, which metadata do not change."},
    {"key", ValueForm::kText, false,
     "Under which key of a .ckpt or .pt file the weights lie, where it holds several."},
    {"prune", ValueForm::kBoolean, false,
     "Read it without EMA copies, training state and what belongs to no component."},
    {"fix", ValueForm::kBoolean, false,
     "Read position_ids that a merge has damaged as 0, 1, 2 … again."},
    {"recipe", ValueForm::kPath, false, "A recipe whose output is this model."},
};

constexpr KeySpec kAssemblyKeys[] = {
    {"like", ValueForm::kText, false,
     "The architecture that the files make: sd1, sdxl, flux1 …; each must be a whole component."},
};

constexpr KeySpec kAdapterKeys[] = {
    {"path", ValueForm::kPath, false, "The file or folder; left out, it is looked up by hash."},
    {"sha256", ValueForm::kHash, false, "SHA-256 of the file; another is an error."},
    {"autov1", ValueForm::kHash, false, "The 8 digits of AutoV1."},
    {"autov2", ValueForm::kHash, false, "The 10 digits of AutoV2, the first of the SHA-256."},
    {"autov3", ValueForm::kHash, false, "The 12 digits of AutoV3, which metadata do not change."},
    {"key", ValueForm::kText, false,
     "Under which key of a .ckpt or .pt file the weights lie, where it holds several."},
    {"adapter", ValueForm::kText, false, "Which one, where PEFT saved several in one file."},
    {"allow_unmatched", ValueForm::kRegex, false,
     "A regular expression of modules that the model need not have."},
};

constexpr KeySpec kAdapterEntryKeys[] = {
    {"use", ValueForm::kAdapter, true, "The adapter, or a difference."},
    {"strength", ValueForm::kWeight, false, "Its strength, 1 by default: a number, or by place."},
};

constexpr KeySpec kOutputKeys[] = {
    {"model", ValueForm::kOperand, false,
     "The step or model that is written; may be left out where there is one step."},
    {"path", ValueForm::kPath, false,
     "The file; with split or as a pipeline of diffusers, the folder."},
    {"components", ValueForm::kComponents, false,
     "Components that come from another model or step instead, or are added."},
    {"dtype", ValueForm::kDType, false,
     "keep (the default), one dtype, or a mapping of places to dtypes."},
    {"rounding", ValueForm::kRounding, false,
     "nearest (the default), stochastic, or stochastic:SEED: up or down by chance, so that small "
     "changes are kept on average."},
    {"layout", ValueForm::kLayout, false,
     "Whose names the tensors have: keep (the inputs', the default), ldm, sgm, comfy, bfl, "
     "diffusers."},
    {"split", ValueForm::kBoolean, false, "Write each component to a file of its own."},
    {"max_shard_size", ValueForm::kSize, false, "Write shards of at most this size: 5GB."},
    {"files_from", ValueForm::kPath, false,
     "A folder whose configuration and tokenizer files are copied along."},
    {"metadata", ValueForm::kMetadata, false,
     "Title, author and the like, for the file's header; or keep: what the model's file says of "
     "itself, without a record of the recipe."},
};

constexpr KeySpec kEntryKeys[] = {
    {"model", ValueForm::kOperand, true, "A model, a step or an inline step."},
    {"weight", ValueForm::kWeight, true, "Its weight: a number, or weights by place."},
};

constexpr KeySpec kLayerEntryKeys[] = {
    {"model", ValueForm::kOperand, true, "A model, a step or an inline step."},
    {"layers", ValueForm::kLayers, false,
     "From the first to the last, both included: 8-31, or one number; all by default."},
    {"scale", ValueForm::kWeight, false,
     "What the weights of the layers are multiplied by, 1 by default: a number, or by place."},
};

constexpr KeySpec kWhereKeys[] = {
    {"component", ValueForm::kPlaces, false, "A component such as unet or te, or a list of them."},
    {"block", ValueForm::kPlaces, false,
     "Blocks such as IN04-IN08 or layer.0-7, also with an element (IN04:attn2), or a list of "
     "them."},
    {"name", ValueForm::kNames, false,
     "A step of the name such as attn2, a /regular expression/, or a list of them."},
    {"rank", ValueForm::kRanks, false, "A number of dimensions, or a list of them."},
    {"larger_than", ValueForm::kElements, false, "More elements than this: 500K, 1M."},
    {"smaller_than", ValueForm::kElements, false, "Fewer elements than this."},
};

constexpr KeySpec kStepKeys[] = {
    {"op", ValueForm::kOperator, true, "The operator."},
    {"policy", ValueForm::kPolicy, false, "Policies of this step alone."},
};

constexpr std::string_view kModelspecWords[] = {
    "title",         "author",         "date",           "description",    "license",
    "tags",          "merged_from",    "trigger_phrase", "usage_hint",     "prediction_type",
    "resolution",    "thumbnail",      "encoder_layer",  "timestep_range", "preprocessor",
    "hash_sha256",   "implementation", "architecture",   "predict_key",    "implementation_version",
    "sai_model_spec"};

constexpr HashKind kHashKinds[] = {{"sha256", 64}, {"autov1", 8}, {"autov2", 10}, {"autov3", 12}};

constexpr std::string_view kMissingWords[] = {"error", "keep", "drop"};

template <class E, E Policies::*member, E value>
void Set(Policies& policies) {
  policies.*member = value;
}

template <class E, E Policies::*member>
std::size_t Get(const Policies& policies) {
  return static_cast<std::size_t>(policies.*member);
}

template <MissingPolicy value>
void SetMissing(Policies& policies) {
  policies.missing = PlaceMap<MissingPolicy>(value);
}

template <class E, E Policies::*member, E... values>
PolicySpec Row(std::string_view name, std::array<std::string_view, sizeof...(values)> words,
               bool per_step, std::string_view doc) {
  PolicySpec spec{name, {}, false, per_step, doc, &Get<E, member>};
  std::size_t i = 0;
  (spec.values.push_back({words[i++], &Set<E, member, values>}), ...);
  return spec;
}

std::vector<PolicySpec> MakePolicyTable() {
  using P = Policies;
  PolicySpec missing{"missing",
                     {},
                     true,
                     true,
                     "A tensor that not all operands have: an error; keep it from one that has it; "
                     "drop it. Also as a mapping by place.",
                     nullptr};
  missing.values = {{"error", &SetMissing<MissingPolicy::kError>},
                    {"keep", &SetMissing<MissingPolicy::kKeep>},
                    {"drop", &SetMissing<MissingPolicy::kDrop>}};
  return {
      missing,
      Row<InputChannelsPolicy, &P::input_channels, InputChannelsPolicy::kError,
          InputChannelsPolicy::kKeepExtra>(
          "input_channels", {"error", "keep_extra"}, true,
          "A wider input convolution (inpainting, pix2pix, depth): an error, or blend the shared "
          "columns and keep the others."),
      Row<NonFinitePolicy, &P::non_finite, NonFinitePolicy::kError, NonFinitePolicy::kSaturate,
          NonFinitePolicy::kAllow>(
          "non_finite", {"error", "saturate", "allow"}, false,
          "A finite operand that becomes infinite on store: an error, the greatest finite number, "
          "or let it be."),
      Row<EffectPolicy, &P::effect, EffectPolicy::kError, EffectPolicy::kAny>(
          "effect", {"error", "any"}, true,
          "Whether an input or a step that changes nothing is an error."),
      Row<PredictionPolicy, &P::prediction, PredictionPolicy::kError, PredictionPolicy::kAllow>(
          "prediction", {"error", "allow"}, true,
          "Models that predict differently (eps, v, flow): refuse or allow."),
      Row<BlocksPolicy, &P::blocks, BlocksPolicy::kByForm, BlocksPolicy::kClean,
          BlocksPolicy::kSuperMerger>(
          "blocks", {"by_form", "clean", "supermerger"}, true,
          "Which keys a block's name means: SuperMerger's map for lists of numbers and a clean one "
          "for rows, or SuperMerger's for both."),
      Row<EmaPolicy, &P::ema, EmaPolicy::kDrop, EmaPolicy::kKeep>(
          "ema", {"drop", "keep"}, false, "Averaged copies of weights and training buffers."),
      Row<ElsewherePolicy, &P::elsewhere, ElsewherePolicy::kNote, ElsewherePolicy::kError>(
          "elsewhere", {"note", "error"}, false,
          "Modules of an adapter for a component that the model does not carry: a note, or an "
          "error."),
      Row<Precision, &P::precision, Precision::kF32, Precision::kF64>(
          "precision", {"f32", "f64"}, false, "The precision that everything is computed in."),
  };
}

}  // namespace

std::span<const KeySpec> RecipeKeys() {
  return kRecipeKeys;
}
std::span<const KeySpec> TableKeys() {
  return kTableKeys;
}
std::span<const KeySpec> KeysOfModels() {
  return kModelKeys;
}
std::span<const KeySpec> AssemblyKeys() {
  return kAssemblyKeys;
}
std::span<const KeySpec> AdapterKeys() {
  return kAdapterKeys;
}
std::span<const KeySpec> AdapterEntryKeys() {
  return kAdapterEntryKeys;
}
std::span<const KeySpec> OutputKeys() {
  return kOutputKeys;
}
std::span<const KeySpec> EntryKeys() {
  return kEntryKeys;
}
std::span<const KeySpec> LayerEntryKeys() {
  return kLayerEntryKeys;
}
std::span<const KeySpec> WhereKeys() {
  return kWhereKeys;
}
std::span<const KeySpec> StepKeys() {
  return kStepKeys;
}
std::span<const std::string_view> ComponentWords() {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> all = {"unet", "transformer", "dit"};
    for (const Part* part : Parts()) all.push_back(part->id);
    for (const char* encoder : {"te", "te1", "te2", "te3"}) all.emplace_back(encoder);
    return all;
  }();
  return words;
}
std::vector<std::string_view> PartWords() {
  const auto components = ComponentWords();
  std::vector<std::string_view> words(components.begin(), components.end());
  for (const Part* part : Parts()) {
    if (std::ranges::find(words, part->id) == words.end()) words.push_back(part->id);
  }
  words.insert(words.end(), {"other", "ema"});
  return words;
}
std::vector<std::string> LayoutWords() {
  std::vector<std::string> words;
  for (const OutputLayoutWord& row : OutputLayoutWords()) words.emplace_back(row.word);
  return words;
}
std::span<const std::string_view> ModelspecWords() {
  return kModelspecWords;
}
std::span<const HashKind> HashKinds() {
  return kHashKinds;
}
std::span<const std::string_view> MissingWords() {
  return kMissingWords;
}

std::span<const PolicySpec> PolicyTable() {
  static const std::vector<PolicySpec> table = MakePolicyTable();
  return table;
}

std::string Alternatives(std::span<const std::string> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

std::string Hint(std::string_view name, std::span<const std::string> known) {
  const std::string question = DidYouMean(name, known);
  return question.empty() ? question : "." + question;
}

}  // namespace weightsmith::internal
