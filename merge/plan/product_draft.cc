#include "merge/plan/product_draft.h"

#include <utility>

#include "core/tensor/encoding.h"
#include "merge/plan/fill_dtype.h"

namespace weightsmith::internal {
namespace {

Shape ScalesShape(const Encoding& encoding, const Shape& weight) {
  return encoding.scales_of(weight).value_or(Shape());
}

}  // namespace

/// Where and how an output stores the value, but for the value's number.
Product ProductDraft::MakeProduct(const Want& want, Value value, const StoredAs& storage) const {
  const OutputSpec& spec = draft_->SpecOf(want);
  Product product{.dtype = storage.dtype};
  if (!value.zero() && value.reg() < evaluator_->sources().size()) {
    const TapeSource& source = evaluator_->sources()[value.reg()];
    const TensorInfo* const stored =
        source.delta
            ? nullptr
            : &draft_->index.TensorOf(source.model, evaluator_->KeyOf(source)).stored->info;
    const bool same =
        stored != nullptr && stored->dtype == product.dtype && stored->shape == shape_;
    if (same && storage.encoding == nullptr) product.copy = value.reg();
  }
  if (spec.rounding.stochastic) {
    product.noise = NoiseKey(spec.rounding, want.NameIn(tensor_->canonical));
  }
  return product;
}

/// What the scales are for that are stored with a product that is computed: those that the leading
/// model has.
std::optional<Grid> ProductDraft::CellsOfProduct(const Product& product,
                                                 const ModelTensor& leading) const {
  if (product.copy || product.dtype != leading.stored->info.dtype) return std::nullopt;
  return CellsOf(leading, shape_);
}

void ProductDraft::Add(const Want& want, Value value, Lowering& lowering) {
  const std::uint64_t elements = ElementCount(shape_).value();
  const StoredAs storage = dtypes_->Of(*tensor_, want);
  const Encoding* const encoding = storage.encoding;
  const ModelTensor& leading = draft_->index.TensorOf(want.origin.models.front(), tensor_->key);
  Product& product = products_.emplace_back(MakeProduct(want, value, storage));
  const auto cells = encoding != nullptr ? encoding->grid(shape_, ScalesShape(*encoding, shape_))
                                         : CellsOfProduct(product, leading);
  values_.push_back(value);
  if (!cells || elements == 0) return;
  const DType of_scales = encoding != nullptr ? DType::kF32 : leading.scales->tensor->info.dtype;
  const ScaledValue scaled =
      FillDType(lowering, value, product.dtype, *cells, of_scales, cells->CellCount(elements) == 1);
  product.scale = ProductScale{.cells = *cells};
  slots_.push_back(scaled.scale);
  values_.push_back(scaled.value);
}

std::vector<Product> ProductDraft::Finish(std::span<const Value> values,
                                          std::span<const Slot> slots) && {
  auto value = values.begin();
  auto slot = slots.begin();
  for (Product& product : products_) {
    product.value = (value++)->reg();
    if (product.copy) product.copy = product.value;  // a source's register has its number
    if (!product.scale) continue;
    product.scale->unscaled = product.value;
    product.scale->slot = *slot++;
    product.value = (value++)->reg();
  }
  return std::move(products_);
}

}  // namespace weightsmith::internal
