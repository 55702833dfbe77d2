#include "merge/run/operand_reader.h"

#include <utility>

#include "core/tensor/codec.h"
#include "merge/run/task_state.h"

namespace weightsmith::internal {

OperandReader::OperandReader(const WorkerContext& context)
    : context_(context),
      reader_(context.files),
      piece_deltas_(context.most.deltas),
      row_deltas_(context.most.deltas),
      pieces_(context.most.sources) {}

void OperandReader::Begin(const Task& task, TaskState* state) {
  task_ = &task;
  state_ = state;
  scales_.assign(task.sources.size(), {});
  for (std::size_t s = 0; s < task.sources.size(); ++s) {
    const auto& scale = task.sources[s].scale;
    if (!scale) continue;
    std::vector<std::byte> bytes(scale->info.bytes());
    context_.files[scale->file]->Read(scale->offset, bytes);
    scales_[s].resize(scale->info.elements());
    Decode(scale->info.dtype, bytes, scales_[s]);
  }
}

void OperandReader::Forget() {
  task_ = nullptr;
  state_ = nullptr;
  deltas_ = nullptr;
}

PieceInputs OperandReader::Read(Use use, std::span<const Register> operands, std::uint64_t first,
                                std::uint64_t count) {
  const Units units = UnitsOf(*task_);
  const std::size_t sources = task_->sources.size();
  for (const Register operand : operands) {
    if (operand < sources) {
      const Source& source = task_->sources[operand];
      const std::uint64_t size = units.SizeOf(source.info.dtype);
      reader_.Read(source, units, first, count, pieces_[operand].Take(count * size));
    } else if (operand - sources < task_->deltas.size()) {
      FillDelta(DeltasFor(use), operand - sources, first, count);
    }
  }
  return Inputs(use, first, count, 0);
}

void OperandReader::FillDeltas(std::uint64_t first, std::uint64_t count) {
  for (std::size_t d = 0; d < task_->deltas.size(); ++d) {
    FillDelta(piece_deltas_, d, first, count);
  }
}

PieceInputs OperandReader::Inputs(Use use, std::uint64_t first, std::uint64_t count,
                                  std::uint64_t skip) {
  delta_views_.clear();
  for (std::size_t d = 0; d < task_->deltas.size(); ++d) {
    const std::span<const float> all = DeltasFor(use)[d];
    // Those that a pass does not read have not been filled.
    delta_views_.push_back(all.size() < skip + count ? all.first(0) : all.subspan(skip, count));
  }
  return {task_, first, count, pieces_, delta_views_, scales_, state_};
}

void OperandReader::FillDelta(Deltas& pieces, std::size_t delta, std::uint64_t first,
                              std::uint64_t count) {
  AlignedVector<float>& piece = pieces[delta];
  if (piece.size() < count) piece.resize(count);
  const PreparedDeltas& deltas = state_ != nullptr ? state_->deltas() : *deltas_;
  deltas.Fill(delta, first, std::span(piece).first(count));
}

}  // namespace weightsmith::internal
