#include "merge/plan/output_scales.h"

#include <string_view>
#include <vector>

#include "core/tensor/encoding.h"

namespace weightsmith::internal {
namespace {

/// The name of what stands in the component beside the tensor, by the tensor's two names.
std::string BesideInComponent(std::string_view name, std::string_view local,
                              std::string_view beside) {
  const bool prefixed = name.ends_with(local);
  return std::string(prefixed ? name.substr(0, name.size() - local.size()) : std::string_view())
      .append(beside);
}

std::string WithEnd(std::string_view name, std::string_view end) {
  return std::string(name.substr(0, name.size() - kWeightEnd.size())).append(end);
}

}  // namespace

void OutputScales::Add(const PlannedTensor& tensor, const Want& want, std::uint32_t task,
                       std::uint32_t product) {
  if (const Encoding* const encoding = dtypes_->Of(tensor, want).encoding) {
    AddEncoded(tensor, *encoding, want, task, product);
  } else {
    AddKept(tensor, want, task, product);
  }
}

/// A product of the task that is the numbers of a slot.
std::uint32_t OutputScales::AddNumbers(std::uint32_t task, DType dtype, Slot slot,
                                       const Shape& shape) {
  std::vector<Product>& products = draft_->plan.tasks[task].products;
  products.push_back({.dtype = dtype, .numbers = SlotTensor{slot, shape}});
  return static_cast<std::uint32_t>(products.size() - 1);
}

/// The scale that the weight has in a model.
void OutputScales::AddKept(const PlannedTensor& tensor, const Want& want, std::uint32_t number,
                           std::uint32_t product) {
  const Task& task = draft_->plan.tasks[number];
  const Product& made = task.products[product];
  const std::uint32_t leading = want.origin.models.front();
  const std::uint32_t model = made.copy ? task.sources[*made.copy].model : leading;
  const ModelTensor* const weight = draft_->index.models()[model].Find(tensor.key);
  // Of a tensor without elements, the leading model's stay.
  const bool empty = task.elements == 0 &&
                     made.dtype == draft_->index.TensorOf(leading, tensor.key).stored->info.dtype;
  if (weight == nullptr || !weight->scales) return;
  if (!made.copy && !made.scale && !empty) return;
  const TensorKey& scales = weight->scales->key;
  const ModelTensor& stored = draft_->index.TensorOf(model, scales);
  const TensorInfo& info = stored.stored->info;
  const std::string& canonical = stored.anatomy->canonical;
  if (!made.scale) return copied_->Copy(scales, canonical, model, want);
  const std::uint32_t place = AddNumbers(number, info.dtype, made.scale->slot, info.shape);
  outputs_->Add(want.CopiedFrom(model), scales, canonical, info, number, place);
}

/// The scales of a product that is stored in an encoding which is asked for, and the marker of its
/// component, where the encoding has one and none is copied.
void OutputScales::AddEncoded(const PlannedTensor& tensor, const Encoding& encoding,
                              const Want& want, std::uint32_t number, std::uint32_t product) {
  const auto& scale = draft_->plan.tasks[number].products[product].scale;
  if (!scale) return;
  const Slot slot = scale->slot;
  const OutputTensor weight = outputs_->Of(want.output, number, product);
  OutputTensor scales = weight;
  for (std::string* const name : {&scales.name, &scales.canonical, &scales.local}) {
    *name = WithEnd(*name, WrittenScales(encoding));
  }
  scales.info = {DType::kF32, encoding.scales_of(weight.info.shape).value()};
  scales.product = AddNumbers(number, scales.info.dtype, slot, scales.info.shape);
  outputs_->Add(want.output, scales);
  if (!WrittenMarker(encoding).empty()) AddMarker(tensor, encoding, want, weight, slot);
}

/// `mark` is the weight that the marker is added with.
void OutputScales::AddMarker(const PlannedTensor& tensor, const Encoding& encoding,
                             const Want& want, OutputTensor mark, Slot slot) {
  const std::string_view marker = WrittenMarker(encoding);
  const std::uint32_t leftmost = draft_->index.WeightModels(want.origin.node).front();
  const ModelIndex& model = draft_->index.models()[leftmost];
  const bool copied = dtypes_->KeepsScaled(want.output, leftmost) &&
                      model.Find({tensor.key.component, std::string(marker)}) != nullptr;
  mark.name = BesideInComponent(mark.name, mark.local, marker);
  mark.canonical = BesideInComponent(mark.canonical, mark.local, marker);
  mark.local = marker;
  if (copied || !marked_.emplace(want.output, mark.canonical).second) return;
  mark.info = {encoding.codes.front(), {0}};
  mark.product = AddNumbers(mark.task, mark.info.dtype, slot, mark.info.shape);
  outputs_->Add(want.output, mark);
}

}  // namespace weightsmith::internal
