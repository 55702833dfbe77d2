#include "core/model/anatomy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/text.h"
#include "core/model/detect.h"
#include "core/model/distilled.h"
#include "core/model/model_type.h"
#include "core/model/odd_names.h"
#include "core/model/positions.h"
#include "core/model/rule_index.h"
#include "core/model/stored_scales.h"

namespace weightsmith::internal {
namespace {

bool StartsWithAny(std::string_view name, std::span<const std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

/// What a tensor is of a quantised weight.
struct Stored {
  std::uint32_t weight = 0;  ///< as TensorAnatomy::quantised
  bool companion = false;
};

class Examiner {
 public:
  Examiner(std::span<const CheckpointTensor> tensors, const std::optional<Metadata>& metadata,
           Detection detection)
      : tensors_(tensors),
        metadata_(metadata),
        detection_(std::move(detection)),
        rules_(detection_) {}

  Anatomy Run() {
    Identify();
    for (const ComponentRule& rule : rules_.components()) {
      const std::uint32_t component = AddComponent(rule.name, rule.kind);
      anatomy_.components[component].merged_by_default = rule.merged_by_default;
      seen_.emplace_back(rule.tensors.size(), false);
    }
    FindStored();
    anatomy_.tensors.reserve(tensors_.size());
    for (const CheckpointTensor& tensor : tensors_) AddTensor(tensor);
    JoinScales(tensors_, anatomy_);
    for (std::uint32_t i = 0; i < seen_.size(); ++i) Complete(i);
    TellQuantization();
    TellPrediction();
    DropAbsentComponents();
    return std::move(anatomy_);
  }

 private:
  void Identify() {
    if (detection_.architecture != nullptr) {
      anatomy_.architecture = detection_.architecture;
      anatomy_.row = detection_.row;
      anatomy_.id = detection_.architecture->id;
      anatomy_.variant = detection_.row->variant;
      anatomy_.scale = detection_.row->scale;
      anatomy_.layout =
          detection_.bare ? detection_.architecture->bare_layout : detection_.architecture->layout;
      // SD-Turbo is a Stable Diffusion 2 in the later naming.
      if (anatomy_.layout == "ldm" && HasUnder("conditioner.")) anatomy_.layout = "sgm";
    } else if (detection_.part != nullptr) {
      anatomy_.part = detection_.part;
      anatomy_.part_row = detection_.part_row;
      anatomy_.id = detection_.part->id;
      anatomy_.variant = detection_.part_row->variant;
      anatomy_.scale = detection_.part_row->scale;
      anatomy_.layout = detection_.part_row->layout;
    }
  }

  bool HasUnder(std::string_view prefix) const {
    return std::any_of(tensors_.begin(), tensors_.end(), [prefix](const CheckpointTensor& tensor) {
      return tensor.name.starts_with(prefix);
    });
  }

  std::uint32_t AddComponent(std::string name, ComponentKind kind) {
    ComponentAnatomy component;
    component.name = std::move(name);
    component.kind = kind;
    anatomy_.components.push_back(std::move(component));
    return static_cast<std::uint32_t>(anatomy_.components.size() - 1);
  }

  /// "ema" or "other", which exist only where something is in them.
  std::uint32_t Outside(Role role) {
    auto& index = role == Role::kEma ? ema_ : other_;
    if (!index) index = AddComponent(role == Role::kEma ? "ema" : "other", ComponentKind::kOther);
    return *index;
  }

  void FindStored() {
    anatomy_.quantised = FindQuantised(tensors_);
    // What the architecture declares is a weight of its own, whatever its name is.
    for (QuantisedWeight& weight : anatomy_.quantised) {
      std::erase_if(weight.companions, [&](std::uint32_t companion) {
        const auto place = rules_.Find(tensors_[companion].name);
        return place && place->rule != RuleIndex::kNoRule;
      });
    }
    std::erase_if(anatomy_.quantised,
                  [](const QuantisedWeight& weight) { return weight.companions.empty(); });
    stored_.resize(tensors_.size());
    for (std::uint32_t i = 0; i < anatomy_.quantised.size(); ++i) {
      const QuantisedWeight& weight = anatomy_.quantised[i];
      for (const std::uint32_t codes : weight.codes) stored_[codes] = {i + 1, false};
      for (const std::uint32_t companion : weight.companions) stored_[companion] = {i + 1, true};
    }
  }

  /// What the name and the dtype say; of a companion or of codes in integers, that they are.
  Role RoleOf(const CheckpointTensor& tensor, const Stored& stored) const {
    const Role by_name = RoleByName(tensor.name, tensor.info.dtype);
    const bool free = by_name == Role::kWeight || by_name == Role::kBuffer;
    if (stored.weight == 0 || !free) return by_name;
    const bool floating = Info(tensor.info.dtype).kind == DTypeKind::kFloat;
    return stored.companion || !floating ? Role::kQuantization : by_name;
  }

  void AddTensor(const CheckpointTensor& tensor) {
    const Stored& stored = stored_[anatomy_.tensors.size()];
    const Role by_name = RoleOf(tensor, stored);
    const bool outside = by_name == Role::kMarker || by_name == Role::kEma ||
                         (by_name == Role::kBuffer && IsTrainingBufferName(tensor.name));
    std::optional<RuleIndex::Place> place;
    if (!outside) place = rules_.Find(tensor.name);
    TensorAnatomy told;
    told.role = by_name;
    told.quantised = stored.weight;
    if (!place) {
      told.component = Outside(by_name);
      told.canonical = told.local = tensor.name;
    } else if (place->rule == RuleIndex::kNoRule || seen_[place->component][place->rule]) {
      AddExtra(tensor, *place, told);
    } else {
      AddKnown(tensor, *place, told);
    }
    if (told.role == Role::kMarker) anatomy_.markers.push_back(tensor.name);
    if (told.role == Role::kPositionIds && tensor.info.dtype != DType::kI64) {
      anatomy_.damage.push_back(
          fmt::format("{} is stored as {}, not as I64; convert repairs it with the option 'fix'",
                      Quote(tensor.name), Info(tensor.info.dtype).name));
    }
    told.optional = told.optional || told.role != Role::kWeight;
    told.keep_precision = KeepsPrecision(tensor, told);
    told.input = TakesInput(told);
    Count(tensor, anatomy_.components[told.component]);
    anatomy_.tensors.push_back(std::move(told));
  }

  void AddKnown(const CheckpointTensor& tensor, RuleIndex::Place& place, TensorAnatomy& told) {
    const TensorRule& rule = rules_.components()[place.component].tensors[place.rule];
    seen_[place.component][place.rule] = true;
    told.component = place.component;
    told.canonical = std::move(place.canonical);
    told.local = std::move(place.local);
    told.optional = rule.optional || rule.variant;
    if (rule.role != Role::kWeight) {
      told.role = rule.role;
    } else if (Info(tensor.info.dtype).kind != DTypeKind::kFloat) {
      told.role = Role::kQuantization;  // codes in the place of a weight, in a shape of their own
    }
    if (tensor.info.shape != rule.shape && told.role != Role::kQuantization) {
      ComponentAnatomy& component = anatomy_.components[place.component];
      component.complete = false;
      anatomy_.damage.push_back(fmt::format("{} is {}, not {} as in {}", Quote(tensor.name),
                                            ToString(tensor.info.shape), ToString(rule.shape),
                                            anatomy_.id));
    }
  }

  void AddExtra(const CheckpointTensor& tensor, RuleIndex::Place& place, TensorAnatomy& told) {
    told.component = place.component;
    if (place.rule == RuleIndex::kNoRule) {
      told.canonical = std::move(place.canonical);
      told.local = std::move(place.local);
    } else {
      told.canonical = told.local = tensor.name;  // its other spelling is there as well
    }
    if (told.role == Role::kQuantization || told.role == Role::kTokenizer) return;
    anatomy_.components[place.component].extra.push_back(tensor.name);
  }

  bool KeepsPrecision(const CheckpointTensor& tensor, const TensorAnatomy& told) const {
    if (tensor.info.shape.size() != 2 || told.role != Role::kWeight) return true;
    if (told.local.ends_with(".relative_attention_bias.weight")) return true;
    if (detection_.part != nullptr) {
      return !IsReducible(told.component) ||
             StartsWithAny(told.local, detection_.part->keep_precision);
    }
    if (detection_.architecture != nullptr) {
      return !IsReducible(told.component) ||
             StartsWithAny(told.local, detection_.architecture->keep_precision);
    }
    return told.local.find("embed") != std::string::npos || told.local.starts_with("lm_head");
  }

  bool IsReducible(std::uint32_t component) const {
    if (component >= rules_.components().size()) return false;  // of no rule
    const ComponentRule& rule = rules_.components()[component];
    return rule.kind == ComponentKind::kBackbone || rule.reducible;
  }

  bool TakesInput(const TensorAnatomy& told) const {
    if (anatomy_.components[told.component].kind != ComponentKind::kBackbone) return false;
    if (detection_.architecture == nullptr) return IsInputName(told.local);
    return told.local == detection_.architecture->input_weight;
  }

  static void Count(const CheckpointTensor& tensor, ComponentAnatomy& component) {
    ++component.tensors;
    component.bytes += tensor.info.bytes();
    ++component.dtypes[tensor.info.dtype];
    if (Info(tensor.info.dtype).kind == DTypeKind::kFloat) {
      component.parameters += tensor.info.elements();
    }
  }

  void Complete(std::uint32_t index) {
    ComponentAnatomy& component = anatomy_.components[index];
    const ComponentRule& rules = rules_.components()[index];
    for (std::size_t i = 0; i < rules.tensors.size(); ++i) {
      const TensorRule& rule = rules.tensors[i];
      if (seen_[index][i] || rule.optional) continue;
      component.complete = false;
      component.missing.push_back(rules_.Canonical(index, rule.name, rule.beside));
    }
    std::sort(component.missing.begin(), component.missing.end());
  }

  void TellQuantization() {
    std::vector<std::string>& schemes = anatomy_.quantization;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (anatomy_.tensors[i].role != Role::kQuantization) continue;
      const bool floating = Info(tensors_[i].info.dtype).kind == DTypeKind::kFloat;
      schemes.emplace_back(
          QuantizationScheme(tensors_[i].name).value_or(floating ? "scaled" : "packed"));
    }
    if (metadata_ && metadata_->contains("_quantization_metadata")) {
      schemes.emplace_back("comfy_quant");
    }
    for (const auto& [key, value] : metadata_.value_or(Metadata())) {
      if (key.starts_with("gguf.") || key == "general.quantization_version") {
        schemes.emplace_back("gguf");
      }
    }
    std::sort(schemes.begin(), schemes.end());
    schemes.erase(std::unique(schemes.begin(), schemes.end()), schemes.end());
  }

  void TellPrediction() {
    if (detection_.architecture == nullptr) return;
    anatomy_.prediction = detection_.architecture->prediction;
    for (const std::string_view key : {"modelspec.prediction_type", "modelspec.predict_key"}) {
      if (!metadata_) break;
      const auto found = metadata_->find(std::string(key));
      if (found == metadata_->end()) continue;
      if (found->second == "v" || found->second == "v_prediction") {
        anatomy_.prediction = Prediction::kV;
      }
    }
    for (const std::string& marker : anatomy_.markers) {
      if (marker == "v_pred" || marker.starts_with("edm_vpred.")) {
        anatomy_.prediction = Prediction::kV;
      } else if (marker == "edm_mean" || marker == "edm_std") {
        anatomy_.prediction = Prediction::kUnknown;
      }
    }
  }

  void DropAbsentComponents() {
    std::vector<std::uint32_t> places(anatomy_.components.size());
    std::vector<ComponentAnatomy> present;
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i] = static_cast<std::uint32_t>(present.size());
      if (anatomy_.components[i].tensors > 0) present.push_back(std::move(anatomy_.components[i]));
    }
    anatomy_.components = std::move(present);
    for (TensorAnatomy& tensor : anatomy_.tensors) tensor.component = places[tensor.component];
  }

