#include "merge/adapters/module_delta.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/numbers.h"
#include "core/tensor/codec.h"
#include "merge/adapters/dora.h"

namespace weightsmith::internal {
namespace {

using enum AdapterRole;

constexpr AdapterRole kBiases[] = {kDiffBias, kNormDiffBias, kUpBias};

/// PEFT's IA3 scales the bias with the rows.
bool ScalesBias(const AdapterModule& module) {
  const auto factors = module.shapes.find(kIa3);
  if (factors == module.shapes.end()) return false;
  return factors->second.size() == 2 ? factors->second[1] == 1 : !module.peft.feedforward;
}

/// By exponents: the compiler makes vectors of it.
std::uint64_t CountNonFinite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7F800000;
  std::uint64_t count = 0;
  for (const float value : values) {
    count += (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent ? 1 : 0;
  }
  return count;
}

const AdapterRole* BiasRole(const AdapterModule& module) {
  const auto* const role =
      std::ranges::find_if(kBiases, [&](AdapterRole bias) { return module.shapes.contains(bias); });
  return role == std::end(kBiases) ? nullptr : role;
}

/// A few elements beside those of the factors, as LyCORIS extracts them.
class SparseRows final : public DeltaRows {
 public:
  SparseRows(const AdapterValues& values, const AdapterWeight& weight,
             std::unique_ptr<DeltaRows> rest)
      : DeltaRows(rest->columns()), rest_(std::move(rest)) {
    if (!values.Has(kSparseIndices)) ExpectEqual(0, 1, "the number of sparse indices");
    ExpectEqual(values.shapes.at(kSparseIndices).size(), 2, "the axes of sparse indices");
    const std::vector<float>& indices = values.values.at(kSparseIndices);
    const std::vector<float>& stored = values.values.at(kSparseValues);
    const std::uint64_t axes = values.shapes.at(kSparseIndices)[0];
    ExpectEqual(indices.size(), axes * stored.size(), "the number of sparse indices");
    ExpectEqual(axes, weight.shape.size(), "the number of axes of sparse indices");
    for (std::size_t i = 0; i < stored.size(); ++i) {
      std::uint64_t at = 0;
      for (std::uint64_t axis = 0; axis < axes; ++axis) {
        const float index = indices[axis * stored.size() + i];
        if (!(index >= 0) || index >= static_cast<float>(weight.shape[axis])) {
          throw Error(ErrorCode::kMismatch,
                      fmt::format("sparse index {} is outside a weight of shape {}", index,
                                  ToString(weight.shape)));
        }
        at = at * weight.shape[axis] + static_cast<std::uint64_t>(index);
      }
      elements_.emplace_back(at, values.scale * stored[i]);
    }
    std::ranges::sort(elements_);
  }

  void Fill(std::uint64_t first, std::span<float> out) const override {
    rest_->Fill(first, out);
    auto element = std::ranges::lower_bound(elements_, std::pair(first, -INFINITY));
    for (; element != elements_.end() && element->first < first + out.size(); ++element) {
      out[element->first - first] += element->second;
    }
  }

 private:
  std::unique_ptr<DeltaRows> rest_;
  std::vector<std::pair<std::uint64_t, float>> elements_;  ///< by place
};

std::unique_ptr<DeltaRows> MakeBias(const AdapterModule& module, const AdapterValues& values,
                                    const AdapterWeight& weight) {
  std::vector<float> sum(weight.size().rows);
  for (const AdapterRole role : kBiases) {
    if (!module.shapes.contains(role)) continue;
    const std::vector<float>& own = values.values.at(role);
    ExpectEqual(own.size(), sum.size(), "the length of the bias");
    AddScaled(role == kUpBias ? values.scale : 1, own, sum);
  }
  if (ScalesBias(module)) {
    const std::vector<float>& factors = values.values.at(kIa3);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight.values[i] * (factors[i] - 1);
  }
  return std::make_unique<StoredRows>(1, std::move(sum));
}

/// PEFT may save the layer that it wraps beside the factors: these change the saved one.
class OnSavedRows final : public DeltaRows {
 public:
  using Maker = std::function<std::unique_ptr<DeltaRows>(const AdapterWeight&)>;

