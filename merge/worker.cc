#include "merge/worker.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/codec.h"
#include "core/error.h"
#include "merge/measure.h"
#include "merge/source_reader.h"
#include "merge/tape.h"
#include "merge/worker_buffers.h"

namespace weightsmith {
namespace {

/// Units that are read at a time: 64 KiB of a 16-bit dtype. It divides every digest block.
constexpr std::uint64_t kPiece = 32 * kTile;

/// What file systems share in reflinks.
constexpr std::uint64_t kBlock = 4096;

/// The smallest magnitude that a dtype stores as something that is not finite.
template <class Real>
Real OverflowLimit(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return Real{65520};
    case DType::kBF16:
      return static_cast<Real>(0x1.ffp127);
    case DType::kF8E5M2:
      return Real{61440};
    // The tie at 464 still rounds down to 448.
    case DType::kF8E4M3:
      return std::nextafter(Real{464}, Real{465});
    case DType::kF32:
      if constexpr (sizeof(Real) == 8) return 0x1.ffffffp127;
      return std::numeric_limits<Real>::infinity();
    default:
      return std::numeric_limits<Real>::infinity();
  }
}

std::size_t MostRegisters(const Plan& plan) {
  std::size_t most = 1;
  for (const Task& task : plan.tasks) {
    most = std::max<std::size_t>(most, task.tape.registers);
    for (const DeltaSource& delta : task.deltas) {
      if (delta.weight) most = std::max<std::size_t>(most, delta.weight->tape.registers);
    }
  }
  return most;
}

std::size_t MostDeltas(const Plan& plan) {
  std::size_t most = 0;
  for (const Task& task : plan.tasks) most = std::max(most, task.deltas.size());
  return most;
}

std::size_t MostSources(const Plan& plan) {
  std::size_t most = 1;
  for (const Task& task : plan.tasks) most = std::max(most, task.sources.size());
  return most;
}

std::size_t MostProducts(const Plan& plan) {
  std::size_t most = 1;
  for (const Task& task : plan.tasks) most = std::max(most, task.products.size());
  return most;
}

/// Where a tile lies.
struct TileRange {
  std::uint64_t first = 0;  ///< element of the tensor
  std::size_t n = 0;
  std::uint64_t in_piece = 0;  ///< elements from the beginning of what was read
  std::uint64_t in_chunk = 0;  ///< of what is written
};

bool SameMeasure(const Probe& a, const Probe& b) {
  return a.before == b.before && a.after == b.after && a.against_zero == b.against_zero &&
         a.first == b.first && a.count == b.count;
}

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
        results_(MostProducts(*context.plan)),
        source_digests_(pieces_.size()),
        product_digests_(results_.size()),
        floats_(wide() ? 0 : MostRegisters(*context.plan) + 1),
        doubles_(wide() ? MostRegisters(*context.plan) + 1 : 0),
        may_clone_(context.plan->output_files.size(), true) {}

  ChunkResult Compute(const Chunk& chunk);

 private:
  bool wide() const { return context_.plan->policies.precision == Precision::kF64; }
  void DigestStored(const Source& source, BlockDigester& digester);
  template <class Real>
  void ComputeTiles(const Task& task, std::uint64_t first, std::uint64_t count,
                    std::uint64_t chunk_first, AlignedTiles<Real>& tiles, ChunkResult& result);
  ChunkResult ComputeRange(const Chunk& chunk);
  std::vector<float> ComputeWhole(const Task& task, const WholeWeight& weight,
                                  const PreparedDeltas& so_far);
  template <class Real>
  void ComputeWholeTiles(const Task& task, const WholeWeight& weight, const PreparedDeltas& so_far,
                         AlignedTiles<Real>& tiles, std::span<float> out);
  template <class Real>
  void Measure(const Task& task, const TileRange& range, AlignedTiles<Real>& tiles,
               ChunkResult& result);
  template <class Real>
  std::span<const std::byte> StoredTile(const Task& task, Register value, const TileRange& range,
                                        AlignedTiles<Real>& tiles, std::vector<std::byte>& scratch);
  template <class Real>
  std::span<const Real> Finite(const Task& task, const Product& product, std::size_t n,
                               AlignedTiles<Real>& tiles, ChunkResult& result);
  void Write(const Task& task, const Chunk& chunk, const Units& units, ChunkResult& result);
  void DropCache(const Task& task, const Chunk& chunk, const Units& units) const;
  bool WriteClone(const Source& source, const Product& product, std::uint64_t offset,
                  std::span<const std::byte> bytes);

