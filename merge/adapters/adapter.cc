#include "merge/adapters/adapter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/numbers.h"
#include "merge/adapters/module_delta.h"

namespace weightsmith::internal {
namespace {

/// Longer beginnings stand before those that they begin with.
constexpr StemNaming kNamings[] = {
    {"kohya", "te1", "lora_te1_"},
    {"kohya", "te2", "lora_te2_"},
    {"kohya", "te3", "lora_te3_"},
    {"kohya", "te1", "lora_te_"},
    {"kohya", "unet", "lora_unet_"},
    {"kohya", "te1", "lora_te1."},
    {"kohya", "te2", "lora_te2."},
    {"kohya", "te3", "lora_te3."},
    {"kohya", "unet", "lora_unet."},
    {"kohya", "unet", "oft_unet_"},
    {"onetrainer", "unet", "lora_transformer_"},
    {"lycoris", "unet", "lycoris_"},
    {"peft", "unet", "unet.base_model.model."},
    {"peft", "unet", "transformer.base_model.model."},
    {"peft", "", "base_model.model."},
    {"diffusers", "te2", "text_encoder_2."},
    {"diffusers", "te3", "text_encoder_3."},
    {"diffusers", "te1", "text_encoder."},
    {"comfy", "clip_l", "text_encoders.clip_l.transformer."},
    {"comfy", "clip_g", "text_encoders.clip_g.transformer."},
    {"comfy", "t5xxl", "text_encoders.t5xxl.transformer."},
    {"comfy", "unet", "model.diffusion_model."},
    {"comfy", "unet", "diffusion_model."},
    {"diffusers", "unet", "unet."},
    {"diffusers", "unet", "transformer."},
};

struct IgnoredName {
  std::string_view text;
  std::string_view reason;
};

constexpr IgnoredName kIgnoredBeginnings[] = {
    {"bundle_emb.", "a textual inversion"},
    {"emb_params", "a textual inversion"},
    {"optimizer", "training state"},
    {"model_ema.", "a copy of training"},
};
constexpr IgnoredName kIgnoredNames[] = {
    {"lora_controlnet", "a marker"},
    {"clip_g", "a textual inversion"},
    {"clip_l", "a textual inversion"},
};
constexpr std::string_view kPositions = ".position_ids";

std::optional<std::string_view> ReasonToIgnore(std::string_view name) {
  for (const IgnoredName& row : kIgnoredBeginnings) {
    if (name.starts_with(row.text)) return row.reason;
  }
  for (const IgnoredName& row : kIgnoredNames) {
    if (name == row.text) return row.reason;
  }
  if (name.ends_with(kPositions)) return "position ids";
  return std::nullopt;
}

/// Tensors of a stem, before it is known what it is.
struct Stem {
  std::map<AdapterRole, std::uint32_t> tensors;
  std::vector<std::string> twice;
};

bool IsSaved(AdapterRole role) {
  return role == AdapterRole::kSavedWeight || role == AdapterRole::kSavedBias;
}

bool SaysNothingAlone(AdapterRole role) {
  return role == AdapterRole::kWeight || role == AdapterRole::kScale || IsSaved(role);
}

/// Whether alpha and rank count for a module of these shapes, if they do for its family.
bool IsScaled(const AdapterModule& module) {
  return module.family->scaled == nullptr || module.family->scaled(module.shapes);
}

class AdapterReader {
 public:
  AdapterReader(const Checkpoint& checkpoint, PeftConfig config) : checkpoint_(checkpoint) {
    adapter_.peft = std::move(config);
  }

  Adapter Read() {
    for (std::uint32_t i = 0; i < checkpoint_.tensors().size(); ++i) Sort(i);
    ShareSaved();
    for (auto& [key, stem] : stems_) Make(key.first, key.second, stem);
    std::ranges::sort(adapter_.plain, {}, &AdapterModule::stem);
    Warn();
    if (adapter_.modules.empty()) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{} holds no adapter", Quote(checkpoint_.path().string())),
                  "Give a LoRA or another adapter; in a recipe, a model stands under 'models'.");
    }
    return std::move(adapter_);
  }

 private:
  void Sort(std::uint32_t index) {
    const std::string& name = checkpoint_.tensors()[index].name;
    if (const auto reason = ReasonToIgnore(name)) {
      adapter_.ignored.push_back({name, *reason});
      return;
    }
    const std::optional<RoleName> role = SplitRole(name);
    if (!role) {
      AddPlain(index);
      return;
    }
    std::string stem(role->stem);
    std::string token(role->token);
    if (role->role == AdapterRole::kRotation && !token.empty()) {
      stem += "." + token;  // a part of a fused matrix
      token.clear();
    }
    Stem& at = stems_[{std::move(stem), std::move(token)}];
    if (!at.tensors.emplace(role->role, index).second) at.twice.push_back(name);
  }

