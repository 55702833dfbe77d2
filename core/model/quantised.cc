#include "core/model/quantised.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/base/text.h"
#include "core/model/odd_names.h"
#include "core/tensor/dtype.h"

namespace weightsmith::internal {
namespace {

/// What the names of companions have in them.
constexpr std::array<std::string_view, 15> kCompanionWords = {
    "scale", "zero",   "absmax", "amax",  "scb",     "quant", "codebook", "g_idx",
    "s_rel", "smooth", "shape",  "nbits", "packing", "group", "s_channel"};
/// Of codes, behind the name of a parameter that is no module's `weight`.
constexpr std::array<std::string_view, 4> kCodeEnds = {"_blocks", "_packed", "_codes", "_q"};
/// Codes under other names than `weight`.
constexpr std::array<std::string_view, 8> kCodeLeaves = {
    "w_q", "wq", "qdata", "_data", "codes", "qweight", "weight_quantized", "quantized_weight"};
/// What reparametrised modules have beside a plain weight.
constexpr std::array<std::string_view, 4> kReparametrised = {"weight_g", "weight_v", "weight_u",
                                                             "weight_orig"};

bool IsFloat(DType dtype) {
  return Info(dtype).kind == DTypeKind::kFloat;
}

bool CanBeCodes(DType dtype) {
  const DTypeInfo& info = Info(dtype);
  if (info.kind == DTypeKind::kFloat) return info.bits <= 8;
  const bool integer = info.kind == DTypeKind::kSigned || info.kind == DTypeKind::kUnsigned;
  return integer && info.bits <= 32;
}

bool HasWord(std::string_view lower) {
  return std::ranges::any_of(kCompanionWords, [&](std::string_view word) {
    return lower.find(word) != std::string_view::npos;
  });
}

bool IsBias(std::string_view lower) {
  return lower.starts_with("bias") || lower.ends_with("bias");
}

/// A tensor's name taken apart.
struct Name {
  std::string module;  ///< "a.b" of "a.b.weight"
  std::string leaf;    ///< "weight", in lower case
};

Name Split(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {"", Lowercase(name)};
  return {std::string(name.substr(0, dot)), Lowercase(name.substr(dot + 1))};
}

/// The leaf of codes of a module: "weight", "qweight", "weight_packed", "W_q".
bool IsCodeLeaf(std::string_view leaf) {
  if (std::ranges::find(kCodeLeaves, leaf) != kCodeLeaves.end()) return true;
  return leaf.find("weight") != std::string_view::npos && !HasWord(leaf);
}

class Finder {
 public:
  explicit Finder(std::span<const CheckpointTensor> tensors) : tensors_(tensors) {}

  std::vector<QuantisedWeight> Find() {
    // Most files have nothing of the kind.
    const auto can_be = [](const CheckpointTensor& tensor) {
      return CanBeCodes(tensor.info.dtype) || QuantizationScheme(tensor.name);
    };
    if (std::ranges::none_of(tensors_, can_be)) return {};
    is_codes_.resize(tensors_.size());
    for (std::uint32_t i = 0; i < tensors_.size(); ++i) {
      names_.push_back(Split(tensors_[i].name));
      by_name_.emplace(tensors_[i].name, i);
    }
    for (std::uint32_t i = 0; i < tensors_.size(); ++i) AddCodes(i);
    for (std::uint32_t i = 0; i < tensors_.size(); ++i) AddCompanion(i);
    return Finished();
  }

 private:
  void AddCodes(std::uint32_t index) {
    const TensorInfo& info = tensors_[index].info;
    if (info.shape.empty() || !CanBeCodes(info.dtype) || !IsCodeLeaf(names_[index].leaf)) return;
    AddCodesOf(modules_[names_[index].module], index);
  }

  void AddCodesOf(QuantisedWeight& weight, std::uint32_t index) {
    if (is_codes_[index]) return;
    weight.codes.push_back(index);
    is_codes_[index] = true;
    const std::string& leaf = names_[index].leaf;
    const bool whole = leaf == "weight" || leaf == "qweight";
    if (whole && tensors_[index].info.shape.size() >= 2) of_matrices_.insert(names_[index].module);
  }

  void AddCompanion(std::uint32_t index) {
    if (is_codes_[index] || AddBehindName(index)) return;
    const std::string& leaf = names_[index].leaf;
    if (IsBias(leaf)) return;
    const auto module = modules_.find(names_[index].module);
    if (module != modules_.end() && !module->second.codes.empty()) {
      if (IsCompanionIn(module->second, index)) module->second.companions.push_back(index);
      return;
    }
    if (HasWord(leaf) && !AddBesideWide(index)) AddBesideParameter(index);
  }

  /// "NAME.absmax", where there is a tensor NAME, of any dtype: no module and no parameter has
  /// such a name.
  bool AddBehindName(std::uint32_t index) {
    std::string_view name = tensors_[index].name;
    for (int steps = 0; steps < 2; ++steps) {
      const std::size_t dot = name.rfind('.');
      if (dot == std::string_view::npos) return false;
      name = name.substr(0, dot);
      const auto codes = by_name_.find(name);
      if (codes == by_name_.end() || tensors_[codes->second].info.shape.empty()) continue;
      QuantisedWeight& weight = modules_[names_[codes->second].module];
      AddCodesOf(weight, codes->second);
      weight.companions.push_back(index);
      return true;
    }
    return false;
  }

