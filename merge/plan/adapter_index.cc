#include "merge/plan/adapter_index.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/matcher.h"
#include "core/base/text.h"
#include "core/model/views/component_views.h"
#include "merge/adapters/alias_table.h"
#include "merge/adapters/declared_aliases.h"
#include "merge/adapters/made_for.h"
#include "merge/plan/repeated_changes.h"

namespace weightsmith::internal {

/// Sorts an adapter's modules into their classes.
class AdapterFitter {
 public:
  AdapterFitter(const Model& model, std::span<const ModelIndex* const> bases,
                ElsewherePolicy elsewhere, Problems& problems, AdapterIndex& index)
      : model_(model), bases_(bases), elsewhere_(elsewhere), problems_(problems), index_(index) {
    if (!model.allow_unmatched.empty()) {
      std::string problem;
      allowed_ = Matcher::Compile(model.allow_unmatched, problem);
    }
  }

  void Fit() {
    CollectTensors();
    const AliasTable aliases(tensors_, rules_);
    for (const AdapterModule& module : model_.adapter->modules) {
      if (!module.problem.empty()) {
        problems_.Add(Is(module) + module.problem);
      } else {
        Place(module, aliases.Find(module.stem));
      }
    }
    for (const AdapterModule& module : model_.adapter->plain) PlacePlain(module, aliases);
    CheckTwice();
    if (TellOtherArchitecture()) return;
    SortUnplaced(aliases);
    for (const auto& [sentence, stem] : misfits_) problems_.Add(sentence, Short(stem));
    for (const IgnoredTensor& tensor : model_.adapter->ignored) {
      AddTo(index_.classes_.ignored, std::string(tensor.reason), tensor.name);
    }
    if (index_.classes_.applied == 0 && problems_.empty()) {
      problems_.Add(fmt::format("adapter '{}': none of its {} modules matches {}", model_.name,
                                model_.adapter->modules.size(), BaseName()));
    }
  }

 private:
  std::string Is(const AdapterModule& module) const {
    return fmt::format("adapter '{}': {} ", model_.name, Quote(module.stem));
  }

  /// A name as messages have it: files may hold names of any length.
  static std::string Short(const std::string& stem) {
    return stem.size() <= kLongestShown ? stem : Quote(stem, kLongestShown);
  }

  std::string BaseName() const { return fmt::format("'{}'", bases_.front()->model().name); }

  static void AddTo(std::vector<AdapterClasses::Group>& groups, const std::string& why,
                    const std::string& stem) {
    auto group = std::ranges::find(groups, why, &AdapterClasses::Group::why);
    if (group == groups.end()) group = groups.insert(groups.end(), {why, {}});
    group->stems.push_back(stem);
  }

  void CollectTensors() {
    for (const ModelIndex* base : bases_) {
      for (const auto& [key, tensor] : base->tensors()) {
        if (tensor.anatomy->role != Role::kWeight) continue;
        const auto [at, added] = index_.shapes_.emplace(key, tensor.stored->info.shape);
        if (!added) continue;
        tensors_.push_back({tensor.component->name, tensor.component->kind, tensor.anatomy->local,
                            static_cast<std::uint32_t>(keys_.size())});
        keys_.push_back(key);
        components_.insert(tensor.component->name);
        kinds_.insert(tensor.component->kind);
      }
    }
    // The architecture's own first: it has the order of the text encoders.
    for (const bool whole : {true, false}) {
      for (const ModelIndex* base : bases_) {
        for (const Model::Part& part : base->model().parts) {
          if ((part.anatomy.architecture != nullptr) == whole) AddRules(part.anatomy);
        }
      }
    }
  }

  void AddRules(const Anatomy& anatomy) {
    if (architecture_ == nullptr) architecture_ = anatomy.architecture;
    if (!anatomy.quantization.empty()) quantization_ = anatomy.quantization.front();
    for (ComponentRule& rule : ComponentRules(anatomy)) {
      const auto known = std::ranges::find(rules_, rule.name, &ComponentRule::name);
      if (known == rules_.end()) rules_.push_back(std::move(rule));
    }
  }