  /// A layer that PEFT saved has no adapter's name, which the factors beside it may have.
  void ShareSaved() {
    for (auto at = stems_.begin(); at != stems_.end();) {
      const auto saved = at++;
      const auto is_saved = [](const auto& part) { return IsSaved(part.first); };
      const bool alone = saved->first.second.empty() && at != stems_.end() &&
                         at->first.first == saved->first.first &&
                         std::ranges::all_of(saved->second.tensors, is_saved);
      if (!alone) continue;
      for (auto named = at; named != stems_.end() && named->first.first == saved->first.first;
           ++named) {
        named->second.tensors.insert(saved->second.tensors.begin(), saved->second.tensors.end());
      }
      stems_.erase(saved);
    }
  }

  void Make(const std::string& stem, const std::string& name, const Stem& parts) {
    const bool plain = std::ranges::all_of(
        parts.tensors, [](const auto& part) { return SaysNothingAlone(part.first); });
    AdapterModule module{.stem = stem, .name = name, .tensors = parts.tensors};
    for (const auto& [role, index] : parts.tensors) {
      const TensorInfo& info = checkpoint_.tensors()[index].info;
      module.shapes.emplace(role, info.shape);
      // Numbers without a codec are read as double.
      const std::uint64_t numbers =
          Info(info.dtype).has_codec ? 0 : info.elements() * sizeof(double);
      module.read_bytes = std::max(module.read_bytes, info.bytes() + numbers);
    }
    module.family = plain ? nullptr : FamilyOf(module.shapes);
    if (module.family == nullptr) {
      for (const auto& [role, index] : parts.tensors) AddPlain(index);
      return;
    }
    TakeOutSaved(module, AdapterRole::kSavedWeight, AdapterTarget::kWeight);
    TakeOutSaved(module, AdapterRole::kSavedBias, AdapterTarget::kBias);
    if (!name.empty()) adapter_.names.insert(name);
    if (module.family->rank != nullptr && !MissingIn(*module.family, module.shapes)) {
      module.rank = module.family->rank(module.shapes);
    }
    module.alpha = NumberOf(module, AdapterRole::kAlpha);
    module.peft = adapter_.peft.Of(stem);
    module.problem = ProblemOf(module, parts);
    if (module.problem.empty()) {
      module.scale = ScaleOf(module);
      if (!(std::abs(module.scale) <= std::numeric_limits<float>::max())) {
        module.problem = fmt::format("has scale {}, expected a finite number", module.scale);
        module.scale = 1;
      }
    }
    adapter_.modules.push_back(std::move(module));
  }

  /// A saved layer that nothing of the module changes is a tensor by itself.
  void TakeOutSaved(AdapterModule& module, AdapterRole role, AdapterTarget target) {
    const auto saved = module.tensors.find(role);
    if (saved == module.tensors.end() || Changes(module, target)) return;
    AddPlain(saved->second);
    module.tensors.erase(saved);
    module.shapes.erase(role);
  }

  void AddPlain(std::uint32_t index) {
    const CheckpointTensor& tensor = checkpoint_.tensors()[index];
    AdapterModule module{.stem = tensor.name,
                         .name = {},
                         .family = FamilyOf({{AdapterRole::kPlain, tensor.info.shape}}),
                         .tensors = {{AdapterRole::kPlain, index}},
                         .shapes = {{AdapterRole::kPlain, tensor.info.shape}}};
    module.on_bias = tensor.name.ends_with("bias");
    adapter_.plain.push_back(std::move(module));
  }

  void Warn() {
    const PeftConfig& peft = adapter_.peft;
    const auto other_rank =
        std::ranges::count_if(adapter_.modules, [](const AdapterModule& module) {
          return module.rank > 0 && module.peft.rank && IsScaled(module) &&
                 *module.peft.rank != static_cast<double>(module.rank);
        });
    if (other_rank > 0) {
      adapter_.warnings.push_back(
          fmt::format("the factors of {} modules have another rank than the configuration says: "
                      "alpha is divided by theirs",
                      FormatCount(static_cast<std::uint64_t>(other_rank))));
    }
    if (!peft.initialisation.empty()) {
      adapter_.warnings.push_back(
          fmt::format("trained with init_lora_weights {}, which changes the base as well: the "
                      "result is correct "
                      "only if the adapter was converted when it was saved",
                      Quote(peft.initialisation)));
    }
    const bool by_peft = std::ranges::any_of(adapter_.modules, [](const AdapterModule& module) {
      return module.stem.starts_with("base_model.model.") && module.family->rank != nullptr;
    });
    if (by_peft && peft.type.empty()) {
      adapter_.warnings.emplace_back(
          "adapter_config.json is missing beside the file: every scale is taken as 1");
    }
  }