  WorkerContext context_;
  SourceReader reader_;
  std::shared_ptr<const PreparedDeltas> deltas_;  ///< of the task at hand
  std::vector<std::vector<float>> delta_pieces_;  ///< a piece of every delta
  std::vector<Buffer> pieces_;                    ///< a piece of every source
  std::vector<Buffer> results_;                   ///< a chunk of every product
  std::vector<BlockDigester> source_digests_;
  std::vector<BlockDigester> product_digests_;
  std::vector<std::byte> stored_before_;
  std::vector<std::byte> stored_after_;
  AlignedTiles<float> floats_;  ///< registers, and one tile of scratch
  AlignedTiles<double> doubles_;
  std::vector<bool> may_clone_;  ///< by output file: false once its file system could not
};

ChunkResult Worker::Impl::Compute(const Chunk& chunk) {
  const Task& task = context_.plan->tasks[chunk.task];
  if (task.deltas.empty()) return ComputeRange(chunk);
  if (!task.whole()) {
    deltas_ = context_.deltas->Get(*context_.plan, chunk.task);
    return ComputeRange(chunk);
  }
  deltas_ = std::make_shared<const PreparedDeltas>(
      *context_.plan, task, [&](const WholeWeight& weight, const PreparedDeltas& so_far) {
        return ComputeWhole(task, weight, so_far);
      });
  ChunkResult all;
  all.chunk = chunk;
  const std::uint64_t step = ChunkUnits(task);
  for (std::uint64_t at = 0; at < chunk.count; at += step) {
    const std::uint64_t count = std::min(step, chunk.count - at);
    Append(ComputeRange({chunk.task, chunk.first + at, count, false}), all);
  }
  deltas_ = nullptr;
  return all;
}

ChunkResult Worker::Impl::ComputeRange(const Chunk& chunk) {
  const Task& task = context_.plan->tasks[chunk.task];
  const Units units = UnitsOf(task);
  // A copy has work to do as well where a step is to be shown to have chosen it (weight 1).
  const bool arithmetic = !task.tape.instructions.empty() || !task.tape.probes.empty() ||
                          !std::ranges::all_of(task.products, &Product::copy);
  // The only product is a source as it is: it is read to where it is written from.
  const bool straight = task.products.size() == 1 && task.products.front().copy &&
                        task.sources.size() == 1 && task.sources.front().segments.empty();
  ChunkResult result;
  result.chunk = chunk;
  result.effects.resize(task.tape.probes.size());

  for (std::size_t p = 0; p < task.products.size(); ++p) {
    results_[p].Take(chunk.count * units.SizeOf(task.products[p].dtype));
    product_digests_[p].Start();
  }
  for (std::size_t s = 0; s < task.sources.size(); ++s) source_digests_[s].Start();

  for (std::uint64_t at = 0; at < chunk.count; at += kPiece) {
    const std::uint64_t first = chunk.first + at;
    const std::uint64_t count = std::min(kPiece, chunk.count - at);
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
    for (std::size_t d = 0; d < task.deltas.size(); ++d) {
      delta_pieces_[d].resize(kPiece);
      deltas_->Fill(d, first, std::span(delta_pieces_[d]).first(count));
    }
    if (arithmetic) {
      if (wide()) {
        ComputeTiles<double>(task, first, count, chunk.first, doubles_, result);
      } else {
        ComputeTiles<float>(task, first, count, chunk.first, floats_, result);
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
  Write(task, chunk, units, result);
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

template <class Real>
void Worker::Impl::ComputeTiles(const Task& task, std::uint64_t first, std::uint64_t count,
                                std::uint64_t chunk_first, AlignedTiles<Real>& tiles,
                                ChunkResult& result) {
  for (std::uint64_t at = 0; at < count; at += kTile) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kTile, count - at));
    for (std::size_t s = 0; s < task.sources.size(); ++s) {
      const DType dtype = task.sources[s].info.dtype;
      const std::size_t size = Info(dtype).bits / 8;
      Decode(dtype, pieces_[s].bytes().subspan(at * size, n * size), tiles.tile(s, n));
    }
    for (std::size_t d = 0; d < task.deltas.size(); ++d) {
      std::ranges::copy(std::span(delta_pieces_[d]).subspan(at, n),
                        tiles.tile(task.sources.size() + d, n).begin());
    }
    RunTape(task.tape, tiles.all(), n, first + at);
    for (std::size_t p = 0; p < task.products.size(); ++p) {
      const Product& product = task.products[p];
      if (product.copy) continue;
      const std::size_t size = Info(product.dtype).bits / 8;
      const std::uint64_t to = (first + at - chunk_first) * size;
      Encode(product.dtype, Finite(task, product, n, tiles, result),
             results_[p].bytes().subspan(to, n * size));
    }
    if (context_.effects) {
      Measure(task, {first + at, n, at, first + at - chunk_first}, tiles, result);
    }
  }
}

/// A value of the task before adapters, all of it.
std::vector<float> Worker::Impl::ComputeWhole(const Task& task, const WholeWeight& weight,
                                              const PreparedDeltas& so_far) {
  std::vector<float> whole(task.elements);
  if (wide()) {
    ComputeWholeTiles<double>(task, weight, so_far, doubles_, whole);
  } else {
    ComputeWholeTiles<float>(task, weight, so_far, floats_, whole);
  }
  return whole;
}

template <class Real>
void Worker::Impl::ComputeWholeTiles(const Task& task, const WholeWeight& weight,
                                     const PreparedDeltas& so_far, AlignedTiles<Real>& tiles,
                                     std::span<float> out) {
  const Units units = UnitsOf(task);
  std::vector<float> delta(kTile);
  for (std::uint64_t first = 0; first < out.size(); first += kPiece) {
    const std::uint64_t count = std::min<std::uint64_t>(kPiece, out.size() - first);
    for (const Register source : weight.sources) {
      if (source >= task.sources.size()) continue;
      const std::uint64_t size = units.SizeOf(task.sources[source].info.dtype);
      reader_.Read(task.sources[source], units, first, count, pieces_[source].Take(count * size));
    }
    for (std::uint64_t at = 0; at < count; at += kTile) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kTile, count - at));
      for (std::size_t s = 0; s < weight.sources.size(); ++s) {
        const Register source = weight.sources[s];
        if (source < task.sources.size()) {
          const DType dtype = task.sources[source].info.dtype;
          const std::size_t size = Info(dtype).bits / 8;
          Decode(dtype, pieces_[source].bytes().subspan(at * size, n * size), tiles.tile(s, n));
        } else {
          so_far.Fill(source - task.sources.size(), first + at, std::span(delta).first(n));
          std::ranges::copy(std::span(delta).first(n), tiles.tile(s, n).begin());
        }
      }
      RunTape(weight.tape, tiles.all(), n, first + at);
      std::ranges::transform(tiles.tile(weight.value, n),
                             out.begin() + static_cast<std::ptrdiff_t>(first + at),
                             [](Real value) { return static_cast<float>(value); });
    }
  }
}

