#include "merge/run/worker.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/tensor/codec.h"
#include "merge/run/buffer_sizes.h"
#include "merge/run/operand_reader.h"
#include "merge/run/row_window.h"
#include "merge/run/tile_runner.h"
#include "merge/run/worker_buffers.h"

namespace weightsmith::internal {
class Worker::Impl {
 public:
  explicit Impl(WorkerContext& context)
      : context_(context),
        operands_(context),
        source_digests_(context.most.sources),
        product_digests_(context.most.products),
        floats_(wide() ? 0 : context.most.registers),
        doubles_(wide() ? context.most.registers : 0) {}

  ChunkResult Compute(const Chunk& chunk, const ChunkOptions& options, TaskState* state);
  void Sample(TaskState& state, const Poll& poll);
  void Forget();

 private:
  /// Units that are read and computed together.
  struct Piece {
    std::uint64_t first = 0;  ///< in the task
    std::uint64_t count = 0;
    std::uint64_t in_block = 0;  ///< behind the first that deltas were filled with
    std::uint64_t in_slice = 0;  ///< behind the first of the slice
  };

  bool wide() const { return context_.plan->policies.precision == Precision::kF64; }
  void Gather(const Chunk& chunk, TaskState& state);
  PieceInputs ReadForPass(TaskState& state, std::uint64_t first, std::uint64_t count);
  void BeginRows(const Task& task);
  void CoverRows(const Task& task, std::uint64_t first, std::uint64_t count);
  ChunkResult ComputeRange(const Chunk& chunk);
  void BeginSlice(const Task& task, std::uint64_t first, std::uint64_t count);
  void EndSlice(const Task& task, std::uint64_t first, std::uint64_t count, ChunkResult& result);
  void WriteSlice(ChunkResult& result);
  void ReadPiece(const Task& task, const Units& units, const Piece& piece, bool straight,
                 ChunkResult& result);
  void ComputePiece(const Piece& piece, ChunkResult& result);
  void FinishPiece(const Task& task, const Units& units, const Piece& piece, bool straight);
  bool Overflowed(const ChunkResult& result) const;
  [[noreturn]] static void ThrowOverflow(const Task& task, const ChunkResult& result);
  void StoreNumbers(const Task& task);
  void DigestStored(const Source& source, BlockDigester& digester);
  void FinishDigests(const Task& task, ChunkResult& result);
  void AddNumbersFound(const Task& task, ChunkResult& result) const;
  void DropCache(const Task& task, const Chunk& chunk, const Units& units) const;