  std::optional<double> NumberOf(const AdapterModule& module, AdapterRole role) const {
    const auto found = module.tensors.find(role);
    if (found == module.tensors.end()) return std::nullopt;
    const CheckpointTensor& tensor = checkpoint_.tensors()[found->second];
    if (tensor.info.elements() != 1) return std::nullopt;
    const std::vector<double> numbers = ReadNumbers(checkpoint_, tensor);
    return numbers.size() == 1 ? std::optional(numbers.front()) : std::nullopt;
  }

  /// What is stored counts before what a configuration says; a `scale` counts before both.
  double ScaleOf(AdapterModule& module) const {
    const double scalar = NumberOf(module, AdapterRole::kScalar).value_or(1);
    if (const auto scale = NumberOf(module, AdapterRole::kScale)) return *scale * scalar;
    if (module.family->rank == nullptr) return scalar;
    const bool scaled = IsScaled(module);
    if (module.alpha) {
      return scaled ? *module.alpha / static_cast<double>(module.rank) * scalar : scalar;
    }
    module.alpha = module.peft.alpha;
    if (!module.alpha) return scalar;
    // PEFT divides by the rank that was asked for also where two whole matrices have none.
    const double rank = scaled ? static_cast<double>(module.rank) : module.peft.rank.value_or(1);
    return *module.alpha / (module.peft.rank_stabilised ? std::sqrt(rank) : rank) * scalar;
  }

  std::string ProblemOf(const AdapterModule& module, const Stem& parts) const {
    if (!parts.twice.empty()) return fmt::format("has {} twice", Quote(parts.twice.front()));
    if (const auto missing = MissingIn(*module.family, module.shapes)) {
      return fmt::format("is missing {}", *missing);
    }
    for (const auto& [role, shape] : module.shapes) {
      if (ElementCount(shape).value_or(0) == 0) {
        return fmt::format("has {} without any element", ToString(role));
      }
    }
    std::vector<std::string_view> foreign;
    for (const AdapterRole role : ForeignIn(*module.family, module.shapes)) {
      foreign.push_back(ToString(role));
    }
    if (!foreign.empty()) {
      return fmt::format("is {} and has {}", module.family->title, fmt::join(foreign, ", "));
    }
    try {
      CheckSizes(module);
    } catch (const Error& error) {
      return fmt::format("has tensors that do not fit each other: {}", error.message());
    }
    for (const AdapterRole role :
         {AdapterRole::kAlpha, AdapterRole::kScale, AdapterRole::kScalar}) {
      if (auto problem = ProblemOfNumber(module, role)) return *std::move(problem);
    }
    if (module.family->rank != nullptr && module.rank == 0) return "has factors of rank 0";
    return {};
  }

  static void CheckSizes(const AdapterModule& module) {
    for (const AdapterTarget target : {AdapterTarget::kWeight, AdapterTarget::kBias}) {
      if (!Changes(module, target)) continue;
      const MatrixSize saved = SizeOf(module, target);
      const MatrixSize size = SizeOfChange(module, target);
      if (size.rows != 0) ExpectEqual(saved.rows, size.rows, "the height of base_layer");
      if (size.columns != 0) ExpectEqual(saved.columns, size.columns, "the width of base_layer");
    }
  }

  /// Where no alpha scales a module, any is taken that is one number.
  std::optional<std::string> ProblemOfNumber(const AdapterModule& module, AdapterRole role) const {
    const auto shape = module.shapes.find(role);
    if (shape == module.shapes.end()) return std::nullopt;
    const auto number = NumberOf(module, role);
    if (!number) {
      return fmt::format("has {} of shape {}, expected one number", ToString(role),
                         ToString(shape->second));
    }
    if ((role == AdapterRole::kAlpha && !IsScaled(module)) || std::isfinite(*number))
      return std::nullopt;
    return fmt::format("has {} {}, expected a finite number", ToString(role), *number);
  }

  const Checkpoint& checkpoint_;
  std::map<std::pair<std::string, std::string>, Stem> stems_;
  Adapter adapter_;
};

}  // namespace

StemNaming StemNamingOf(std::string_view stem) {
  for (const StemNaming& naming : kNamings) {
    if (stem.starts_with(naming.prefix)) return naming;
  }
  if (stem.find(".processor.") != std::string_view::npos) return {"xlabs", "unet", ""};
  return {"bare", "", ""};
}

Adapter ReadAdapter(const Checkpoint& checkpoint) {
  return ReadAdapter(checkpoint, ReadPeftConfig(checkpoint.path(), checkpoint.metadata()));
}

Adapter ReadAdapter(const Checkpoint& checkpoint, PeftConfig config) {
  return AdapterReader(checkpoint, std::move(config)).Read();
}

}  // namespace weightsmith::internal
