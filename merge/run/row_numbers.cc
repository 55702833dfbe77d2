#include "merge/run/row_numbers.h"

#include <algorithm>
#include <optional>

namespace weightsmith::internal {
namespace {

/// Rows whose numbers are computed at a time.
constexpr std::uint64_t kRowsAtOnce = 1024;

class ReadSlots {
 public:
  explicit ReadSlots(std::size_t slots) : read_(slots) {}

  bool operator[](Slot slot) const { return read_[slot]; }

  void Add(Slot slot) {
    if (slot != kNoSlot) read_[slot] = true;
  }
  void Add(const Scalar& scalar) { Add(scalar.slot()); }
  void Add(const ScalarOp& operation) {
    for (const Scalar& in : Reads(operation)) Add(in);
  }
  void Add(const Tape& tape) {
    for (const Instruction& instruction : tape.instructions) {
      for (const Slot slot : instruction.slot) Add(slot);
    }
  }
  void Add(const Findings& findings) {
    Add(findings.tape);
    for (const Finding& finding : findings.list) {
      Add(finding.number);
      if (finding.of) Add(*finding.of);
    }
  }

 private:
  std::vector<bool> read_;
};

/// What is read when the pass has ended, but for its own scalars.
ReadSlots ReadBehind(const Task& task, std::size_t pass) {
  ReadSlots read(task.slot_count);
  for (std::size_t p = pass + 1; p < task.passes.size(); ++p) {
    read.Add(task.passes[p].tape);
    for (const ScalarOp& operation : task.passes[p].scalars) read.Add(operation);
  }
  read.Add(task.tape);
  for (const RowValue& rows : task.rows) read.Add(rows.tape);
  read.Add(task.findings);
  for (const Product& product : task.products) {
    if (product.scale) read.Add(product.scale->slot);
    if (product.numbers) read.Add(product.numbers->slot);
  }
  if (task.surveyed) read.Add(task.surveyed->slot);
  if (task.surveyed && task.surveyed->second != kNoSlot) read.Add(task.surveyed->second);
  return read;
}

bool HasRows(const Reduction& reduction, std::uint64_t elements) {
  return reduction.code != ReductionCode::kRanked && reduction.cells && reduction.cells->IsRows() &&
         reduction.cells->CellCount(elements) > 1;
}

/// Which numbers of a pass are those of rows.
class Grouping {
 public:
  Grouping(const Task& task, const Pass& pass) : made_by_(task.slot_count) {
    for (const Transform& transform : pass.transforms) {
      for (const ToldNumber& number : transform.told) made_by_[number.out].here = true;
    }
    for (std::size_t r = 0; r < pass.reductions.size(); ++r) {
      const Reduction& reduction = pass.reductions[r];
      Maker& maker = made_by_[reduction.out];
      maker.here = true;
      if (!HasRows(reduction, task.elements)) continue;
      maker.group = GroupOf(*reduction.cells);
      groups[*maker.group].reductions.push_back(r);
      groups[*maker.group].filled.push_back(reduction.out);
    }
    for (std::size_t s = 0; s < pass.scalars.size(); ++s) {
      const std::optional<std::size_t> group = GroupOf(pass.scalars[s]);
      made_by_[pass.scalars[s].out] = {true, group};
      if (!group) continue;
      groups[*group].scalars.push_back(s);
      groups[*group].filled.push_back(pass.scalars[s].out);
    }
  }

  std::vector<RowNumbers> groups;

 private:
  struct Maker {
    bool here = false;  ///< in this pass
    std::optional<std::size_t> group{};
  };

  std::size_t GroupOf(const Grid& cells) {
    const auto known = std::ranges::find(groups, cells, &RowNumbers::cells);
    const auto group = static_cast<std::size_t>(known - groups.begin());
    if (known == groups.end()) groups.push_back({.cells = cells});
    return group;
  }

