#include "merge/run/task_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/tensor/codec.h"

namespace weightsmith::internal {
namespace {

std::vector<float> ReadCompanion(const Plan& plan, const Source& source) {
  const Checkpoint& checkpoint = *plan.models[source.model].parts[source.part].checkpoint;
  const std::vector<std::byte> bytes = checkpoint.Read(checkpoint.tensors()[source.tensor]);
  std::vector<float> values(source.info.elements());
  Decode(source.info.dtype, bytes, std::span(values));
  return values;
}

Grid CellsOf(const Reduction& reduction, const Task& task) {
  return reduction.cells.value_or(Grid::Whole(task.elements));
}

/// "step 'mix': 'conv.weight'".
std::string StepAndTensor(const Plan& plan, const Task& task) {
  const std::optional<std::uint32_t> step = WidestStep(plan, task);
  const std::string of = step ? fmt::format("step '{}': ", plan.steps[*step].name) : "";
  return fmt::format("{}'{}'", of, task.name);
}

/// Of those of a function, and of one as it is stored.
std::uint64_t CompanionBytes(const Task& task, const Transform& transform) {
  std::uint64_t values = 0;
  std::uint64_t stored = 0;
  for (const CompanionIndex index : transform.companions) {
    const TensorInfo& info = task.companions[index].info;
    values += info.elements() * sizeof(float);
    stored = std::max(stored, info.bytes());
  }
  return values + stored;
}

/// Reductions of a pass that one reading gives: x·x, x·y and y·y of the same cells.
std::vector<std::array<std::size_t, 3>> PairsOf(std::span<const Reduction> reductions) {
  const auto find = [&](const Reduction& like, Register x, Register y) {
    return std::ranges::find_if(reductions, [&](const Reduction& other) {
      return other.code == ReductionCode::kDot && other.cells == like.cells &&
             other.in == std::array{x, y};
    });
  };
  std::vector<std::array<std::size_t, 3>> pairs;
  std::vector<bool> taken(reductions.size());
  for (std::size_t r = 0; r < reductions.size(); ++r) {
    const auto [x, y] = reductions[r].in;
    if (reductions[r].code != ReductionCode::kDot || x == y) continue;
    const auto xx = find(reductions[r], x, x);
    const auto yy = find(reductions[r], y, y);
    if (xx == reductions.end() || yy == reductions.end()) continue;
    const std::array pair{static_cast<std::size_t>(xx - reductions.begin()), r,
                          static_cast<std::size_t>(yy - reductions.begin())};
    if (std::ranges::any_of(pair, [&](std::size_t of) { return taken[of]; })) continue;
    for (const std::size_t of : pair) taken[of] = true;
    pairs.push_back(pair);
  }
  return pairs;
}

/// Whether what a tape makes of an element depends on where its tile begins.
bool DependsOnTiles(const Tape& tape) {
  return std::ranges::any_of(tape.instructions, [](const Instruction& instruction) {
    return instruction.code == OpCode::kKeepLargest || instruction.code == OpCode::kUniform ||
           instruction.code == OpCode::kNormal;
  });
}

}  // namespace

TaskState::TaskState(const Plan& plan, std::uint32_t task, AdapterDigests& digests,
                     const Poll& poll, std::span<const double> given,
                     std::span<const double> gathered)
    : plan_(&plan),
      task_(&plan.tasks[task]),
      wide_(plan.policies.precision == Precision::kF64),
      slots_(task_->slot_count),
      kept_(task_->kept_count),
      deltas_(plan, *task_, digests) {
  for (std::size_t d = 0; d < task_->deltas.size(); ++d) {
    if (!task_->deltas[d].weight) deltas_.Prepare(d, {}, poll);
  }
  for (const GivenSlot& known : task_->given) slots_[known.slot] = {given[known.number]};
  if (!gathered.empty()) TakeGathered(gathered);
  BeginPass(poll);
}

/// Passes that a survey has made already.
void TaskState::TakeGathered(std::span<const double> gathered) {
  for (; pass_ < task_->surveyed_passes->count; ++pass_) {
    for (const Reduction& reduction : pass().reductions) {
      const std::uint64_t count = CellsOf(reduction, *task_).CellCount(task_->elements);
      const std::span<const double> own = gathered.first(count);
      slots_[reduction.out].assign(own.begin(), own.end());
      gathered = gathered.subspan(count);
    }
    for (const ScalarOp& operation : pass().scalars) Evaluate(operation, slots_);
  }
}

std::vector<double> TaskState::Gathered(std::size_t passes) const {
  std::vector<double> gathered;
  for (const Pass& pass : std::span(task_->passes).first(passes)) {
    for (const Reduction& reduction : pass.reductions) {
      gathered.insert(gathered.end(), slots_[reduction.out].begin(), slots_[reduction.out].end());
    }
  }
  return gathered;
}

void TaskState::BeginPass(const Poll& poll) {
  blocks_.clear();
  selections_.clear();
  rows_.clear();
  sampled_ = false;
  row_tapes_.assign(task_->rows.size(), {});
  for (const std::size_t index : RowsRead(*task_, pass_)) {
    row_tapes_[index] = Bind(task_->rows[index].tape, slots_, wide_);
  }
  if (storing()) {
    tape_ = Bind(task_->tape, slots_, wide_);
    findings_ = Bind(task_->findings.tape, slots_, wide_);
    return;
  }
  tape_ = Bind(pass().tape, slots_, wide_);
  for (const Reduction& reduction : pass().reductions) {
    const bool selects = reduction.code == ReductionCode::kRanked;
    blocks_.emplace_back(reduction, selects ? 0 : task_->elements);
    selections_.push_back(selects ? std::make_unique<Selection>(reduction.rank, task_->elements)
                                  : nullptr);
  }
  pairs_ = PairsOf(pass().reductions);
  of_pairs_.assign(blocks_.size(), false);
  for (const auto& pair : pairs_) {
    for (const std::size_t r : pair) of_pairs_[r] = true;
  }
  rows_ = RowNumbersOf(*task_, pass_);
  of_rows_.assign(blocks_.size(), false);
  for (const RowNumbers& rows : rows_) {
    for (const std::size_t r : rows.reductions) of_rows_[r] = true;
  }
  for (const RowNumbers& rows : rows_) {
    for (const Slot slot : rows.stored) slots_[slot].resize(rows.cells.CellCount(task_->elements));
  }
  for (const KeptRegister& kept : pass().kept) poll.Extend(kept_[kept.out], task_->elements);
}

std::vector<Register> TaskState::RegistersToSample() const {
  std::vector<Register> registers;
  for (std::size_t r = 0; !sampled_ && r < selections_.size(); ++r) {
    if (selections_[r] == nullptr || selections_[r]->known()) continue;
    const Register in = pass().reductions[r].in[0];
    if (std::ranges::find(registers, in) == registers.end()) registers.push_back(in);
  }
  return registers;
}

void TaskState::Propose(std::span<const Register> registers,
                        const std::vector<std::vector<float>>& samples) {
  sampled_ = true;
  for (std::size_t i = 0; i < registers.size(); ++i) {
    std::vector<Selection*> selections;
    for (std::size_t r = 0; r < selections_.size(); ++r) {
      const bool own = pass().reductions[r].in[0] == registers[i];
      if (own && selections_[r] != nullptr) selections.push_back(selections_[r].get());
    }
    Selection::ProposeAll(selections, samples[i]);
  }
}

template <class Real>
void TaskState::Gather(std::uint64_t first, std::size_t n, std::span<const Real> registers) {
  const auto tile = [&](Register r) { return registers.subspan(r * kTile, n); };
  for (const auto& [xx, xy, yy] : pairs_) {
    const auto [x, y] = pass().reductions[xy].in;
    ReductionBlocks::TakePair({&blocks_[xx], &blocks_[xy], &blocks_[yy]}, first, tile(x), tile(y));
  }
  for (std::size_t r = 0; r < blocks_.size(); ++r) {
    if (of_pairs_[r]) continue;
    const Reduction& reduction = pass().reductions[r];
    const std::span<const Real> x = tile(reduction.in[0]);
    if (selections_[r] == nullptr) {
      const bool two = reduction.code == ReductionCode::kDot;
      blocks_[r].Take(first, x, two ? tile(reduction.in[1]) : std::span<const Real>());
    } else if constexpr (std::is_same_v<Real, float>) {
      selections_[r]->Count(x);
    } else {
      std::array<float, kTile> narrow;
      std::ranges::transform(x, narrow.begin(), [](Real v) { return static_cast<float>(v); });
      selections_[r]->Count(std::span(narrow).first(n));
    }
  }
  for (const KeptRegister& kept : pass().kept) {
    std::ranges::transform(tile(kept.value), kept_[kept.out].begin() + first,
                           [](Real v) { return static_cast<float>(v); });
  }
}

template void TaskState::Gather(std::uint64_t first, std::size_t n,
                                std::span<const float> registers);
template void TaskState::Gather(std::uint64_t first, std::size_t n,
                                std::span<const double> registers);

void TaskState::EndGathered(std::uint64_t end) {
  if (end == 0 || (end % kReductionBlock != 0 && end != task_->elements)) return;
  EndBlock((end - 1) / kReductionBlock);
}

std::optional<std::uint64_t> TaskState::OrderedColumns() const {
  std::optional<std::uint64_t> columns;
  for (const Reduction& reduction : pass().reductions) {
    const bool each = reduction.code != ReductionCode::kRanked && reduction.cells &&
                      reduction.cells->cell_columns == 1;
    if (!each || (columns && *columns != reduction.cells->columns)) return std::nullopt;
    columns = reduction.cells->columns;
  }
  return DependsOnTiles(tape_) ? std::nullopt : columns;
}

/// Rows that lie inside a block are complete with it.
void TaskState::EndBlock(std::uint64_t block) {
  for (std::size_t r = 0; r < blocks_.size(); ++r) {
    if (selections_[r] == nullptr && !of_rows_[r]) blocks_[r].EndBlock(block);
  }
  for (const RowNumbers& rows : rows_) {
    std::vector<std::span<const double>> reduced;
    for (const std::size_t r : rows.reductions) reduced.push_back(blocks_[r].Inside(block).results);
    const std::uint64_t first = blocks_[rows.reductions.front()].Inside(block).first;
    EvaluateRows(pass(), rows, first, reduced, slots_);
    for (const std::size_t r : rows.reductions) blocks_[r].ForgetInside(block);
  }
}

/// The rows that lie in several blocks.
void TaskState::EndRows(const RowNumbers& rows) {
  std::vector<std::vector<std::pair<std::uint64_t, double>>> edges;
  for (const std::size_t r : rows.reductions) edges.push_back(blocks_[r].Edges());
  std::vector<std::span<const double>> reduced(edges.size());
  for (std::size_t e = 0; e < edges.front().size(); ++e) {
    for (std::size_t r = 0; r < edges.size(); ++r) reduced[r] = std::span(&edges[r][e].second, 1);
    EvaluateRows(pass(), rows, edges.front()[e].first, reduced, slots_);
  }
}

void TaskState::EndNumbers(const Pass& ended) {
  std::vector<bool> of_rows(slots_.size());
  for (const RowNumbers& rows : rows_) {
    EndRows(rows);
    for (const Slot slot : rows.filled) of_rows[slot] = true;
  }
  for (std::size_t r = 0; r < blocks_.size(); ++r) {
    const Slot out = ended.reductions[r].out;
    if (of_rows[out]) continue;
    if (selections_[r] == nullptr) {
      slots_[out] = blocks_[r].Fold();
    } else {
      slots_[out] = {static_cast<double>(selections_[r]->value())};
    }
  }
  for (const ScalarOp& operation : ended.scalars) {
    if (!of_rows[operation.out]) Evaluate(operation, slots_);
  }
}

void TaskState::EndPass(const Poll& poll) {
  const Pass& ended = pass();
  bool known = true;
  for (const auto& selection : selections_) {
    if (selection == nullptr) continue;
    selection->EndPass();
    known = known && selection->known();
  }
  if (!known) {
    // Only what is not known yet is gathered again: a second sum would add to the first.
    for (std::size_t r = 0; r < blocks_.size(); ++r) {
      if (selections_[r] != nullptr) continue;
      blocks_[r] = ReductionBlocks(ended.reductions[r], task_->elements);
    }
    return;
  }
  for (const Transform& transform : ended.transforms) {
    std::vector<std::span<const float>> in;
    for (const KeptIndex index : transform.in) in.emplace_back(kept_[index]);
    std::vector<std::vector<float>> companions;
    for (const CompanionIndex index : transform.companions) {
      companions.push_back(ReadCompanion(*plan_, task_->companions[index]));
      in.emplace_back(companions.back());
      poll();
    }
    poll.Extend(kept_[transform.out], task_->elements);
    std::size_t told = 0;
    for (const ToldNumber& number : transform.told) told = std::max(told, number.index + 1);
    std::vector<double> numbers(told, std::numeric_limits<double>::quiet_NaN());
    try {
      transform.call->Compute(in, task_->shape, kept_[transform.out], poll, Told(numbers));
    } catch (Error& error) {
      if (error.code() != ErrorCode::kInterrupted) {
        error.AddContext(StepAndTensor(*plan_, *task_));
      }
      throw;
    }
    for (const ToldNumber& number : transform.told) slots_[number.out] = {numbers[number.index]};
  }
  EndNumbers(ended);
  PrepareDeltas(ended, poll);
  ++pass_;
  BeginPass(poll);
}

/// Adapters that read what was kept in the pass.
void TaskState::PrepareDeltas(const Pass& ended, const Poll& poll) {
  for (std::size_t d = 0; d < task_->deltas.size(); ++d) {
    const auto& weight = task_->deltas[d].weight;
    if (!weight) continue;
    const auto here = std::ranges::find(ended.kept, *weight, &KeptRegister::out);
    if (here != ended.kept.end()) deltas_.Prepare(d, kept_[*weight], poll);
  }
}

namespace {

/// Results of the cells that all blocks touch. Cells of many rows are in many blocks.
std::uint64_t CellsInBlocks(const Grid& cells, std::uint64_t elements) {
  const std::uint64_t blocks = elements / kReductionBlock + 1;
  // Of rows, those that do not lie inside.
  if (cells.IsRows()) return 2 * blocks;
  const std::uint64_t rows = kReductionBlock / cells.columns + 2;
  const std::uint64_t touched = (rows / cells.cell_rows + 2) * cells.CellsAcross();
  return blocks * std::min({touched, cells.CellCount(elements), kReductionBlock});
}

/// What is held of a reduction until its pass has ended.
std::uint64_t GatheredBytes(const Reduction& reduction, const Task& task) {
  if (reduction.code == ReductionCode::kRanked) {
    return Selection::kBytes + SampleSize(task.elements) * 8;
  }
  const Grid cells = CellsOf(reduction, task);
  const std::uint64_t vectors = (task.elements / kReductionBlock + 1) * 64;
  return vectors + CellsInBlocks(cells, task.elements) * sizeof(double);
}

/// What slots hold when all passes have ended.
std::uint64_t NumberBytes(const Task& task) {
  std::vector<std::uint64_t> numbers(task.slot_count, 1);
  for (std::size_t p = 0; p < task.passes.size(); ++p) {
    const Pass& pass = task.passes[p];
    for (const Reduction& reduction : pass.reductions) {
      if (reduction.cells) numbers[reduction.out] = reduction.cells->CellCount(task.elements);
    }
    for (const ScalarOp& operation : pass.scalars) {
      if (operation.code == ScalarCode::kSumOfCells) continue;
      for (const Scalar& in : Reads(operation)) {
        if (in.is_literal()) continue;
        numbers[operation.out] = std::max(numbers[operation.out], numbers[in.slot()]);
      }
    }
  }
  for (std::size_t p = 0; p < task.passes.size(); ++p) {
    for (const RowNumbers& rows : RowNumbersOf(task, p)) {
      for (const Slot slot : rows.filled) {
        if (std::ranges::find(rows.stored, slot) == rows.stored.end()) numbers[slot] = 0;
      }
    }
  }
  return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0}) * sizeof(double);
}

}  // namespace

std::uint64_t StateBytes(const Task& task) {
  if (task.passes.empty()) return 0;
  std::uint64_t most = 0;
  for (const Pass& pass : task.passes) {
    std::uint64_t bytes = 0;
    for (const Reduction& reduction : pass.reductions) bytes += GatheredBytes(reduction, task);
    std::uint64_t passing = 0;
    for (const Transform& transform : pass.transforms) {
      const std::uint64_t own = transform.call->Bytes(task.shape, transform.in.size());
      passing = std::max(passing, own + CompanionBytes(task, transform));
    }
    most = std::max(most, bytes + passing);
  }
  return most + NumberBytes(task) + WholeValues(task) * task.elements * sizeof(float) +
         BytesOf(task);
}

}  // namespace weightsmith::internal
