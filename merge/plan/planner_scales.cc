// The scales that outputs store with weights: those that a model has, and those of weights that are
// stored in an encoding which is asked for.
#include <algorithm>
#include <string>
#include <utility>

#include "merge/plan/planner.h"

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

/// The scale of a task's product: that of the source where it is a copy, the slot's where it is
/// not.
void Planner::PlanScale(const TensorKey& key, const PlannedTensor& tensor, const Want& want,
                        std::uint32_t number, std::uint32_t product) {
  if (const Encoding* const encoding = StorageOf(key, tensor, want).encoding) {
    return AddScales(key, *encoding, want, number, product);
  }
  const std::uint32_t leading = want.origin.models.front();
  const Product& made = plan_.tasks[number].products[product];
  const std::uint32_t model = made.copy ? plan_.tasks[number].sources[*made.copy].model : leading;
  const ModelTensor* const weight = index_.models()[model].Find(key);
  // Of a tensor without elements, the leading model's stay.
  const bool empty =
      plan_.tasks[number].elements == 0 && made.dtype == Of(leading, key).stored->info.dtype;
  if (weight == nullptr || !weight->scales) return;
  if (!made.copy && !made.scale && !empty) return;
  const TensorKey& scales = weight->scales->key;
  const ModelTensor& stored = Of(model, scales);
  const TensorInfo& info = stored.stored->info;
  const std::string& canonical = stored.anatomy->canonical;
  if (!made.scale) return AddCopy(scales, canonical, model, want);
  std::vector<Product>& products = plan_.tasks[number].products;
  const auto place = static_cast<std::uint32_t>(products.size());
  products.push_back({.dtype = info.dtype, .numbers = SlotTensor{made.scale->slot, info.shape}});
  const Want from{want.output, {want.origin.node, {model}, want.origin.layer}};
  AddOutputTensor(from, scales, canonical, info.dtype, info.shape, number, place);
}

/// The scales of a product that is stored in an encoding which is asked for, and the marker of its
/// component, where the encoding has one and none is copied.
void Planner::AddScales(const TensorKey& key, const Encoding& encoding, const Want& want,
                        std::uint32_t number, std::uint32_t product) {
  std::vector<Product>& products = plan_.tasks[number].products;
  if (!products[product].scale) return;
  const Slot slot = products[product].scale->slot;
  std::vector<OutputTensor>& tensors = output_tensors_[want.output];
  const auto is_weight = [&](const OutputTensor& tensor) {
    return tensor.task == number && tensor.product == product;
  };
  const OutputTensor weight = *std::ranges::find_if(tensors, is_weight);
  const auto add = [&](DType dtype, const Shape& shape, OutputTensor tensor) {
    tensor.info = {dtype, shape};
    tensor.product = static_cast<std::uint32_t>(products.size());
    products.push_back({.dtype = dtype, .numbers = SlotTensor{slot, shape}});
    tensors.push_back(std::move(tensor));
  };
  OutputTensor scales = weight;
  for (std::string* const name : {&scales.name, &scales.canonical, &scales.local}) {
    *name = WithEnd(*name, WrittenScales(encoding));
  }
  add(DType::kF32, encoding.scales_of(weight.info.shape).value(), std::move(scales));

  const std::string_view marker = WrittenMarker(encoding);
  if (marker.empty()) return;
  const std::uint32_t leftmost = index_.WeightModels(want.origin.node).front();
  const bool copied = KeepsScaled(want.output, leftmost) &&
                      index_.models()[leftmost].Find({key.component, std::string(marker)});
  OutputTensor mark = weight;
  mark.name = BesideInComponent(weight.name, weight.local, marker);
  mark.canonical = BesideInComponent(weight.canonical, weight.local, marker);
  mark.local = marker;
  if (copied || !marked_.emplace(want.output, mark.canonical).second) return;
  add(encoding.codes.front(), {0}, std::move(mark));
}

}  // namespace weightsmith::internal
