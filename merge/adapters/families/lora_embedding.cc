// PEFT's LoRA of an embedding: A [rank, words], B [width, rank].

#include "merge/adapters/adapter_family.h"
#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal::adapter_families {
namespace {

using enum AdapterRole;

std::uint64_t RankOfLoraEmbedding(const AdapterShapes& shapes) {
  return AxisOf(shapes, kEmbeddingDown, 0);
}

MatrixSize SizeOfLoraEmbedding(const AdapterShapes& shapes) {
  const MatrixSize down = SizeAsMatrix(shapes.at(kEmbeddingDown));
  const MatrixSize up = SizeAsMatrix(shapes.at(kEmbeddingUp));
  ExpectEqual(up.columns, down.rows, "the rank of lora_embedding_B");
  return {down.columns, up.rows};
}

std::vector<float> Transposed(const AdapterValues::Matrix& matrix) {
  std::vector<float> other(matrix.values.size());
  for (std::uint64_t row = 0; row < matrix.rows; ++row) {
    for (std::uint64_t column = 0; column < matrix.columns; ++column) {
      other[column * matrix.rows + row] = matrix.Row(row)[column];
    }
  }
  return other;
}

std::unique_ptr<DeltaRows> RowsOfLoraEmbedding(const AdapterValues& values, const AdapterWeight&) {
  const AdapterValues::Matrix down = values.Of(kEmbeddingDown);
  return std::make_unique<LowRankRows>(
      LowRank(Transposed(down), Transposed(values.Of(kEmbeddingUp)), down.rows, values.scale));
}

}  // namespace

const AdapterFamily& lora_embedding() {
  static const AdapterFamily family = {.id = "lora_embedding",
                                       .title = "LoRA of an embedding",
                                       .source = "PEFT",
                                       .formula = "E + s·(B·A)ᵀ",
                                       .precedence = 61,
                                       .known_by = {kEmbeddingDown, kEmbeddingUp},
                                       .forms = {{kEmbeddingDown, kEmbeddingUp}},
                                       .rank = RankOfLoraEmbedding,
                                       .size = SizeOfLoraEmbedding,
                                       .rows = RowsOfLoraEmbedding};
  return family;
}

}  // namespace weightsmith::internal::adapter_families