  const std::span<const CheckpointTensor> tensors_;
  const std::optional<Metadata>& metadata_;
  const Detection detection_;
  const RuleIndex rules_;
  Anatomy anatomy_;
  std::vector<std::vector<bool>> seen_;  // by component and rule
  std::vector<Stored> stored_;           // parallel to tensors_
  std::optional<std::uint32_t> ema_;
  std::optional<std::uint32_t> other_;
};

/// Tensors that its components have by their declarations.
std::uint64_t Declared(const Anatomy& anatomy) {
  std::uint64_t declared = 0;
  for (const ComponentAnatomy& component : anatomy.components) {
    if (component.kind != ComponentKind::kOther)
      declared += component.tensors - component.extra.size();
  }
  return declared;
}

bool MayBeOfLanguage(const Anatomy& anatomy) {
  if (anatomy.architecture == nullptr) return anatomy.part == nullptr;
  return anatomy.architecture->kind == ModelKind::kLanguage;
}

/// 0 where queries have no norm, or one of all heads together.
std::uint64_t HeadSizeByNorm(const Anatomy& anatomy, std::span<const CheckpointTensor> tensors) {
  if (anatomy.architecture == nullptr || !MayBeOfLanguage(anatomy)) return 0;
  const auto norm = std::ranges::find_if(tensors, [](const CheckpointTensor& tensor) {
    return tensor.name.ends_with(".self_attn.q_norm.weight") && tensor.info.shape.size() == 1;
  });
  return norm == tensors.end() ? 0 : norm->info.shape.front();
}

