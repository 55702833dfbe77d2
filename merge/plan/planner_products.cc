// What outputs store of a task: its products, their dtypes and scales, their names.
#include <algorithm>
#include <set>

#include "core/model/blocks.h"
#include "merge/plan/fill_dtype.h"
#include "merge/plan/planner.h"
#include "merge/plan/planner_files.h"
#include "merge/plan/scaled.h"

namespace weightsmith::internal {

/// Whether any weight of the model stays as it is stored, scaled.
bool Planner::KeepsScaled(std::uint32_t output, std::uint32_t model) {
  const auto [known, added] = keeps_scaled_.try_emplace(std::pair(output, model));
  if (!added) return known->second;
  const OutputSpec& spec = plan_.outputs[output].spec;
  return known->second = std::ranges::any_of(tensors_, [&](const auto& item) {
           const auto& [key, tensor] = item;
           if (NotDecoded(index_.models()[model], key) != nullptr) return true;
           if (!ScaleOf(index_.models()[model], key)) return false;
           const ModelTensor& own = Of(model, key);
           return OutputDType(spec, places_.Of(own, tensor.canonical), own) ==
                  own.stored->info.dtype;
         });
}

/// Where and how an output stores a value of the draft, but for its number.
Product Planner::PlanProduct(const TensorKey& key, const PlannedTensor& tensor,
                             const TensorEvaluator& evaluator, Value value, const Shape& shape,
                             const Want& want) const {
  const OutputSpec& spec = plan_.outputs[want.output].spec;
  const std::optional<std::uint32_t> layer = want.origin.layer;
  const std::string canonical = layer ? WithBlock(tensor.canonical, *layer) : tensor.canonical;
  TensorPlace place = places_.Of(*tensor.first, canonical);
  if (layer) place.block.index = layer;
  Product product{.dtype = OutputDType(spec, place, Of(want.origin.models.front(), key))};
  if (!value.zero() && value.reg() < evaluator.sources().size()) {
    const TapeSource& source = evaluator.sources()[value.reg()];
    const TensorInfo* const stored =
        source.delta ? nullptr : &Of(source.model, KeyOf(source, key)).stored->info;
    const bool same = stored != nullptr && stored->dtype == product.dtype && stored->shape == shape;
    if (same) product.copy = value.reg();
  }
  if (spec.rounding.stochastic) product.noise = NoiseKey(spec.rounding, canonical);
  return product;
}

/// What scales are stored with a product that is computed: those that the leading model has.
std::optional<WeightScale> Planner::ScalesOf(const TensorKey& key, const Product& product,
                                             const Shape& shape, std::uint32_t leading) const {
  if (product.copy || product.dtype != Of(leading, key).stored->info.dtype) return std::nullopt;
  return ScaleOf(index_.models()[leading], key, shape);
}

/// What the outputs store of a task's values, and what has to be computed for it: each value, and
/// where its product has scales, the value over its scale, whose slot is asked for.
Planner::Drafted Planner::DraftProducts(const TensorKey& key, const PlannedTensor& tensor,
                                        const TensorEvaluator& evaluator, const Shape& shape,
                                        std::span<const Wanted> wanted, Lowering& lowering) const {
  Drafted drafted;
  const std::uint64_t elements = ElementCount(shape).value();
  for (const auto& [want, value] : wanted) {
    Product& product =
        drafted.products.emplace_back(PlanProduct(key, tensor, evaluator, value, shape, want));
    const std::uint32_t leading = want.origin.models.front();
    const auto scales = ScalesOf(key, product, shape, leading);
    drafted.values.push_back(value);
    if (!scales || elements == 0) continue;
    const ScaledValue scaled = FillDType(lowering, value, product.dtype, *scales,
                                         Of(leading, scales->key).stored->info.dtype,
                                         scales->cells.CellCount(elements) == 1);
    product.scale = ProductScale{.cells = scales->cells};
    drafted.slots.push_back(scaled.scale);
    drafted.values.push_back(scaled.value);
  }
  return drafted;
}

/// The scale of a task's product: that of the source where it is a copy, the slot's where it is
/// not.
void Planner::PlanScale(const TensorKey& key, const Want& want, std::uint32_t number,
                        std::uint32_t product) {
  const std::uint32_t leading = want.origin.models.front();
  const Product& made = plan_.tasks[number].products[product];
  const std::uint32_t model = made.copy ? plan_.tasks[number].sources[*made.copy].model : leading;
  const auto scale = ScaleOf(index_.models()[model], key);
  // Of a tensor without elements, the leading model's stay.
  const bool empty =
      plan_.tasks[number].elements == 0 && made.dtype == Of(leading, key).stored->info.dtype;
  if (!scale || (!made.copy && !made.scale && !empty)) return;
  const ModelTensor& stored = Of(model, scale->key);
  const TensorInfo& info = stored.stored->info;
  const std::string& canonical = stored.anatomy->canonical;
  if (!made.scale) return AddCopy(scale->key, canonical, model, want);
  std::vector<Product>& products = plan_.tasks[number].products;
  const auto place = static_cast<std::uint32_t>(products.size());
  products.push_back({.dtype = info.dtype, .numbers = SlotTensor{made.scale->slot, info.shape}});
  const Want from{want.output, {want.origin.node, {model}, want.origin.layer}};
  AddOutputTensor(from, scale->key, canonical, info.dtype, info.shape, number, place);
}

/// Whether all that the output has is of one component.
bool Planner::IsOneComponent(const OutputSpec& spec) const {
  std::set<std::string_view> components;
  for (const std::uint32_t model : index_.WeightModels(spec.root)) {
    for (const auto& [name, component] : index_.models()[model].components()) {
      components.emplace(name);
    }
  }
  for (const auto& [name, node] : spec.components) components.insert(name);
  components.erase("other");
  return components.size() <= 1;
}

void Planner::AddOutputTensor(const Want& want, const TensorKey& key, const std::string& canonical,
                              DType dtype, const Shape& shape, std::uint32_t task,
                              std::uint32_t product) {
  const auto& [output, origin] = want;
  const OutputSpec& spec = plan_.outputs[output].spec;
  const std::uint32_t leftmost = index_.WeightModels(spec.root).front();
  const ModelTensor& stored = Of(origin.models.front(), key);
  const Anatomy& anatomy = index_.models()[leftmost].anatomy();
  const bool bare = anatomy.architecture != nullptr
                        ? anatomy.layout == anatomy.architecture->bare_layout
                        : anatomy.part != nullptr;
  const std::optional<std::uint32_t> layer = origin.layer;
  const auto numbered = [&](const std::string& name) {
    return layer ? WithBlock(name, *layer) : name;
  };
  const std::string name = OutputName(stored, origin.models.front() == leftmost, bare,
                                      one_component_[output], canonical);
  output_tensors_[output].push_back({.name = numbered(name),
                                     .canonical = numbered(canonical),
                                     .local = numbered(stored.anatomy->local),
                                     .component = stored.component->name,
                                     .info = {dtype, shape},
                                     .task = task,
                                     .product = product});
}

}  // namespace weightsmith::internal