  void Place(const AdapterModule& module, const AliasedModule* target) {
    const bool weight = Changes(module, AdapterTarget::kWeight);
    const bool bias = Changes(module, AdapterTarget::kBias);
    if (target == nullptr || (weight && target->weight.empty())) {
      unplaced_.push_back(&module);
      return;
    }
    if (weight) AddParts(module, AdapterTarget::kWeight, target->weight);
    // IA3 scales a bias where there is one.
    const bool needs_bias = bias && !module.shapes.contains(AdapterRole::kIa3);
    if (needs_bias && target->bias.empty()) {
      misfits_.emplace_back(
          fmt::format("adapter '{}': {} has no bias, one is expected by", model_.name, BaseName()),
          module.stem);
      return;
    }
    if (bias && !target->bias.empty()) AddParts(module, AdapterTarget::kBias, target->bias);
    ++index_.classes_.applied;
  }

  /// A tensor by itself goes by the name of the model's: "img_in.bias".
  void PlacePlain(const AdapterModule& module, const AliasTable& aliases) {
    std::string stem = module.stem;
    // PEFT wraps layers, and keeps those that were trained whole beside the original ones.
    constexpr std::string_view kWrapped = ".base_layer";
    constexpr std::string_view kSaved = ".modules_to_save.";
    if (const std::size_t at = stem.find(kWrapped); at != std::string::npos) {
      stem.erase(at, kWrapped.size());
    }
    if (const std::size_t at = stem.find(kSaved); at != std::string::npos) {
      const std::size_t rest = stem.find('.', at + kSaved.size());
      stem.erase(at, rest == std::string::npos ? rest : rest - at);
    }
    for (const std::string_view end : {".weight", ".bias", ".scale"}) {
      if (!stem.ends_with(end)) continue;
      stem.resize(stem.size() - end.size());
      break;
    }
    const AliasedModule* target = aliases.Find(stem);
    const bool there =
        target != nullptr && !(module.on_bias ? target->bias : target->weight).empty();
    if (!there) {
      unplaced_.push_back(&module);
      return;
    }
    AddParts(module, module.on_bias ? AdapterTarget::kBias : AdapterTarget::kWeight,
             module.on_bias ? target->bias : target->weight);
    ++index_.classes_.applied;
  }

  void AddParts(const AdapterModule& module, AdapterTarget target,
                std::span<const AliasPiece> pieces) {
    std::map<std::uint32_t, AdapterPart> by_tensor;
    for (const AliasPiece& piece : pieces) {
      AdapterPart& part = by_tensor[piece.tensor];
      part.module = &module;
      part.target = target;
      part.transposed = piece.transposed && target == AdapterTarget::kWeight;
      const std::uint64_t all = SizeAsMatrix(index_.shapes_.at(keys_[piece.tensor])).rows;
      part.rows.push_back(piece.rows.Counted(all));
    }
    const bool reads = ReadsWeight(module, target) || HasSaved(module, target);
    if (by_tensor.size() > 1 && reads) {
      misfits_.emplace_back(
          fmt::format("adapter '{}': {} stores the weight in several tensors, one is expected by",
                      model_.name, BaseName()),
          module.stem);
      return;
    }
    for (auto& [tensor, part] : by_tensor) {
      std::ranges::sort(part.rows, {}, &RowMap::theirs);
      Transpose(part, index_.shapes_.at(keys_[tensor]));
      if (part.transposed && HasSaved(module, target)) {
        misfits_.emplace_back(fmt::format("adapter '{}': base_layer of a transposed weight is not "
                                          "supported",
                                          model_.name),
                              module.stem);
        continue;
      }
      CheckSize(part, keys_[tensor], pieces);
      index_.parts_[keys_[tensor]].push_back(std::move(part));
    }
  }

  /// GPT-2's layers are stored with their input first; PEFT says so of an adapter.
  void Transpose(AdapterPart& part, const Shape& shape) const {
    const bool matrix = part.target == AdapterTarget::kWeight && shape.size() == 2;
    if (!part.module->peft.fan_in_fan_out || !matrix) return;
    const MatrixSize size = SizeOf(*part.module, part.target);
    const MatrixSize here = SizeAsMatrix(shape);
    if (size.rows == here.columns && size.columns == here.rows) part.transposed = true;
  }