  /// None where the operation reads what is known at the end of the pass alone.
  std::optional<std::size_t> GroupOf(const ScalarOp& operation) const {
    if (operation.code == ScalarCode::kSumOfCells) return std::nullopt;
    std::optional<std::size_t> group;
    for (const Scalar& in : Reads(operation)) {
      if (in.is_literal() || !made_by_[in.slot()].here) continue;
      const std::optional<std::size_t>& of_input = made_by_[in.slot()].group;
      if (!of_input || (group && group != of_input)) return std::nullopt;
      group = of_input;
    }
    return group;
  }

  std::vector<Maker> made_by_;  ///< by slot
};

bool Contains(const std::vector<Slot>& slots, Slot slot) {
  return std::ranges::find(slots, slot) != slots.end();
}

}  // namespace

std::vector<RowNumbers> RowNumbersOf(const Task& task, std::size_t number) {
  const Pass& pass = task.passes[number];
  const bool any = std::ranges::any_of(pass.reductions, [&](const Reduction& reduction) {
    return HasRows(reduction, task.elements);
  });
  if (!any) return {};
  std::vector<RowNumbers> groups = Grouping(task, pass).groups;
  ReadSlots read = ReadBehind(task, number);
  std::vector<bool> of_rows(pass.scalars.size());
  for (const RowNumbers& rows : groups) {
    for (const std::size_t s : rows.scalars) of_rows[s] = true;
  }
  for (std::size_t s = 0; s < pass.scalars.size(); ++s) {
    if (!of_rows[s]) read.Add(pass.scalars[s]);
  }
  for (RowNumbers& rows : groups) {
    for (const Slot slot : rows.filled) {
      if (read[slot]) rows.stored.push_back(slot);
    }
  }
  return groups;
}

void EvaluateRows(const Pass& pass, const RowNumbers& rows, std::uint64_t first,
                  std::span<const std::span<const double>> reduced, SlotValues& slots) {
  std::vector<Slot> known;  // before the pass
  for (const std::size_t s : rows.scalars) {
    for (const Scalar& in : Reads(pass.scalars[s])) {
      if (!in.is_literal() && !Contains(rows.filled, in.slot())) known.push_back(in.slot());
    }
  }
  const std::size_t count = reduced.front().size();
  SlotValues local(slots.size());
  for (std::size_t at = 0; at < count; at += kRowsAtOnce) {
    const auto n = std::min<std::size_t>(kRowsAtOnce, count - at);
    const std::size_t place = first + at;
    for (const Slot slot : known) {
      const std::vector<double>& all = slots[slot];
      const std::span<const double> part =
          all.size() == 1 ? std::span(all) : std::span(all).subspan(place, n);
      local[slot].assign(part.begin(), part.end());
    }
    for (std::size_t r = 0; r < rows.reductions.size(); ++r) {
      const std::span<const double> part = reduced[r].subspan(at, n);
      local[pass.reductions[rows.reductions[r]].out].assign(part.begin(), part.end());
    }
    for (const std::size_t s : rows.scalars) Evaluate(pass.scalars[s], local);
    for (const Slot slot : rows.stored) {
      std::ranges::copy(local[slot], std::span(slots[slot]).subspan(place).begin());
    }
  }
}

std::uint64_t RowBytesOfBlock(const Task& task) {
  std::uint64_t most = 0;
  for (std::size_t pass = 0; pass < task.passes.size(); ++pass) {
    std::uint64_t bytes = 0;
    for (const RowNumbers& rows : RowNumbersOf(task, pass)) {
      const std::uint64_t cells =
          std::min(kReductionBlock / rows.cells.columns + 2, rows.cells.CellCount(task.elements));
      // What a batch reads and fills.
      const std::uint64_t at_once = 2 * rows.filled.size() * std::min(kRowsAtOnce, cells);
      bytes += (rows.reductions.size() * cells + at_once) * sizeof(double);
    }
    most = std::max(most, bytes);
  }
  return most;
}

}  // namespace weightsmith::internal
