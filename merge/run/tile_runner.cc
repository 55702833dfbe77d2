#include "merge/run/tile_runner.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include "core/tensor/codec.h"
#include "core/tensor/rounding.h"
#include "merge/adapters/bake_tile.h"
#include "merge/program/measure.h"
#include "merge/program/tape.h"

namespace weightsmith {
namespace {

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

bool SameMeasure(const Probe& a, const Probe& b) {
  return a.before == b.before && a.after == b.after && a.against_zero == b.against_zero &&
         a.first == b.first && a.count == b.count;
}

std::uint64_t ColumnsOf(const Task& task) {
  return task.shape.empty() || task.shape[0] == 0 ? task.elements : task.elements / task.shape[0];
}

/// Calls `each(value, scale)` with the scale of each value: one for all, or one of its row.
template <class Values, class Each>
void ForEachScaled(const Task& task, std::uint64_t first, std::span<const float> scales,
                   Values values, const Each& each) {
  if (scales.size() == 1) {
    for (auto& value : values) each(value, scales[0]);
    return;
  }
  const std::uint64_t columns = ColumnsOf(task);
  for (std::size_t i = 0; i < values.size(); ++i) each(values[i], scales[(first + i) / columns]);
}

/// The strength, where all of the task is a delta that is added to a source.
std::optional<float> OnlyAddition(const PieceInputs& piece) {
  const Task& task = *piece.task;
  const bool one = task.sources.size() == 1 && task.deltas.size() == 1 &&
                   task.products.size() == 1 && task.tape.instructions.size() == 1;
  if (!one) return std::nullopt;
  const Instruction& addition = task.tape.instructions.front();
  const Product& product = task.products.front();
  const bool as_read = !product.copy && product.value == addition.out && !product.noise &&
                       product.dtype == task.sources.front().info.dtype &&
                       piece.source_scales[0].empty() && piece.product_scales[0].empty();
  const bool plain = addition.code == OpCode::kAdd;
  const bool adds =
      (plain || addition.code == OpCode::kAddScaled) && addition.in[0] == 0 && addition.in[1] == 1;
  if (!as_read || !adds) return std::nullopt;
  const bool seen = std::ranges::all_of(task.tape.probes, [&](const Probe& probe) {
    return probe.before == 0 && probe.after == addition.out && !probe.against_zero;
  });
  if (!seen) return std::nullopt;
  return plain ? 1 : static_cast<float>(addition.scalar[0]);
}

}  // namespace

template <class Real>
void TileRunner<Real>::Load(const PieceInputs& piece, const Place& place, Register source,
                            std::span<Real> tile) {
  const std::vector<Source>& sources = piece.task->sources;
  if (source >= sources.size()) {
    const std::span<const float> delta = piece.deltas[source - sources.size()];
    std::copy_n(delta.data() + place.at, place.n, tile.data());
    return;
  }
  const DType dtype = sources[source].info.dtype;
  const std::size_t size = Info(dtype).bits / 8;
  Decode(dtype, piece.sources[source].bytes().subspan(place.at * size, place.n * size), tile);
  if (piece.source_scales[source].empty()) return;
  ForEachScaled(*piece.task, piece.first + place.at, piece.source_scales[source], tile,
                [](Real& value, float scale) { value *= static_cast<Real>(scale); });
}

template <class Real>
void TileRunner<Real>::Run(const PieceInputs& piece, const Place& place, const Tape& tape,
                           std::span<const Register> sources) {
  for (Register s = 0; s < tape.sources; ++s) {
    Load(piece, place, sources.empty() ? s : sources[s], Tile(s, place.n));
  }
  RunTape(tape, tiles_.all(), place.n, piece.first + place.at);
}

template <class Real>
void TileRunner<Real>::Compute(const PieceInputs& piece, NonFinitePolicy non_finite, bool effects,
                               std::span<const Buffer> results, std::uint64_t in_chunk,
                               ChunkResult& result) {
  const Task& task = *piece.task;
  const std::optional<float> strength = OnlyAddition(piece);
  for (std::uint64_t at = 0; at < piece.count; at += kTile) {
    const Place place{at,
                      static_cast<std::size_t>(std::min<std::uint64_t>(kTile, piece.count - at))};
    const auto bytes = [&](std::size_t p) {
      const std::size_t size = Info(task.products[p].dtype).bits / 8;
      return results[p].bytes().subspan((in_chunk + at) * size, place.n * size);
    };
    if (strength && BakeAtOnce(piece, place, *strength, effects, bytes(0), result)) continue;
    Run(piece, place, task.tape, {});
    for (std::size_t p = 0; p < task.products.size(); ++p) {
      if (!task.products[p].copy) Store(piece, place, p, non_finite, bytes(p), result);
    }
    if (effects) Measure(piece, place, bytes(0), result);
  }
}

/// False where nothing was done: the tile has to be run as any other.
template <class Real>
bool TileRunner<Real>::BakeAtOnce(const PieceInputs& piece, const Place& place, float strength,
                                  bool effects, std::span<std::byte> out, ChunkResult& result) {
  if constexpr (!std::is_same_v<Real, float>) return false;
  const Task& task = *piece.task;
  const std::vector<Probe>& probes = task.tape.probes;
  const std::uint64_t first = piece.first + place.at;
  if (!std::ranges::all_of(probes,
                           [&](const Probe& probe) { return IsForAll(probe, first, place.n); })) {
    return false;
  }
  const DType dtype = task.products.front().dtype;
  const std::size_t size = Info(dtype).bits / 8;
  const std::span<const std::byte> base =
      piece.sources[0].bytes().subspan(place.at * size, place.n * size);
  const std::optional<Effect> baked = Bake({.dtype = dtype,
                                            .base = base,
                                            .delta = piece.deltas[0].subspan(place.at, place.n),
                                            .strength = strength,
                                            .limit = OverflowLimit<float>(dtype),
                                            .out = out});
  if (!baked) return false;
  if (!effects) return true;
  for (std::size_t p = 0; p < probes.size(); ++p) {
    Effect own = *baked;
    if (!probes[p].applied) own.rounded = 0;
    result.effects[p] += own;
  }
  return true;
}

template <class Real>
void TileRunner<Real>::ComputeValue(const PieceInputs& piece, const Tape& tape,
                                    std::span<const Register> sources, Register value,
                                    std::span<float> out) {
  for (std::uint64_t at = 0; at < piece.count; at += kTile) {
    const Place place{at,
                      static_cast<std::size_t>(std::min<std::uint64_t>(kTile, piece.count - at))};
    Run(piece, place, tape, sources);
    std::ranges::transform(Tile(value, place.n), out.subspan(at, place.n).begin(),
                           [](Real x) { return static_cast<float>(x); });
  }
}

template <class Real>
void TileRunner<Real>::RaiseLargest(const PieceInputs& piece, Register value,
                                    std::span<float> largest) {
  const std::uint64_t columns = largest.size() == 1 ? piece.task->elements : ColumnsOf(*piece.task);
  for (std::uint64_t at = 0; at < piece.count; at += kTile) {
    const Place place{at,
                      static_cast<std::size_t>(std::min<std::uint64_t>(kTile, piece.count - at))};
    Run(piece, place, piece.task->tape, {});
    const std::span<const Real> tile = Tile(value, place.n);
    for (std::size_t i = 0; i < tile.size(); ++i) {
      float& most = largest[(piece.first + at + i) / columns];
      most = std::max(most, std::abs(static_cast<float>(tile[i])));
    }
  }
}

template <class Real>
void TileRunner<Real>::Store(const PieceInputs& piece, const Place& place, std::size_t number,
                             NonFinitePolicy non_finite, std::span<std::byte> out,
                             ChunkResult& result) {
  const Product& product = piece.task->products[number];
  const std::uint64_t first = piece.first + place.at;
  std::span<const Real> values = Tile(product.value, place.n);
  if (!piece.product_scales[number].empty()) {
    const std::span<Real> scaled = Scratch(1, place.n);
    std::ranges::copy(values, scaled.begin());
    ForEachScaled(*piece.task, first, piece.product_scales[number], scaled,
                  [](Real& value, float scale) { value /= static_cast<Real>(scale); });
    values = scaled;
  }
  values = Finite(piece, product, values, non_finite, result);
  if (!product.noise) return Encode(product.dtype, values, out);
  std::array<float, kTile> rounded;
  const std::span<float> own = std::span(rounded).first(place.n);
  std::ranges::transform(values, own.begin(), [](Real x) { return static_cast<float>(x); });
  RoundStochastically(product.dtype, *product.noise, first, own);
  Encode(product.dtype, std::span<const float>(own), out);
}

template <class Real>
std::span<const Real> TileRunner<Real>::Finite(const PieceInputs& piece, const Product& product,
                                               std::span<const Real> values,
                                               NonFinitePolicy non_finite, ChunkResult& result) {
  const Real limit = OverflowLimit<Real>(product.dtype);
  if (CountNotBelow(values, limit) == 0) return values;
  const bool saturate = non_finite == NonFinitePolicy::kSaturate;
  const auto largest = static_cast<Real>(LargestFinite(product.dtype));
  const std::span<Real> scratch = Scratch(0, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    scratch[i] = values[i];
    if (std::abs(values[i]) < limit) continue;
    bool finite_operands = true;
    for (std::size_t s = 0; s < piece.task->sources.size(); ++s) {
      finite_operands = finite_operands && std::isfinite(tiles_.tile(s)[i]);
    }
    if (!finite_operands) continue;
    ++result.non_finite;
    if (saturate && !std::isnan(values[i])) scratch[i] = std::copysign(largest, values[i]);
  }
  return scratch;
}

template <class Real>
void TileRunner<Real>::Measure(const PieceInputs& piece, const Place& place,
                               std::span<const std::byte> stored, ChunkResult& result) {
  const std::vector<Probe>& probes = piece.task->tape.probes;
  const std::uint64_t first = piece.first + place.at;
  const std::span<const Real> registers = tiles_.all();
  const std::size_t size = Info(piece.task->products.front().dtype).bits / 8;
  Effect effect;
  const Probe* measured = nullptr;
  for (std::size_t p = 0; p < probes.size(); ++p) {
    const Probe& probe = probes[p];
    // A step of one adapter's module sees what the module does.
    if (measured == nullptr || !SameMeasure(*measured, probe)) {
      effect = MeasureProbe(probe, registers, first, place.n);
      measured = &probe;
    }
    Effect own = effect;
    if (probe.applied && effect.elements > 0) {
      own.rounded = CountStored(probe, first, size,
                                StoredTile(piece, place, probe.before, stored, stored_before_),
                                StoredTile(piece, place, probe.after, stored, stored_after_));
    }
    result.effects[p] += own;
  }
}

/// A register as the first product stores it: bytes that were read or are to be written, where they
/// are those.
template <class Real>
std::span<const std::byte> TileRunner<Real>::StoredTile(const PieceInputs& piece,
                                                        const Place& place, Register value,
                                                        std::span<const std::byte> stored,
                                                        std::vector<std::byte>& scratch) {
  const Task& task = *piece.task;
  const Product& product = task.products.front();
  const std::size_t size = Info(product.dtype).bits / 8;
  if (value == product.value && !product.copy) return stored;
  const bool read = value < task.sources.size() && task.sources[value].info.dtype == product.dtype;
  if (read && piece.source_scales[value].empty()) {
    return piece.sources[value].bytes().subspan(place.at * size, place.n * size);
  }
  scratch.resize(place.n * size);
  std::span<const Real> values = Tile(value, place.n);
  if (!piece.product_scales[0].empty()) {
    const std::span<Real> scaled = Scratch(1, place.n);
    std::ranges::copy(values, scaled.begin());
    ForEachScaled(task, piece.first + place.at, piece.product_scales[0], scaled,
                  [](Real& x, float scale) { x /= static_cast<Real>(scale); });
    values = scaled;
  }
  Encode(product.dtype, values, scratch);
  return scratch;
}

template class TileRunner<float>;
template class TileRunner<double>;

}  // namespace weightsmith