  bool IsInput(const TensorKey& key) const {
    return std::ranges::any_of(bases_, [&](const ModelIndex* base) {
      const ModelTensor* const tensor = base->Find(key);
      return tensor != nullptr && tensor->anatomy->input;
    });
  }

  void CheckSize(const AdapterPart& part, const TensorKey& key,
                 std::span<const AliasPiece> pieces) {
    MatrixSize size = SizeOf(*part.module, part.target);
    const Shape& shape = index_.shapes_.at(key);
    const MatrixSize here = SizeAsMatrix(shape);
    if (part.transposed) std::swap(size.rows, size.columns);
    std::uint64_t rows = 0;
    for (const AliasPiece& piece : pieces) rows += piece.rows.count;
    if (rows == 0 || part.transposed) rows = here.rows;
    const bool tall = size.rows != 0 && size.rows != rows;
    // Input channels more or fewer are looked at where the tensor is computed.
    const bool wide = size.columns != 0 && size.columns != here.columns && !IsInput(key);
    const bool empty = here.rows == 0 || here.columns == 0;
    if (!tall && !wide && !empty) return;
    misfits_.emplace_back(
        fmt::format("adapter '{}': the weight {} is {} × {}, expected {} × {} by", model_.name,
                    ToString(key), rows, here.columns, size.rows == 0 ? rows : size.rows,
                    size.columns == 0 ? here.columns : size.columns),
        part.module->stem);
  }

  void CheckTwice() {
    RepeatedChanges repeated(model_);
    for (auto& [key, parts] : index_.parts_) {
      const RepeatedChanges::Found found = repeated.TakeFrom(parts);
      for (const AdapterModule* module : found.same) {
        AddTo(index_.classes_.ignored, "the same under another name", module->stem);
      }
      if (found.conflicts == 0) continue;
      const std::string more =
          found.conflicts == 1 ? ""
                               : fmt::format(" (and {} more)", FormatCount(found.conflicts - 1));
      problems_.Add(fmt::format("adapter '{}': {} and {}{} change the same rows of {} differently",
                                model_.name, Quote(found.first->stem), Quote(found.second->stem),
                                more, ToString(key)));
    }
  }

  /// Says so, instead of a thousand misfits.
  bool TellOtherArchitecture() {
    if (misfits_.empty() && unplaced_.empty()) return false;
    const MadeFor made_for = TellMadeFor(*model_.adapter);
    if (made_for.architectures.empty() || architecture_ == nullptr) return false;
    std::vector<std::string_view> titles;
    for (const Architecture* architecture : made_for.architectures) {
      if (architecture->form == architecture_->form) return false;
      titles.push_back(architecture->title);
    }
    if (2 * (misfits_.size() + unplaced_.size()) < model_.adapter->modules.size()) return false;
    problems_.Add(
        fmt::format("adapter '{}' is made for {} ({} of its {} modules match), and {} is {}",
                    model_.name, fmt::join(titles, " or "), made_for.modules,
                    model_.adapter->modules.size(), BaseName(), architecture_->title));
    return true;
  }

  void SortUnplaced(const AliasTable& aliases) {
    if (unplaced_.empty()) return;
    const DeclaredAliases declared(architecture_, rules_);
    // A file of a whole model has all that there is; what it lacks will not come from elsewhere.
    const bool several = Has(ComponentKind::kBackbone) && Has(ComponentKind::kText);
    for (const AdapterModule* module : unplaced_) {
      const std::string component = ComponentOf(*module, declared);
      const bool lacks = !component.empty() && !components_.contains(component);
      if (allowed_ && allowed_->Search(module->stem)) {
        AddTo(index_.classes_.unmatched, "allowed", module->stem);
      } else if (lacks && !several && elsewhere_ == ElsewherePolicy::kNote) {
        AddTo(index_.classes_.elsewhere, component, module->stem);
      } else if (lacks) {
        problems_.Add(fmt::format("adapter '{}': {} has no {}, one is expected by", model_.name,
                                  BaseName(), component),
                      Short(module->stem), "Name the file that has it as a component of the model.",
                      {Option::kAllowUnmatched});
      } else {
        TellUnmatched(*module, aliases, declared);
      }
    }
  }

