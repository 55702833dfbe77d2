#include "merge/program/assignment.h"

#include <limits>
#include <span>

namespace weightsmith::internal {
namespace {

constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();

/// Prices of rows and columns, such that what a row gains of a column is never more than the two
/// prices together, and just as much where they are assigned.
class Market {
 public:
  explicit Market(const Matrix& gain)
      : gain_(gain), rows_(gain.rows, 0.0), columns_(gain.rows, 0.0), owner_(gain.rows, kNobody) {}

  /// Gives `row` a column; others may have to change theirs.
  void Admit(std::size_t row) {
    const std::size_t size = owner_.size();
    std::vector<double> distance(size, std::numeric_limits<double>::infinity());
    std::vector<std::size_t> before(size, kNobody);  // the column on the path to each
    std::vector<bool> reached(size, false);
    std::vector<std::size_t> path;  // columns that were reached, in order
    std::size_t at = row;
    std::size_t last = kNobody;
    double way = 0;
    while (true) {
      std::size_t nearest = kNobody;
      for (std::size_t j = 0; j < size; ++j) {
        if (reached[j]) continue;
        const double through = way + (rows_[at] + columns_[j] - gain_.at(at, j));
        if (through < distance[j]) {
          distance[j] = through;
          before[j] = last;
        }
        if (nearest == kNobody || distance[j] < distance[nearest]) nearest = j;
      }
      way = distance[nearest];
      reached[nearest] = true;
      path.push_back(nearest);
      last = nearest;
      if (owner_[nearest] == kNobody) break;
      at = owner_[nearest];
    }
    // Prices follow the distances, so that the columns of the path cost just what they give.
    rows_[row] -= way;
    for (const std::size_t column : path) {
      const double rest = way - distance[column];
      if (owner_[column] != kNobody) rows_[owner_[column]] -= rest;
      columns_[column] += rest;
    }
    for (std::size_t column = last; column != kNobody; column = before[column]) {
      owner_[column] = before[column] == kNobody ? row : owner_[before[column]];
    }
  }

  /// As rows can begin with: the most that each could gain.
  void Open() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::span<const double> own = gain_.row(i);
      rows_[i] = own[0];
      for (const double gain : own) rows_[i] = gain > rows_[i] ? gain : rows_[i];
    }
  }

  std::vector<std::size_t> Columns() const {
    std::vector<std::size_t> columns(owner_.size());
    for (std::size_t j = 0; j < owner_.size(); ++j) columns[owner_[j]] = j;
    return columns;
  }

 private:
  const Matrix& gain_;
  std::vector<double> rows_;
  std::vector<double> columns_;
  std::vector<std::size_t> owner_;  ///< of each column: its row
};

}  // namespace

std::vector<std::size_t> BestAssignment(const Matrix& gain, const Poll& poll) {
  if (gain.rows == 0) return {};
  Market market(gain);
  market.Open();
  for (std::size_t row = 0; row < gain.rows; ++row) {
    poll();
    market.Admit(row);
  }
  return market.Columns();
}

}  // namespace weightsmith::internal