void TellOfPositions(const Checkpoint& checkpoint, Anatomy& anatomy) {
  for (std::size_t i = 0; i < anatomy.tensors.size(); ++i) {
    if (anatomy.tensors[i].role != Role::kPositionIds) continue;
    if (auto damage = DamageOfPositions(checkpoint, checkpoint.tensors()[i])) {
      anatomy.damage.push_back(std::move(*damage));
    }
  }
}

}  // namespace

const ComponentAnatomy* Anatomy::FindComponent(std::string_view name) const {
  for (const ComponentAnatomy& component : components) {
    if (component.name == name) return &component;
  }
  return nullptr;
}

std::string_view Anatomy::Modelspec() const {
  if (architecture == nullptr) return {};
  return row->modelspec.empty() ? architecture->modelspec : row->modelspec;
}

std::string_view Anatomy::Pipeline() const {
  std::string_view name;
  if (architecture != nullptr)
    name = row->pipeline.empty() ? architecture->pipeline : row->pipeline;
  return name.empty() ? "DiffusionPipeline" : name;
}

const NoiseSchedule& Anatomy::Schedule() const {
  return row->schedule ? *row->schedule : architecture->schedule;
}

Anatomy ExamineHeader(std::span<const CheckpointTensor> tensors,
                      const std::optional<Metadata>& metadata, std::string_view model_type) {
  Anatomy anatomy = Examiner(tensors, metadata, Detect(tensors, model_type)).Run();
  anatomy.distilled = TellDistilled(anatomy, metadata);
  anatomy.head_size = HeadSizeByNorm(anatomy, tensors);
  return anatomy;
}