  OnSavedRows(std::vector<float> saved, const AdapterWeight& weight, float factor,
              const Maker& make)
      : DeltaRows(weight.size().columns),
        saved_(std::move(saved)),
        current_(weight.values),
        factor_(factor),
        change_(make({weight.shape, saved_})) {}

  void Fill(std::uint64_t first, std::span<float> out) const override {
    change_->Fill(first, out);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = saved_[first + i] + factor_ * out[i];
    if (current_.empty()) return;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] -= current_[first + i];
  }

 private:
  std::vector<float> saved_;
  std::span<const float> current_;
  float factor_;
  std::unique_ptr<DeltaRows> change_;
};

AdapterRole SavedRole(AdapterTarget target) {
  return target == AdapterTarget::kWeight ? kSavedWeight : kSavedBias;
}

std::unique_ptr<DeltaRows> MakeReplacement(const std::vector<float>& value,
                                           const AdapterWeight& weight) {
  std::vector<float> stored = value;
  for (std::size_t i = 0; i < weight.values.size(); ++i) stored[i] -= weight.values[i];
  return std::make_unique<StoredRows>(weight.size().columns, std::move(stored));
}

/// Whatever stands in the weight's place.
std::unique_ptr<DeltaRows> MakeChange(const AdapterModule& module, AdapterTarget target,
                                      const AdapterValues& values, const AdapterWeight& weight) {
  if (module.family->replaces) {
    return MakeReplacement(values.values.at(*module.family->replaces), weight);
  }
  if (target == AdapterTarget::kBias) return MakeBias(module, values, weight);
  if (!module.dora()) {
    std::unique_ptr<DeltaRows> rows = module.family->rows(values, weight);
    if (!values.Has(kSparseValues)) return rows;
    return std::make_unique<SparseRows>(values, weight, std::move(rows));
  }
  AdapterValues whole = values;
  whole.strength = 1;  // DoRA is of the whole change, and is itself in proportion
  return MakeDora(values, weight, module.family->rows(whole, weight),
                  module.family->id == "lora_embedding");
}

}  // namespace

bool Changes(const AdapterModule& module, AdapterTarget target) {
  if (module.family->id == "plain") return module.on_bias == (target == AdapterTarget::kBias);
  if (target == AdapterTarget::kBias) return BiasRole(module) != nullptr || ScalesBias(module);
  if (module.family->replaces) return true;
  return std::ranges::any_of(module.family->forms, [&](const std::vector<AdapterRole>& form) {
    return std::ranges::all_of(form, [&](AdapterRole role) {
      return module.shapes.contains(role) && std::ranges::find(kBiases, role) == std::end(kBiases);
    });
  });
}

MatrixSize SizeOf(const AdapterModule& module, AdapterTarget target) {
  const auto saved = module.shapes.find(SavedRole(target));
  return saved == module.shapes.end() ? SizeOfChange(module, target) : SizeAsMatrix(saved->second);
}

MatrixSize SizeOfChange(const AdapterModule& module, AdapterTarget target) {
  if (target == AdapterTarget::kWeight || module.family->replaces) {
    return module.family->size(module.shapes);
  }
  if (const AdapterRole* role = BiasRole(module)) {
    return {SizeAsMatrix(module.shapes.at(*role)).rows, 1};
  }
  return {ElementCount(module.shapes.at(kIa3)).value(), 1};
}

bool HasSaved(const AdapterModule& module, AdapterTarget target) {
  return module.shapes.contains(SavedRole(target));
}

bool ReadsWeight(const AdapterModule& module, AdapterTarget target) {
  if (HasSaved(module, target)) return false;
  if (target == AdapterTarget::kBias) return ScalesBias(module);
  return module.family->reads_weight || module.dora();
}

