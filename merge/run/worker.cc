#include "merge/run/worker.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/base/aligned_vector.h"
#include "core/base/error.h"
#include "core/tensor/codec.h"
#include "merge/run/buffer_sizes.h"
#include "merge/run/source_reader.h"
#include "merge/run/tile_runner.h"
#include "merge/run/worker_buffers.h"

namespace weightsmith {
namespace {

/// Adds what the next range told.
void Append(ChunkResult&& range, ChunkResult& all) {
  const auto join = [](std::vector<std::vector<Digest>>& from,
                       std::vector<std::vector<Digest>>& to) {
    to.resize(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
      to[i].insert(to[i].end(), from[i].begin(), from[i].end());
    }
  };
  join(range.source_blocks, all.source_blocks);
  join(range.product_blocks, all.product_blocks);
  all.effects.resize(range.effects.size());
  for (std::size_t p = 0; p < range.effects.size(); ++p) all.effects[p] += range.effects[p];
  all.non_finite += range.non_finite;
  all.bytes_read += range.bytes_read;
  all.bytes_written += range.bytes_written;
}

}  // namespace

class Worker::Impl {
 public:
  explicit Impl(const WorkerContext& context)
      : context_(context),
        reader_(context_.files),
        delta_pieces_(MostDeltas(*context.plan)),
        pieces_(MostSources(*context.plan)),
        source_digests_(pieces_.size()),
        product_digests_(MostProducts(*context.plan)),
        floats_(wide() ? 0 : MostRegisters(*context.plan)),
        doubles_(wide() ? MostRegisters(*context.plan) : 0) {}

  ChunkResult Compute(const Chunk& chunk);

 private:
  bool wide() const { return context_.plan->policies.precision == Precision::kF64; }
  template <class Use>
  void ForEachPiece(const Task& task, std::uint64_t first, std::uint64_t count, const Use& use);
  ChunkResult ComputeRange(const Chunk& chunk);
  std::vector<float> ComputeWhole(const Task& task, const WholeWeight& weight,
                                  const PreparedDeltas& so_far);
  std::vector<float> ComputeScale(const Task& task, std::size_t product);
  ChunkResult ComputeScaleTensor(const Chunk& chunk);
  void PrepareWhole(const Task& task);
  void LoadScales(const Task& task);
  PieceInputs Inputs(const Task& task, std::uint64_t first, std::uint64_t count,
                     std::uint64_t skip);
  void FillDeltas(const Task& task, std::uint64_t first, std::uint64_t count);
  void DigestStored(const Source& source, BlockDigester& digester);
  void TakeResults();
  void HandOver(const Task& task, ChunkResult& result);
  void DropCache(const Task& task, const Chunk& chunk, const Units& units) const;