Anatomy Examine(const Checkpoint& checkpoint) {
  const ModelConfiguration said = ConfigurationOf(checkpoint.path());
  Anatomy anatomy = ExamineHeader(checkpoint.tensors(), checkpoint.metadata(), said.type);
  if (!checkpoint.layout().empty()) anatomy.layout = checkpoint.layout();
  if (anatomy.head_size == 0 && MayBeOfLanguage(anatomy)) anatomy.head_size = said.head_size;
  TellOfPositions(checkpoint, anatomy);
  return anatomy;
}

std::optional<Anatomy> ExamineAs(const Anatomy& like, const Checkpoint& checkpoint) {
  std::optional<Anatomy> best;
  for (const bool bare : {false, true}) {
    Anatomy anatomy = Examiner(checkpoint.tensors(), checkpoint.metadata(),
                               {.architecture = like.architecture, .row = like.row, .bare = bare})
                          .Run();
    if (!best || Declared(anatomy) > Declared(*best)) best = std::move(anatomy);
  }
  if (2 * Declared(*best) < checkpoint.tensors().size()) return std::nullopt;
  if (!checkpoint.layout().empty()) best->layout = checkpoint.layout();
  TellOfPositions(checkpoint, *best);
  return best;
}

}  // namespace weightsmith::internal
