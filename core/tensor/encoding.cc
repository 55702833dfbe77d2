#include "core/tensor/encoding.h"

namespace weightsmith::internal {

std::optional<Grid> GridOfBlocks(const Shape& weight, const Shape& scales, std::uint64_t rows,
                                 std::uint64_t columns) {
  if (weight.size() != 2 || scales.size() != 2 || weight[0] == 0 || weight[1] == 0) {
    return std::nullopt;
  }
  const auto blocks = [](std::uint64_t size, std::uint64_t block) {
    return (size + block - 1) / block;
  };
  if (scales[0] != blocks(weight[0], rows) || scales[1] != blocks(weight[1], columns)) {
    return std::nullopt;
  }
  return Grid{.columns = weight[1], .cell_rows = rows, .cell_columns = columns};
}

}  // namespace weightsmith::internal