  WorkerContext context_;
  SourceReader reader_;
  std::shared_ptr<const PreparedDeltas> deltas_;    ///< of the task at hand
  std::uint32_t deltas_task_ = 0;                   ///< where they are shared: which one it is
  std::vector<AlignedVector<float>> delta_pieces_;  ///< a piece of every delta, or several
  std::vector<std::span<const float>> delta_views_;
  std::vector<Buffer> pieces_;   ///< a piece of every source
  std::vector<Buffer> results_;  ///< a chunk of every product, until it is handed over
  std::vector<BlockDigester> source_digests_;
  std::vector<BlockDigester> product_digests_;
  std::vector<std::vector<float>> source_scales_;  ///< of the task at hand
  std::vector<std::vector<float>> product_scales_;
  TileRunner<float> floats_;
  TileRunner<double> doubles_;
};

ChunkResult Worker::Impl::Compute(const Chunk& chunk) {
  const Task& task = context_.plan->tasks[chunk.task];
  if (task.scale_of != nullptr) return ComputeScaleTensor(chunk);
  LoadScales(task);
  if (!task.whole()) {
    if (!task.deltas.empty()) {
      // Those of the task before go first: a worker holds one task's.
      if (deltas_task_ != chunk.task) deltas_ = nullptr;
      if (deltas_ == nullptr) deltas_ = context_.deltas->Get(*context_.plan, chunk.task);
      deltas_task_ = chunk.task;
      // What comes next is made ready by whoever begins this, so that nobody waits for it.
      if (chunk.first == 0 && context_.writer != nullptr) {
        context_.deltas->Prepare(*context_.plan, chunk.task);
      }
    }
    return ComputeRange(chunk);
  }
  PrepareWhole(task);
  ChunkResult all;
  all.chunk = chunk;
  const std::uint64_t step = ChunkUnits(task);
  for (std::uint64_t at = 0; at < chunk.count; at += step) {
    const std::uint64_t count = std::min(step, chunk.count - at);
    ChunkResult range = ComputeRange({chunk.task, chunk.first + at, count, false});
    if (context_.writer != nullptr) context_.writer->Write(range);
    Append(std::move(range), all);
  }
  deltas_ = nullptr;
  return all;
}

/// What has to be known of all of a task before any of it can be written.
void Worker::Impl::PrepareWhole(const Task& task) {
  deltas_ = nullptr;
  deltas_ = std::make_shared<const PreparedDeltas>(
      *context_.plan, task,
      [&](const WholeWeight& weight, const PreparedDeltas& so_far) {
        return ComputeWhole(task, weight, so_far);
      },
      context_.deltas->digests());
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    if (task.products[p].scales > 0) product_scales_[p] = ComputeScale(task, p);
  }
}

void Worker::Impl::LoadScales(const Task& task) {
  source_scales_.assign(task.sources.size(), {});
  product_scales_.assign(task.products.size(), {});
  for (std::size_t s = 0; s < task.sources.size(); ++s) {
    const auto& scale = task.sources[s].scale;
    if (!scale) continue;
    std::vector<std::byte> bytes(scale->info.bytes());
    context_.files[scale->file]->Read(scale->offset, bytes);
    source_scales_[s].resize(scale->info.elements());
    Decode(scale->info.dtype, bytes, source_scales_[s]);
  }
}

/// `skip` are elements of the deltas that stand before the piece.
PieceInputs Worker::Impl::Inputs(const Task& task, std::uint64_t first, std::uint64_t count,
                                 std::uint64_t skip) {
  delta_views_.clear();
  for (std::size_t d = 0; d < task.deltas.size(); ++d) {
    delta_views_.emplace_back(std::span(delta_pieces_[d]).subspan(skip, count));
  }
  return {&task, first, count, pieces_, delta_views_, source_scales_, product_scales_};
}

void Worker::Impl::FillDeltas(const Task& task, std::uint64_t first, std::uint64_t count) {
  for (std::size_t d = 0; d < task.deltas.size(); ++d) {
    if (delta_pieces_[d].size() < count) delta_pieces_[d].resize(count);
    if (deltas_ != nullptr) deltas_->Fill(d, first, std::span(delta_pieces_[d]).first(count));
  }
}

/// Reads the sources and makes the deltas, a piece after another.
template <class Use>
void Worker::Impl::ForEachPiece(const Task& task, std::uint64_t first, std::uint64_t count,
                                const Use& use) {
  const Units units = UnitsOf(task);
  for (std::uint64_t at = 0; at < count; at += kPiece) {
    const std::uint64_t n = std::min(kPiece, count - at);
    for (std::size_t s = 0; s < task.sources.size(); ++s) {
      const std::uint64_t size = units.SizeOf(task.sources[s].info.dtype);
      reader_.Read(task.sources[s], units, first + at, n, pieces_[s].Take(n * size));
    }
    FillDeltas(task, first + at, n);
    use(Inputs(task, first + at, n, 0));
  }
}