  WorkerContext& context_;
  OperandReader operands_;
  ChunkOptions options_;           ///< of the chunk at hand
  TaskState* state_ = nullptr;     ///< of the task at hand
  std::uint32_t deltas_task_ = 0;  ///< the task whose deltas operands have
  std::vector<Buffer> results_;    ///< a slice of every product, until it is handed over
  std::vector<BlockDigester> source_digests_;
  std::vector<BlockDigester> product_digests_;
  RowWindow rows_;  ///< of the task at hand
  TileRunner<float> floats_;
  TileRunner<double> doubles_;
};

ChunkResult Worker::Impl::Compute(const Chunk& chunk, const ChunkOptions& options,
                                  TaskState* state) {
  const Task& task = context_.plan->tasks[chunk.task];
  options_ = options;
  state_ = state;
  operands_.Begin(task, state);
  BeginRows(task);
  if (state_ != nullptr) {
    operands_.Take(nullptr);
    if (state_->storing()) return ComputeRange(chunk);
    Gather(chunk, *state_);
    return {.chunk = chunk};
  }
  if (!task.deltas.empty()) {
    // Those of the task before go first: a worker holds one task's.
    if (deltas_task_ != chunk.task) operands_.Take(nullptr);
    if (operands_.deltas() == nullptr) {
      operands_.Take(context_.deltas.Get(*context_.plan, chunk.task, options_.poll));
    }
    deltas_task_ = chunk.task;
    // Prefetch the deltas of the next task, so that no thread waits for them.
    if (chunk.first == 0 && options_.writer != nullptr) {
      context_.deltas.Prepare(*context_.plan, chunk.task, options_.poll);
    }
  }
  return ComputeRange(chunk);
}

/// A piece with what the pass at hand reads, and nothing else.
PieceInputs Worker::Impl::ReadForPass(TaskState& state, std::uint64_t first, std::uint64_t count) {
  CoverRows(state.task(), first, count);
  PieceInputs piece =
      operands_.Read(OperandReader::Use::kPieces, state.pass().operands, first, count);
  piece.rows = rows_.Views(first, count);
  return piece;
}

void Worker::Impl::BeginRows(const Task& task) {
  const bool gathers = state_ != nullptr && !state_->storing();
  if (task.rows.empty()) return rows_.Clear();
  rows_.Begin(task, gathers ? state_->number() : task.passes.size());
}

void Worker::Impl::CoverRows(const Task& task, std::uint64_t first, std::uint64_t count) {
  if (task.rows.empty()) return;
  const auto read = [&](std::span<const Register> operands, std::uint64_t from, std::uint64_t n) {
    return operands_.Read(OperandReader::Use::kRows, operands, from, n);
  };
  const auto gather = [&](const PieceInputs& piece, std::size_t index, std::span<float> values) {
    const RowValue& rows = task.rows[index];
    const Tape& tape = state_ != nullptr ? state_->rows(index) : rows.tape;
    if (wide()) {
      doubles_.GatherRows(piece, rows, tape, values);
    } else {
      floats_.GatherRows(piece, rows, tape, values);
    }
  };
  rows_.Cover(first, count, {read, gather, [&] { options_.poll(); }});
}

void Worker::Impl::Gather(const Chunk& chunk, TaskState& state) {
  for (std::uint64_t at = 0; at < chunk.count; at += kPiece) {
    const std::uint64_t count = std::min(kPiece, chunk.count - at);
    const PieceInputs piece = ReadForPass(state, chunk.first + at, count);
    if (wide()) {
      doubles_.Gather(piece);
    } else {
      floats_.Gather(piece);
    }
  }
}

void Worker::Impl::Sample(TaskState& state, const Poll& poll) {
  const std::vector<Register> registers = state.RegistersToSample();
  if (registers.empty()) return;
  state_ = &state;
  options_.poll = poll;
  const Task& task = state.task();
  operands_.Begin(task, &state);
  operands_.Take(nullptr);
  BeginRows(task);
  std::vector<std::vector<float>> samples(registers.size());
  const std::uint64_t tiles = (task.elements + kTile - 1) / kTile;
  const std::uint64_t taken = (SampleSize(task.elements) + kTile - 1) / kTile;
  for (std::uint64_t i = 0; i < taken; ++i) {
    const std::uint64_t first = i * tiles / taken * kTile;
    const std::uint64_t count = std::min<std::uint64_t>(kTile, task.elements - first);
    const PieceInputs piece = ReadForPass(state, first, count);
    if (wide()) {
      doubles_.Sample(piece, registers, samples);
    } else {
      floats_.Sample(piece, registers, samples);
    }
  }
  state.Propose(registers, samples);
}

/// Buffers for units [first, first + count) of every product; the first slice of the task has its
/// products that are numbers as well, whole.
void Worker::Impl::BeginSlice(const Task& task, std::uint64_t first, std::uint64_t count) {
  if (results_.empty()) {
    results_ = options_.writer != nullptr ? options_.writer->TakeBuffers()
                                          : std::vector<Buffer>(product_digests_.size());
  }
  const Units units = UnitsOf(task);
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    const Product& product = task.products[p];
    const std::uint64_t numbers = first == 0 ? InfoOf(task, product).bytes() : 0;
    results_[p].Take(product.numbers ? numbers : count * units.SizeOf(product.dtype));
  }
  if (first == 0) StoreNumbers(task);
}

/// `count` units of the slice have been computed: they are what the result holds.
void Worker::Impl::EndSlice(const Task& task, std::uint64_t first, std::uint64_t count,
                            ChunkResult& result) {
  const Units units = UnitsOf(task);
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    const Product& product = task.products[p];
    if (!product.numbers) results_[p].Take(count * units.SizeOf(product.dtype));
    result.bytes_written += results_[p].bytes().size();
  }
  if (options_.writer == nullptr) return;
  result.slice = {result.chunk.task, first, std::exchange(results_, {})};
}

void Worker::Impl::StoreNumbers(const Task& task) {
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    const Product& product = task.products[p];
    if (!product.numbers) continue;
    std::vector<double> numbers = state_->slots()[product.numbers->slot];
    numbers.resize(product.numbers->elements());
    UnifyNans(numbers);
    Encode(product.dtype, std::span<const double>(numbers), results_[p].bytes());
    if (options_.digests) product_digests_[p].Update(results_[p].bytes());
  }
}