template <class Real>
void Worker::Impl::Measure(const Task& task, const TileRange& range, AlignedTiles<Real>& tiles,
                           ChunkResult& result) {
  const std::vector<Probe>& probes = task.tape.probes;
  const std::span<const Real> registers = tiles.all();
  Effect effect;
  const Probe* measured = nullptr;
  for (std::size_t p = 0; p < probes.size(); ++p) {
    const Probe& probe = probes[p];
    // A step of one adapter's module sees what the module does.
    if (measured == nullptr || !SameMeasure(*measured, probe)) {
      effect = MeasureProbe(probe, registers, range.first, range.n);
      measured = &probe;
    }
    Effect own = effect;
    if (probe.applied && effect.elements > 0) {
      const std::size_t size = Info(task.products.front().dtype).bits / 8;
      own.rounded = CountStored(probe, range.first, size,
                                StoredTile(task, probe.before, range, tiles, stored_before_),
                                StoredTile(task, probe.after, range, tiles, stored_after_));
    }
    result.effects[p] += own;
  }
}

/// A register as the first product stores it: bytes that were read or are to be written, where they
/// are those.
template <class Real>
std::span<const std::byte> Worker::Impl::StoredTile(const Task& task, Register value,
                                                    const TileRange& range,
                                                    AlignedTiles<Real>& tiles,
                                                    std::vector<std::byte>& scratch) {
  const Product& product = task.products.front();
  const std::size_t size = Info(product.dtype).bits / 8;
  if (value < task.sources.size() && task.sources[value].info.dtype == product.dtype) {
    return pieces_[value].bytes().subspan(range.in_piece * size, range.n * size);
  }
  if (value == product.value) {
    return results_[0].bytes().subspan(range.in_chunk * size, range.n * size);
  }
  scratch.resize(range.n * size);
  Encode(product.dtype, tiles.tile(value, range.n), scratch);
  return scratch;
}