bool Replaces(const AdapterModule& module, AdapterTarget target) {
  return module.family->replaces.has_value() || HasSaved(module, target);
}

bool IsLinear(const AdapterModule& module, AdapterTarget target) {
  if (target == AdapterTarget::kBias || module.dora()) return true;
  return module.family->linear == nullptr || module.family->linear(module.shapes);
}

AdapterValues ReadValues(const Checkpoint& checkpoint, const AdapterModule& module, double strength,
                         const SeeTensor& see) {
  AdapterValues values{.shapes = module.shapes,
                       .scale = static_cast<float>(module.scale),
                       .strength = static_cast<float>(strength),
                       .alpha = module.alpha,
                       .peft = module.peft};
  for (const auto& [role, index] : module.tensors) {
    const CheckpointTensor& tensor = checkpoint.tensors()[index];
    if (role == kAlpha) continue;  // it may be infinite where nothing heeds it
    std::vector<float>& own = values.values[role];
    if (Info(tensor.info.dtype).has_codec) {
      own.resize(tensor.info.elements());
      const std::vector<std::byte> bytes = checkpoint.Read(tensor);
      Decode(tensor.info.dtype, bytes, own);
      if (see) see(index, bytes);
    } else {
      for (const double number : ReadNumbers(checkpoint, tensor)) {
        own.push_back(static_cast<float>(number));
      }
    }
    if (own.size() != tensor.info.elements()) {
      throw Error(ErrorCode::kInput, fmt::format("{} is {}, which cannot be computed with",
                                                 Quote(tensor.name), Info(tensor.info.dtype).name));
    }
    // Mapped pages that were read are not needed again.
    if (tensor.gather == nullptr) {
      checkpoint.files()[tensor.file]->Release(tensor.offset, tensor.info.bytes());
    }
    const std::uint64_t wrong = CountNonFinite(own);
    if (wrong == 0) continue;
    throw Error(ErrorCode::kMismatch, fmt::format("{} has {} values that are not finite",
                                                  Quote(tensor.name), FormatCount(wrong)));
  }
  return values;
}

std::unique_ptr<DeltaRows> MakeDelta(const AdapterModule& module, AdapterTarget target,
                                     const AdapterValues& values, const AdapterWeight& weight) {
  if (!values.Has(SavedRole(target))) return MakeChange(module, target, values, weight);
  const float factor = IsLinear(module, target) ? values.strength : 1;
  return std::make_unique<OnSavedRows>(
      values.values.at(SavedRole(target)), weight, factor,
      [&](const AdapterWeight& saved) { return MakeChange(module, target, values, saved); });
}

std::uint64_t DeltaBytes(const AdapterModule& module, AdapterTarget target, const Shape& weight) {
  // Rows and tables of little size.
  constexpr std::uint64_t kSmall = 64 << 10;
  const MatrixSize size = SizeAsMatrix(weight);
  const auto saved = module.shapes.find(SavedRole(target));
  const std::uint64_t kept =
      saved == module.shapes.end() ? 0 : ElementCount(saved->second).value_or(0) * sizeof(float);
  if (target == AdapterTarget::kBias)
    return kSmall + kept + size.rows * size.columns * sizeof(float);
  std::uint64_t bytes = kSmall + kept + 2 * size.columns * sizeof(double);
  bytes += module.family->bytes != nullptr ? module.family->bytes(module.shapes, size)
                                           : 2 * ElementsOf(module.shapes) * sizeof(float);
  if (const auto sparse = module.shapes.find(kSparseValues); sparse != module.shapes.end()) {
    // The list doubles as it grows.
    bytes += 3 * ElementCount(sparse->second).value_or(0) * sizeof(std::pair<std::uint64_t, float>);
  }
  return bytes;
}

std::uint64_t ValueBytes(const AdapterModule& module) {
  const std::uint64_t all = ElementsOf(module.shapes) * sizeof(float);
  // DoRA works on a copy.
  return all * (module.dora() ? 2 : 1) + module.read_bytes;
}

}  // namespace weightsmith::internal