/// Reads a piece of every source, to where it is written from where the task is straight.
void Worker::Impl::ReadPiece(const Task& task, const Units& units, const Piece& piece,
                             bool straight, ChunkResult& result) {
  for (std::size_t s = 0; s < task.sources.size(); ++s) {
    const Source& source = task.sources[s];
    const std::uint64_t size = units.SizeOf(source.info.dtype);
    const std::span<std::byte> bytes =
        straight ? results_[0].bytes().subspan(piece.in_slice * size, piece.count * size)
                 : operands_.pieces()[s].Take(piece.count * size);
    operands_.sources().Read(source, units, piece.first, piece.count, bytes);
    result.bytes_read += bytes.size();
    if (options_.digests && source.segments.empty()) source_digests_[s].Update(bytes);
  }
}

void Worker::Impl::ComputePiece(const Piece& piece, ChunkResult& result) {
  PieceInputs inputs =
      operands_.Inputs(OperandReader::Use::kPieces, piece.first, piece.count, piece.in_block);
  inputs.rows = rows_.Views(piece.first, piece.count);
  const NonFinitePolicy non_finite = context_.plan->policies.non_finite;
  if (wide()) {
    doubles_.Compute(inputs, non_finite, options_.effects, results_, piece.in_slice, result);
  } else {
    floats_.Compute(inputs, non_finite, options_.effects, results_, piece.in_slice, result);
  }
}

/// Puts copies into the slice and digests what was computed.
void Worker::Impl::FinishPiece(const Task& task, const Units& units, const Piece& piece,
                               bool straight) {
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    const Product& product = task.products[p];
    if (product.numbers) continue;
    const std::uint64_t size = units.SizeOf(product.dtype);
    const std::span<std::byte> bytes =
        results_[p].bytes().subspan(piece.in_slice * size, piece.count * size);
    if (product.copy && !straight) {
      std::ranges::copy(operands_.pieces()[*product.copy].bytes(), bytes.begin());
    }
    if (options_.digests && !product.copy) product_digests_[p].Update(bytes);
  }
}

ChunkResult Worker::Impl::ComputeRange(const Chunk& chunk) {
  const Task& task = context_.plan->tasks[chunk.task];
  const Units units = UnitsOf(task);
  // A copy has work to do as well where a step is to be shown to have chosen it (weight 1).
  const bool arithmetic = !task.tape.instructions.empty() || !task.tape.probes.empty() ||
                          !std::ranges::all_of(task.products, IsCopy);
  // The only product is a source as it is.
  const bool straight = !arithmetic && task.products.size() == 1 && task.sources.size() == 1 &&
                        task.sources.front().segments.empty();
  const std::uint64_t delta_block = DeltaBlock(task);
  const std::uint64_t slice_units = SliceUnits(task);
  ChunkResult result;
  result.chunk = chunk;
  result.effects.resize(task.tape.probes.size());
  result.found.resize(task.findings.list.size());
  for (std::size_t p = 0; p < task.products.size(); ++p) product_digests_[p].Start();
  for (std::size_t s = 0; s < task.sources.size(); ++s) source_digests_[s].Start();

  std::uint64_t slice = 0;
  BeginSlice(task, chunk.first, std::min(slice_units, chunk.count));
  std::uint64_t block = 0;
  std::uint64_t block_end = 0;
  std::uint64_t count = 0;
  for (std::uint64_t at = 0; at < chunk.count; at += count) {
    const std::uint64_t first = chunk.first + at;
    if (at == block_end) {
      block = at;
      block_end = std::min(chunk.count, at + delta_block - first % delta_block);
      operands_.FillDeltas(first, block_end - block);
    }
    count = std::min(kPiece, block_end - at);
    if (at + count > slice + slice_units) {
      EndSlice(task, chunk.first + slice, at - slice, result);
      WriteSlice(result);
      slice = at;
      BeginSlice(task, first, std::min(slice_units, chunk.count - at));
    }
    const Piece piece{first, count, at - block, at - slice};
    CoverRows(task, first, count);
    ReadPiece(task, units, piece, straight, result);
    if (arithmetic) ComputePiece(piece, result);
    FinishPiece(task, units, piece, straight);
  }

  EndSlice(task, chunk.first + slice, chunk.count - slice, result);
  if (options_.digests) FinishDigests(task, result);
  if (options_.effects) AddNumbersFound(task, result);
  if (Overflowed(result)) ThrowOverflow(task, result);
  if (!options_.keep_cache) DropCache(task, chunk, units);
  return result;
}