/// A value of the task before adapters, all of it.
std::vector<float> Worker::Impl::ComputeWhole(const Task& task, const WholeWeight& weight,
                                              const PreparedDeltas& so_far) {
  std::vector<float> whole(task.elements);
  deltas_ = nullptr;
  ForEachPiece(task, 0, task.elements, [&](const PieceInputs& piece) {
    for (const Register source : weight.sources) {
      if (source < task.sources.size()) continue;
      const std::size_t delta = source - task.sources.size();
      so_far.Fill(delta, piece.first, std::span(delta_pieces_[delta]).first(piece.count));
    }
    const std::span<float> out = std::span(whole).subspan(piece.first, piece.count);
    if (wide()) {
      doubles_.ComputeValue(piece, weight.tape, weight.sources, weight.value, out);
    } else {
      floats_.ComputeValue(piece, weight.tape, weight.sources, weight.value, out);
    }
  });
  return whole;
}

/// What the product is divided by before it is stored, so that its largest value fills the dtype.
std::vector<float> Worker::Impl::ComputeScale(const Task& task, std::size_t number) {
  const Product& product = task.products[number];
  std::vector<float> scales(product.scales);
  ForEachPiece(task, 0, task.elements, [&](const PieceInputs& piece) {
    if (wide()) {
      doubles_.RaiseLargest(piece, product.value, scales);
    } else {
      floats_.RaiseLargest(piece, product.value, scales);
    }
  });
  const auto largest = static_cast<float>(LargestFinite(product.dtype));
  for (float& scale : scales) scale = scale > 0 && std::isfinite(scale) ? scale / largest : 1;
  return scales;
}

/// The scales of another task's product, as a tensor.
ChunkResult Worker::Impl::ComputeScaleTensor(const Chunk& chunk) {
  const Task& task = context_.plan->tasks[chunk.task];
  const Task& weight = *task.scale_of;
  LoadScales(weight);
  PrepareWhole(weight);
  deltas_ = nullptr;
  const Product& product = task.products.front();
  const std::vector<float> scales = std::move(product_scales_[product.value]);
  ChunkResult result;
  result.chunk = chunk;
  const std::size_t size = Info(product.dtype).bits / 8;
  TakeResults();
  const std::span<std::byte> bytes = results_[0].Take(chunk.count * size);
  Encode(product.dtype, std::span<const float>(scales).subspan(chunk.first, chunk.count), bytes);
  product_digests_[0].Start();
  if (context_.digests) {
    product_digests_[0].Update(bytes);
    result.product_blocks.push_back(product_digests_[0].Finish());
  }
  HandOver(task, result);
  return result;
}

void Worker::Impl::TakeResults() {
  if (!results_.empty()) return;
  results_ = context_.writer != nullptr ? context_.writer->TakeBuffers()
                                        : std::vector<Buffer>(product_digests_.size());
}