  bool IsCompanionIn(const QuantisedWeight& weight, std::uint32_t index) const {
    const std::string& leaf = names_[index].leaf;
    if (HasWord(leaf)) return true;
    if (std::ranges::find(kReparametrised, leaf) != kReparametrised.end()) return false;
    const DTypeInfo& info = Info(tensors_[index].info.dtype);
    if (info.kind != DTypeKind::kFloat || info.bits <= 8) return false;
    // Any other number of a linear layer or an embedding belongs to its codes.
    return of_matrices_.contains(names_[weight.codes.front()].module);
  }

  /// "MODULE.weight_scale" of a weight in a wider dtype, which then stands for codes.
  bool AddBesideWide(std::uint32_t index) {
    const Name& name = names_[index];
    if (!name.leaf.starts_with("weight_") || !QuantizationScheme(tensors_[index].name)) {
      return false;
    }
    const auto weight = by_name_.find(name.module + ".weight");
    if (weight == by_name_.end()) return false;
    QuantisedWeight& wide = modules_[name.module];
    AddCodesOf(wide, weight->second);
    wide.companions.push_back(index);
    return true;
  }

  /// "NAME_scales" beside the codes "NAME" or "NAME_blocks".
  void AddBesideParameter(std::uint32_t index) {
    const std::string_view name = tensors_[index].name;
    const std::size_t dot = name.rfind('.');
    const std::size_t begin = dot == std::string_view::npos ? 0 : dot + 1;
    constexpr int kMostWords = 8;
    int words = 0;
    for (std::size_t at = name.rfind('_');
         at != std::string_view::npos && at > begin && words++ < kMostWords;
         at = name.rfind('_', at - 1)) {
      const std::string stem(name.substr(0, at));
      if (!HasWord(Lowercase(name.substr(at)))) continue;
      std::vector<std::string> possible{stem};
      for (const std::string_view end : kCodeEnds) possible.push_back(stem + std::string(end));
      for (const std::string& codes : possible) {
        const auto found = by_name_.find(codes);
        if (found == by_name_.end() || found->second == index) continue;
        const TensorInfo& info = tensors_[found->second].info;
        if (info.shape.size() < 2 || !CanBeCodes(info.dtype)) continue;
        QuantisedWeight& weight = parameters_[codes];
        weight.codes = {found->second};
        weight.companions.push_back(index);
        return;
      }
    }
  }

  std::vector<QuantisedWeight> Finished() {
    std::vector<QuantisedWeight> found;
    for (auto* weights : {&modules_, &parameters_}) {
      for (auto& [name, weight] : *weights) {
        if (weight.companions.empty()) continue;
        Sort(weight);
        found.push_back(std::move(weight));
      }
    }
    return found;
  }

  /// The ones to be named first.
  void Sort(QuantisedWeight& weight) const {
    const auto codes_rank = [&](std::uint32_t index) {
      const std::string& leaf = names_[index].leaf;
      return std::pair(leaf != "weight" && leaf != "qweight", index);
    };
    const auto companion_rank = [&](std::uint32_t index) {
      const std::string& leaf = names_[index].leaf;
      return std::tuple(leaf.find("input") != std::string::npos,
                        !IsFloat(tensors_[index].info.dtype),
                        leaf.find("scale") == std::string::npos, index);
    };
    std::ranges::sort(weight.codes, {}, codes_rank);
    std::ranges::sort(weight.companions, {}, companion_rank);
  }

  std::span<const CheckpointTensor> tensors_;
  std::vector<Name> names_;  ///< parallel to tensors_
  std::unordered_map<std::string_view, std::uint32_t> by_name_;
  std::vector<bool> is_codes_;                   ///< parallel to tensors_
  std::unordered_set<std::string> of_matrices_;  ///< modules whose codes are a matrix
  std::map<std::string, QuantisedWeight> modules_;
  std::map<std::string, QuantisedWeight> parameters_;
};

}  // namespace

std::vector<QuantisedWeight> FindQuantised(std::span<const CheckpointTensor> tensors) {
  return Finder(tensors).Find();
}

std::optional<std::string> CompanionName(std::string_view companion, std::string_view codes,
                                         std::string_view renamed) {
  const auto module = [](std::string_view name) { return name.substr(0, name.rfind('.') + 1); };
  const std::string_view old_module = module(codes);
  const std::string_view new_module = module(renamed);
  const bool same_leaf = codes.substr(old_module.size()) == renamed.substr(new_module.size());
  const std::string_view from = same_leaf ? old_module : codes;
  const std::string_view to = same_leaf ? new_module : renamed;
  if (!companion.starts_with(from)) return std::nullopt;
  return std::string(to).append(companion.substr(from.size()));
}

}  // namespace weightsmith::internal