  void TellUnmatched(const AdapterModule& module, const AliasTable& aliases,
                     const DeclaredAliases& declared) {
    std::string why = fmt::format("adapter '{}': {} has no module named", model_.name, BaseName());
    if (const AliasedTensor* target = declared.Find(module.stem);
        target != nullptr && !quantization_.empty()) {
      const StoredWeight* const weight =
          bases_.front()->StoredWeightOf({target->component, target->local});
      problems_.AddQuantised(bases_.front()->model().name, quantization_,
                             weight != nullptr ? InWords(*weight) : Short(module.stem));
      return;
    }
    if (declared.Find(module.stem) != nullptr) {
      why = fmt::format("adapter '{}': {} lacks modules of its architecture", model_.name,
                        BaseName());
    } else {
      problems_.Add(why, Short(module.stem) + HintFor(module.stem, aliases),
                    "An adapter fits the architecture that it was trained for: give one for that "
                    "of the model.",
                    {Option::kAllowUnmatched});
      return;
    }
    problems_.Add(why, Short(module.stem), {}, {Option::kAllowUnmatched});
  }

  /// The nearest alias, for the first few names that have one.
  std::string HintFor(std::string_view stem, const AliasTable& aliases) {
    if (told_ == kMostNamed || stem.size() > kLongestNamed) return {};
    ++told_;
    std::vector<std::string> near;
    for (const auto& [alias, target] : aliases.modules()) {
      const auto difference =
          static_cast<std::ptrdiff_t>(alias.size()) - static_cast<std::ptrdiff_t>(stem.size());
      if (std::abs(difference) <= 2) near.push_back(alias);
    }
    std::ranges::sort(near);
    const auto nearest = NearestName(stem, near);
    return nearest ? fmt::format(" (did you mean {}?)", Quote(*nearest)) : std::string();
  }

  /// That the module is for; empty where it is not known.
  std::string ComponentOf(const AdapterModule& module, const DeclaredAliases& declared) const {
    if (const AliasedTensor* target = declared.Find(module.stem)) return target->component;
    const std::string_view naming = StemNamingOf(module.stem).component;
    const bool text = !naming.empty() && naming != "unet";
    return text && !Has(ComponentKind::kText) ? "text encoder" : "";
  }

  bool Has(ComponentKind kind) const { return kinds_.contains(kind); }

  static constexpr std::size_t kMostNamed = 5;
  static constexpr std::size_t kLongestNamed = 300;
  static constexpr std::size_t kLongestShown = 200;

  const Model& model_;
  std::span<const ModelIndex* const> bases_;
  ElsewherePolicy elsewhere_;
  Problems& problems_;
  AdapterIndex& index_;
  std::optional<Matcher> allowed_;
  const Architecture* architecture_ = nullptr;
  std::string quantization_;  ///< scheme that weights of a base are stored in
  std::vector<AliasedTensor> tensors_;
  std::vector<TensorKey> keys_;  ///< parallel to tensors_
  std::set<std::string> components_;
  std::set<ComponentKind> kinds_;
  std::vector<ComponentRule> rules_;
  std::vector<const AdapterModule*> unplaced_;
  std::vector<std::pair<std::string, std::string>> misfits_;
  std::size_t told_ = 0;
};

AdapterIndex::AdapterIndex(const Model& model, std::span<const ModelIndex* const> bases,
                           ElsewherePolicy elsewhere, Problems& problems) {
  AdapterFitter(model, bases, elsewhere, problems, *this).Fit();
}

const std::vector<AdapterPart>* AdapterIndex::Find(const TensorKey& key) const {
  const auto found = parts_.find(key);
  return found == parts_.end() || found->second.empty() ? nullptr : &found->second;
}

const Shape* AdapterIndex::ShapeOf(const TensorKey& key) const {
  const auto found = shapes_.find(key);
  return found == shapes_.end() ? nullptr : &found->second;
}

}  // namespace weightsmith::internal
