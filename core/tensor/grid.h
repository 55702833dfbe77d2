// Cells of a tensor, each of which has a number of its own: a scale, a largest magnitude.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weightsmith::internal {

/// The elements as a matrix of `columns`, in cells of cell_rows × cell_columns; those at the ends
/// of rows and columns may be smaller. Cells are counted by rows.
struct Grid {
  static constexpr std::uint64_t kAllRows = std::uint64_t{1} << 62;

  std::uint64_t columns = 1;
  std::uint64_t cell_rows = 1;
  std::uint64_t cell_columns = 1;

  /// One cell of all elements.
  static Grid Whole(std::uint64_t elements) {
    const std::uint64_t all = std::max<std::uint64_t>(1, elements);
    return {all, 1, all};
  }
  /// A cell for each row.
  static Grid Rows(std::uint64_t columns) { return Whole(columns); }

  /// A cell for each column.
  static Grid Columns(std::uint64_t columns) {
    return {std::max<std::uint64_t>(1, columns), kAllRows, 1};
  }

  bool operator==(const Grid&) const = default;

  /// Whether a cell is a row.
  bool IsRows() const { return cell_rows == 1 && cell_columns == columns; }

  std::uint64_t CellsAcross() const { return (columns + cell_columns - 1) / cell_columns; }
  std::uint64_t CellCount(std::uint64_t elements) const {
    const std::uint64_t rows = (elements + columns - 1) / columns;
    return (rows + cell_rows - 1) / cell_rows * CellsAcross();
  }
  std::uint64_t CellOf(std::uint64_t element) const {
    return element / columns / cell_rows * CellsAcross() + element % columns / cell_columns;
  }
  /// The first of the row of cells that the element is in: no later element is in an earlier one.
  std::uint64_t FirstCellFrom(std::uint64_t element) const {
    return element / columns / cell_rows * CellsAcross();
  }
  /// Elements from this one to the end of its cell in this row.
  std::uint64_t RunFrom(std::uint64_t element) const {
    const std::uint64_t column = element % columns;
    return std::min(cell_columns - column % cell_columns, columns - column);
  }
};

}  // namespace weightsmith::internal
