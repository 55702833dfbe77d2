// What outputs store of a task: its products, their dtypes and scales, their names.
#include <algorithm>
#include <set>

#include "core/model/blocks.h"
#include "merge/plan/fill_dtype.h"
#include "merge/plan/planner.h"
#include "merge/plan/planner_files.h"

namespace weightsmith::internal {
namespace {

/// The canonical name of a tensor where an output has it.
std::string CanonicalIn(const Want& want, const std::string& canonical) {
  return want.origin.layer ? WithBlock(canonical, *want.origin.layer) : canonical;
}

Shape ScalesShape(const Encoding& encoding, const Shape& weight) {
  return encoding.scales_of(weight).value_or(Shape());
}

}  // namespace

/// Whether any weight of the model stays as it is stored, scaled.
bool Planner::KeepsScaled(std::uint32_t output, std::uint32_t model) {
  const auto [known, added] = keeps_scaled_.try_emplace(std::pair(output, model));
  if (!added) return known->second;
  const OutputSpec& spec = plan_.outputs[output].spec;
  return known->second = std::ranges::any_of(tensors_, [&](const auto& item) {
           const auto& [key, tensor] = item;
           if (index_.models()[model].NotDecoded(key) != nullptr) return true;
           const ModelTensor* const own = index_.models()[model].Find(key);
           if (own == nullptr || !own->scales) return false;
           return OutputStorage(spec, places_.Of(*own, tensor.canonical), *own) ==
                  StoredAs(own->stored->info.dtype);
         });
}

/// How an output stores a tensor.
StoredAs Planner::StorageOf(const TensorKey& key, const PlannedTensor& tensor,
                            const Want& want) const {
  const std::string canonical = CanonicalIn(want, tensor.canonical);
  TensorPlace place = places_.Of(*tensor.first, canonical);
  if (want.origin.layer) place.block.index = want.origin.layer;
  return OutputStorage(plan_.outputs[want.output].spec, place, Of(want.origin.models.front(), key));
}

/// Where and how an output stores a value of the draft, but for its number.
Product Planner::PlanProduct(const TensorKey& key, const PlannedTensor& tensor,
                             const TensorEvaluator& evaluator, Value value, const Shape& shape,
                             const Want& want) const {
  const OutputSpec& spec = plan_.outputs[want.output].spec;
  const StoredAs storage = StorageOf(key, tensor, want);
  Product product{.dtype = storage.dtype};
  if (!value.zero() && value.reg() < evaluator.sources().size()) {
    const TapeSource& source = evaluator.sources()[value.reg()];
    const TensorInfo* const stored =
        source.delta ? nullptr : &Of(source.model, KeyOf(source, key)).stored->info;
    const bool same = stored != nullptr && stored->dtype == product.dtype && stored->shape == shape;
    if (same && storage.encoding == nullptr) product.copy = value.reg();
  }
  if (spec.rounding.stochastic) {
    product.noise = NoiseKey(spec.rounding, CanonicalIn(want, tensor.canonical));
  }
  return product;
}

/// What the scales are for that are stored with a product that is computed: those that the leading
/// model has.
std::optional<Grid> Planner::CellsOfProduct(const TensorKey& key, const Product& product,
                                            const Shape& shape, std::uint32_t leading) const {
  const ModelTensor& tensor = Of(leading, key);
  if (product.copy || product.dtype != tensor.stored->info.dtype) return std::nullopt;
  return CellsOf(tensor, shape);
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
    const Encoding* const encoding = StorageOf(key, tensor, want).encoding;
    const auto cells = encoding != nullptr ? encoding->grid(shape, ScalesShape(*encoding, shape))
                                           : CellsOfProduct(key, product, shape, leading);
    drafted.values.push_back(value);
    if (!cells || elements == 0) continue;
    const DType of_scales =
        encoding != nullptr ? DType::kF32 : Of(leading, key).scales->tensor->info.dtype;
    const ScaledValue scaled = FillDType(lowering, value, product.dtype, *cells, of_scales,
                                         cells->CellCount(elements) == 1);
    product.scale = ProductScale{.cells = *cells};
    drafted.slots.push_back(scaled.scale);
    drafted.values.push_back(scaled.value);
  }
  return drafted;
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