template <class Real>
std::span<const Real> Worker::Impl::Finite(const Task& task, const Product& product, std::size_t n,
                                           AlignedTiles<Real>& tiles, ChunkResult& result) {
  const std::span<const Real> values = tiles.tile(product.value, n);
  const Real limit = OverflowLimit<Real>(product.dtype);
  if (CountNotBelow(values, limit) == 0) return values;

  const bool saturate = context_.plan->policies.non_finite == NonFinitePolicy::kSaturate;
  const auto largest = static_cast<Real>(LargestFinite(product.dtype));
  const std::span<Real> scratch = tiles.tile(tiles.all().size() / kTile - 1, n);
  for (std::size_t i = 0; i < n; ++i) {
    scratch[i] = values[i];
    if (std::abs(values[i]) < limit) continue;
    bool finite_operands = true;
    for (std::size_t s = 0; s < task.sources.size(); ++s) {
      finite_operands = finite_operands && std::isfinite(tiles.tile(s)[i]);
    }
    if (!finite_operands) continue;
    ++result.non_finite;
    if (saturate && !std::isnan(values[i])) scratch[i] = std::copysign(largest, values[i]);
  }
  return scratch;
}

void Worker::Impl::Write(const Task& task, const Chunk& chunk, const Units& units,
                         ChunkResult& result) {
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    result.bytes_written += results_[p].bytes().size();
  }
  if (context_.outputs == nullptr) return;
  if (result.non_finite > 0 && context_.plan->policies.non_finite == NonFinitePolicy::kError) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("'{}': {} values of finite operands leave the range of {}", task.name,
                            result.non_finite, Info(task.products.front().dtype).name),
                "Store the result in a wider dtype, or write `policy: {non_finite: saturate}`.");
  }
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    const Product& product = task.products[p];
    const std::uint64_t size = units.SizeOf(product.dtype);
    const std::uint64_t offset = product.offset + chunk.first * size;
    const std::span<const std::byte> bytes = results_[p].bytes();
    if (product.scatter != nullptr) {
      WriteScattered(*product.scatter, size, chunk.first, bytes,
                     [this](std::uint32_t file, std::uint64_t at, std::span<const std::byte> run) {
                       (*context_.outputs)[file].Write(at, run);
                     });
      continue;
    }
    if (!product.copy || !WriteClone(task.sources[product.value], product, offset, bytes)) {
      (*context_.outputs)[product.file].Write(offset, bytes);
    }
  }
}

void Worker::Impl::DropCache(const Task& task, const Chunk& chunk, const Units& units) const {
  for (const Source& source : task.sources) {
    if (source.gather != nullptr || !source.segments.empty()) continue;  // dropped at the end
    const std::uint64_t size = units.SizeOf(source.info.dtype);
    context_.files[source.file]->DropCache(source.offset + chunk.first * size, chunk.count * size);
  }
}

bool Worker::Impl::WriteClone(const Source& source, const Product& product, std::uint64_t offset,
                              std::span<const std::byte> bytes) {
  if (!source.segments.empty() || source.gather != nullptr || !may_clone_[product.file]) {
    return false;
  }
  // Blocks can be shared where the bytes lie at the same place in a block on both sides.
  const std::uint64_t from = source.offset + (offset - product.offset);
  const std::uint64_t first = (offset + kBlock - 1) / kBlock * kBlock;
  const std::uint64_t end = (offset + bytes.size()) / kBlock * kBlock;
  if (from % kBlock != offset % kBlock || first >= end) return false;
  OutputFile& output = (*context_.outputs)[product.file];
  may_clone_[product.file] =
      output.Clone(*context_.files[source.file], from + (first - offset), first, end - first);
  if (!may_clone_[product.file]) return false;
  output.Write(offset, bytes.first(first - offset));
  output.Write(end, bytes.subspan(end - offset));
  return true;
}

Worker::Worker(const WorkerContext& context) : impl_(std::make_unique<Impl>(context)) {}
Worker::~Worker() = default;
Worker::Worker(Worker&&) noexcept = default;

ChunkResult Worker::Compute(const Chunk& chunk) {
  return impl_->Compute(chunk);
}

std::uint64_t Worker::BufferBytes(const Plan& plan) {
  std::uint64_t pieces = 0;
  std::uint64_t results = 0;
  std::uint64_t deltas = 0;
  for (const Task& task : plan.tasks) {
    deltas = std::max(deltas, BytesOf(task) + task.deltas.size() * kPiece * sizeof(float));
    const Units units = UnitsOf(task);
    std::uint64_t task_pieces = 0;
    std::uint64_t task_results = 0;
    const std::uint64_t chunk = std::min(ChunkUnits(task), units.count);
    for (const Source& source : task.sources) {
      task_pieces += std::min(kPiece, chunk) * units.SizeOf(source.info.dtype);
    }
    for (const Product& product : task.products)
      task_results += chunk * units.SizeOf(product.dtype);
    pieces = std::max(pieces, task_pieces);
    results = std::max(results, task_results);
  }
  const std::uint64_t real = plan.policies.precision == Precision::kF64 ? 8 : 4;
  return pieces + results + deltas + (MostRegisters(plan) + 1) * kTile * real;
}

}  // namespace weightsmith