/// The numbers of findings that do not look at elements.
void Worker::Impl::AddNumbersFound(const Task& task, ChunkResult& result) const {
  static const SlotValues kNone;
  for (std::size_t f = 0; f < task.findings.list.size(); ++f) {
    const Finding& finding = task.findings.list[f];
    if (finding.marked) continue;
    result.found[f] += NumbersOf(finding, state_ != nullptr ? state_->slots() : kNone);
  }
}

void Worker::Impl::FinishDigests(const Task& task, ChunkResult& result) {
  for (std::size_t s = 0; s < task.sources.size(); ++s) {
    if (!task.sources[s].segments.empty() && result.chunk.first == 0) {
      DigestStored(task.sources[s], source_digests_[s]);
    }
    result.source_blocks.push_back(source_digests_[s].Finish());
  }
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    const Product& product = task.products[p];
    result.product_blocks.push_back(product.copy ? result.source_blocks[*product.copy]
                                                 : product_digests_[p].Finish());
  }
}

void Worker::Impl::DigestStored(const Source& source, BlockDigester& digester) {
  const std::uint64_t size = Info(source.info.dtype).bits / 8;
  std::vector<std::byte> buffer(std::min<std::uint64_t>(source.info.bytes(), kPiece));
  for (std::uint64_t at = 0; at < source.info.bytes(); at += buffer.size()) {
    const auto n = std::min<std::uint64_t>(buffer.size(), source.info.bytes() - at);
    const std::span<std::byte> piece = std::span(buffer).first(n);
    operands_.sources().ReadStored(source, size, at / size, piece);
    digester.Update(piece);
  }
}

/// Whether the values are an error. They are no result of a computation that stores nothing.
bool Worker::Impl::Overflowed(const ChunkResult& result) const {
  return options_.writer != nullptr && result.non_finite > 0 &&
         context_.plan->policies.non_finite == NonFinitePolicy::kError;
}

/// A slice of which more of the chunk follows. Where there was an error, its end is waited for: the
/// message counts all of the chunk.
void Worker::Impl::WriteSlice(ChunkResult& result) {
  if (options_.writer == nullptr || Overflowed(result)) return;
  options_.writer->Write(std::exchange(result.slice, {}));
}

void Worker::Impl::ThrowOverflow(const Task& task, const ChunkResult& result) {
  const bool whole = !task.passes.empty();  // an element depends on all others
  throw Error(
      ErrorCode::kMismatch,
      fmt::format("'{}': {} values of finite operands {}leave the range of {}", task.name,
                  result.non_finite, whole ? "are NaN or " : "",
                  Info(task.products.front().dtype).name),
      whole ? "A NaN or an infinity anywhere in an operand may make all of the tensor NaN: "
              "`weightsmith verify` says whether a file holds some. Else store the result in a "
              "wider dtype, or write `policy: {non_finite: saturate}`."
            : "Store the result in a wider dtype, or write `policy: {non_finite: "
              "saturate}`.");
}

void Worker::Impl::DropCache(const Task& task, const Chunk& chunk, const Units& units) const {
  for (const Source& source : task.sources) {
    if (source.gather != nullptr || !source.segments.empty()) continue;  // dropped at the end
    const std::uint64_t size = units.SizeOf(source.info.dtype);
    context_.files[source.file]->DropCache(source.offset + chunk.first * size, chunk.count * size);
  }
}

void Worker::Impl::Forget() {
  rows_.Clear();
  state_ = nullptr;
  operands_.Forget();
}

Worker::Worker(WorkerContext& context) : impl_(std::make_unique<Impl>(context)) {}
Worker::~Worker() = default;
Worker::Worker(Worker&&) noexcept = default;
Worker& Worker::operator=(Worker&&) noexcept = default;

ChunkResult Worker::Compute(const Chunk& chunk, const ChunkOptions& options, TaskState* state) {
  return impl_->Compute(chunk, options, state);
}

void Worker::Sample(TaskState& state, const Poll& poll) {
  impl_->Sample(state, poll);
}

void Worker::Forget() {
  impl_->Forget();
}

}  // namespace weightsmith::internal