ChunkResult Worker::Impl::ComputeRange(const Chunk& chunk) {
  const Task& task = context_.plan->tasks[chunk.task];
  const Units units = UnitsOf(task);
  // A copy has work to do as well where a step is to be shown to have chosen it (weight 1).
  const bool arithmetic = !task.tape.instructions.empty() || !task.tape.probes.empty() ||
                          !std::ranges::all_of(task.products, &Product::copy);
  // The only product is a source as it is: it is read to where it is written from.
  const bool straight = !arithmetic && task.products.size() == 1 && task.sources.size() == 1 &&
                        task.sources.front().segments.empty();
  const std::uint64_t delta_block = DeltaBlock(task);
  ChunkResult result;
  result.chunk = chunk;
  result.effects.resize(task.tape.probes.size());

  TakeResults();
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    results_[p].Take(chunk.count * units.SizeOf(task.products[p].dtype));
    product_digests_[p].Start();
  }
  for (std::size_t s = 0; s < task.sources.size(); ++s) source_digests_[s].Start();

  std::uint64_t block = 0;
  std::uint64_t block_end = 0;
  std::uint64_t count = 0;
  for (std::uint64_t at = 0; at < chunk.count; at += count) {
    const std::uint64_t first = chunk.first + at;
    if (at == block_end) {
      block = at;
      block_end = std::min(chunk.count, at + delta_block - first % delta_block);
      FillDeltas(task, first, block_end - block);
    }
    count = std::min(kPiece, block_end - at);
    for (std::size_t s = 0; s < task.sources.size(); ++s) {
      const Source& source = task.sources[s];
      const std::uint64_t size = units.SizeOf(source.info.dtype);
      const std::span<std::byte> piece = straight
                                             ? results_[0].bytes().subspan(at * size, count * size)
                                             : pieces_[s].Take(count * size);
      reader_.Read(source, units, first, count, piece);
      result.bytes_read += piece.size();
      if (context_.digests && source.segments.empty()) source_digests_[s].Update(piece);
    }
    if (arithmetic) {
      const PieceInputs piece = Inputs(task, first, count, at - block);
      const NonFinitePolicy non_finite = context_.plan->policies.non_finite;
      if (wide()) {
        doubles_.Compute(piece, non_finite, context_.effects, results_, at, result);
      } else {
        floats_.Compute(piece, non_finite, context_.effects, results_, at, result);
      }
    }
    for (std::size_t p = 0; p < task.products.size(); ++p) {
      const Product& product = task.products[p];
      const std::uint64_t size = units.SizeOf(product.dtype);
      const std::span<std::byte> piece = results_[p].bytes().subspan(at * size, count * size);
      if (product.copy && !straight)
        std::ranges::copy(pieces_[product.value].bytes(), piece.begin());
      if (context_.digests && !product.copy) product_digests_[p].Update(piece);
    }
  }

  if (context_.digests) {
    for (std::size_t s = 0; s < task.sources.size(); ++s) {
      if (!task.sources[s].segments.empty() && chunk.first == 0) {
        DigestStored(task.sources[s], source_digests_[s]);
      }
      result.source_blocks.push_back(source_digests_[s].Finish());
    }
    for (std::size_t p = 0; p < task.products.size(); ++p) {
      const Product& product = task.products[p];
      result.product_blocks.push_back(product.copy ? result.source_blocks[product.value]
                                                   : product_digests_[p].Finish());
    }
  }
  HandOver(task, result);
  if (!context_.keep_cache) DropCache(task, chunk, units);
  return result;
}

void Worker::Impl::DigestStored(const Source& source, BlockDigester& digester) {
  const std::uint64_t size = Info(source.info.dtype).bits / 8;
  std::vector<std::byte> buffer(std::min<std::uint64_t>(source.info.bytes(), kPiece));
  for (std::uint64_t at = 0; at < source.info.bytes(); at += buffer.size()) {
    const auto n = std::min<std::uint64_t>(buffer.size(), source.info.bytes() - at);
    const std::span<std::byte> piece = std::span(buffer).first(n);
    reader_.ReadStored(source, size, at / size, piece);
    digester.Update(piece);
  }
}

void Worker::Impl::HandOver(const Task& task, ChunkResult& result) {
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    result.bytes_written += results_[p].bytes().size();
  }
  if (context_.writer == nullptr) return;
  if (result.non_finite > 0 && context_.plan->policies.non_finite == NonFinitePolicy::kError) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("'{}': {} values of finite operands leave the range of {}", task.name,
                            result.non_finite, Info(task.products.front().dtype).name),
                "Store the result in a wider dtype, or write `policy: {non_finite: saturate}`.");
  }
  result.bytes = std::exchange(results_, {});
}

void Worker::Impl::DropCache(const Task& task, const Chunk& chunk, const Units& units) const {
  for (const Source& source : task.sources) {
    if (source.gather != nullptr || !source.segments.empty()) continue;  // dropped at the end
    const std::uint64_t size = units.SizeOf(source.info.dtype);
    context_.files[source.file]->DropCache(source.offset + chunk.first * size, chunk.count * size);
  }
}

Worker::Worker(const WorkerContext& context) : impl_(std::make_unique<Impl>(context)) {}
Worker::~Worker() = default;
Worker::Worker(Worker&&) noexcept = default;

ChunkResult Worker::Compute(const Chunk& chunk) {
  return impl_->Compute(chunk);
}

}  // namespace weightsmith
