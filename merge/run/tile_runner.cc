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

namespace weightsmith::internal {
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

/// Tiles of columns begin at multiples of so many.
constexpr std::uint64_t kColumnStep = 16;

bool SameMeasure(const Probe& a, const Probe& b) {
  return a.before == b.before && a.after == b.after && a.against_zero == b.against_zero &&
         a.first == b.first && a.count == b.count;
}

/// Not a source as it is stored: arithmetic gave it.
bool IsComputed(const Task& task, Register value) {
  return value >= task.sources.size() || task.sources[value].scale;
}

/// Calls `each(value, scale)` with the scale of each value's cell.
template <class Scales, class Real, class Each>
void ForEachScaled(const Grid& cells, std::uint64_t first, const Scales& scales,
                   std::span<Real> values, const Each& each) {
  for (std::size_t i = 0; i < values.size();) {
    const auto run = static_cast<std::size_t>(
        std::min<std::uint64_t>(cells.RunFrom(first + i), values.size() - i));
    const auto scale = scales[cells.CellOf(first + i)];
    for (Real& value : values.subspan(i, run)) each(value, scale);
    i += run;
  }
}

/// The piece of an operand that is no source: a delta, rows, or a value that is kept whole.
std::span<const float> MadeBefore(const PieceInputs& piece, std::size_t number) {
  if (number < piece.deltas.size()) return piece.deltas[number];
  const std::size_t kept = number - piece.deltas.size();
  if (kept < piece.rows.size() && !piece.rows[kept].empty()) return piece.rows[kept];
  return piece.state->kept(static_cast<KeptIndex>(kept)).subspan(piece.first);
}

/// The strength, where all of the task is a delta that is added to a source.
std::optional<float> OnlyAddition(const PieceInputs& piece) {
  const Task& task = *piece.task;
  const bool one = task.sources.size() == 1 && task.deltas.size() == 1 &&
                   task.products.size() == 1 && task.kept.empty() &&
                   task.tape.instructions.size() == 1;
  if (!one) return std::nullopt;
  const Instruction& addition = task.tape.instructions.front();
  const Product& product = task.products.front();
  const bool as_read = !product.copy && product.value == addition.out && !product.noise &&
                       product.dtype == task.sources.front().info.dtype &&
                       piece.source_scales[0].empty() && !product.scale;
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

/// An operand of the task: a source, or what was made before.
template <class Real>
void TileRunner<Real>::Load(const PieceInputs& piece, const Place& place, Register operand,
                            std::span<Real> tile) {
  const Task& task = *piece.task;
  if (operand >= task.sources.size()) {
    const std::span<const float> values = MadeBefore(piece, operand - task.sources.size());
    std::copy_n(values.subspan(place.at).data(), place.n, tile.data());
    return;
  }
  const DType dtype = task.sources[operand].info.dtype;
  const std::size_t size = Info(dtype).bits / 8;
  Decode(dtype, piece.sources[operand].bytes().subspan(place.at * size, place.n * size), tile);
  if (piece.source_scales[operand].empty()) return;
  ForEachScaled(task.sources[operand].scale->cells, piece.first + place.at,
                piece.source_scales[operand], tile,
                [](Real& value, float scale) { value *= static_cast<Real>(scale); });
}

template <class Real>
template <class Use>
void TileRunner<Real>::ForEachTile(const PieceInputs& piece, const Use& use) {
  for (std::uint64_t at = 0; at < piece.count; at += kTile) {
    use(Place{at, static_cast<std::size_t>(std::min<std::uint64_t>(kTile, piece.count - at))});
  }
}

/// All rows of some columns before those of the next ones, so that their results stay in the
/// first-level cache.
template <class Real>
template <class Use>
void TileRunner<Real>::ForEachTileByColumns(const PieceInputs& piece, std::uint64_t columns,
                                            const Use& use) {
  const std::uint64_t tiles = (columns + kTile - 1) / kTile;
  const std::uint64_t share = (columns + tiles - 1) / tiles;
  const std::uint64_t width = (share + kColumnStep - 1) / kColumnStep * kColumnStep;
  const std::uint64_t end = piece.first + piece.count;
  for (std::uint64_t column = 0; column < columns; column += width) {
    const std::uint64_t behind = std::min(column + width, columns);
    for (std::uint64_t row = piece.first / columns; row * columns < end; ++row) {
      const std::uint64_t from = std::max(piece.first, row * columns + column);
      const std::uint64_t to = std::min(end, row * columns + behind);
      if (from < to) use(Place{from - piece.first, static_cast<std::size_t>(to - from)});
    }
  }
}

template <class Real>
void TileRunner<Real>::LoadAll(const PieceInputs& piece, const Place& place,
                               std::span<const Register> operands) {
  for (std::size_t s = 0; s < operands.size(); ++s) {
    Load(piece, place, operands[s], Tile(s, place.n));
  }
}

template <class Real>
void TileRunner<Real>::GatherRows(const PieceInputs& piece, const RowValue& rows, const Tape& tape,
                                  std::span<float> values) {
  static const SlotValues kNone;
  ForEachTile(piece, [&](const Place& place) {
    LoadAll(piece, place, rows.operands);
    RunTape(tape, tiles_.all(), place.n, piece.first + place.at,
            piece.state != nullptr ? piece.state->slots() : kNone);
    std::ranges::transform(Tile(rows.value, place.n), values.subspan(place.at).begin(),
                           [](Real x) { return static_cast<float>(x); });
  });
}

template <class Real>
void TileRunner<Real>::RunPass(const PieceInputs& piece, const Place& place) {
  LoadAll(piece, place, piece.state->pass().operands);
  RunTape(piece.state->tape(), tiles_.all(), place.n, piece.first + place.at, piece.state->slots());
}

template <class Real>
void TileRunner<Real>::RunLast(const PieceInputs& piece, const Place& place) {
  const Task& task = *piece.task;
  const std::size_t operands = task.sources.size() + task.deltas.size();
  for (std::size_t s = 0; s < operands; ++s) {
    Load(piece, place, static_cast<Register>(s), Tile(s, place.n));
  }
  for (std::size_t k = 0; k < task.kept.size(); ++k) {
    Load(piece, place, static_cast<Register>(operands + task.kept[k]), Tile(operands + k, place.n));
  }
  const std::uint64_t first = piece.first + place.at;
  if (piece.state == nullptr) return RunTape(task.tape, tiles_.all(), place.n, first);
  RunTape(piece.state->tape(), tiles_.all(), place.n, first, piece.state->slots());
}

template <class Real>
void TileRunner<Real>::Gather(const PieceInputs& piece) {
  const auto gather = [&](const Place& place) {
    RunPass(piece, place);
    piece.state->Gather(piece.first + place.at, place.n, std::span<const Real>(tiles_.all()));
  };
  const std::optional<std::uint64_t> columns = piece.state->OrderedColumns();
  if (columns && *columns > kTile) {
    ForEachTileByColumns(piece, *columns, gather);
  } else {
    ForEachTile(piece, gather);
  }
  piece.state->EndGathered(piece.first + piece.count);
}

template <class Real>
void TileRunner<Real>::Sample(const PieceInputs& piece, std::span<const Register> registers,
                              std::vector<std::vector<float>>& samples) {
  ForEachTile(piece, [&](const Place& place) {
    RunPass(piece, place);
    for (std::size_t r = 0; r < registers.size(); ++r) {
      const std::span<const Real> tile = Tile(registers[r], place.n);
      const auto taken = static_cast<std::ptrdiff_t>(samples[r].size());
      samples[r].resize(samples[r].size() + place.n);
      std::ranges::transform(tile, samples[r].begin() + taken,
                             [](Real x) { return static_cast<float>(x); });
    }
  });
}

template <class Real>
void TileRunner<Real>::Compute(const PieceInputs& piece, NonFinitePolicy non_finite, bool effects,
                               std::span<const Buffer> results, std::uint64_t in_chunk,
                               ChunkResult& result) {
  const Task& task = *piece.task;
  const std::optional<float> strength = OnlyAddition(piece);
  ForEachTile(piece, [&](const Place& place) {
    const auto bytes = [&](std::size_t p) {
      const std::size_t size = Info(task.products[p].dtype).bits / 8;
      return results[p].bytes().subspan((in_chunk + place.at) * size, place.n * size);
    };
    if (effects && !task.findings.list.empty()) Look(piece, place, result);
    if (strength && BakeAtOnce(piece, place, *strength, effects, bytes(0), result)) return;
    RunLast(piece, place);
    for (std::size_t p = 0; p < task.products.size(); ++p) {
      const Product& product = task.products[p];
      if (!product.copy && !product.numbers) Store(piece, place, p, non_finite, bytes(p), result);
    }
    if (effects) Measure(piece, place, bytes(0), result);
  });
}

/// Counts what findings mark, in tiles that are looked at.
template <class Real>
void TileRunner<Real>::Look(const PieceInputs& piece, const Place& place, ChunkResult& result) {
  const Task& task = *piece.task;
  const Findings& findings = task.findings;
  const std::uint64_t first = piece.first + place.at;
  if (findings.tape.registers == 0 || !LooksAt(first, place.n, task.elements)) return;
  LoadAll(piece, place, findings.operands);
  if (piece.state == nullptr) {
    RunTape(findings.tape, tiles_.all(), place.n, first);
  } else {
    RunTape(piece.state->findings(), tiles_.all(), place.n, first, piece.state->slots());
  }
  for (std::size_t f = 0; f < findings.list.size(); ++f) {
    const Finding& finding = findings.list[f];
    if (!finding.marked) continue;
    const std::span<const Real> tile = Tile(*finding.marked, place.n);
    result.found[f] +=
        finding.mean ? SumShares(tile) : Found{.marked = CountMarked(tile), .seen = place.n};
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
void TileRunner<Real>::Store(const PieceInputs& piece, const Place& place, std::size_t number,
                             NonFinitePolicy non_finite, std::span<std::byte> out,
                             ChunkResult& result) {
  const Product& product = piece.task->products[number];
  const std::uint64_t first = piece.first + place.at;
  std::span<const Real> values = Tile(product.value, place.n);
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
  std::ranges::copy(values, scratch.begin());
  if (IsComputed(*piece.task, product.value)) UnifyNans(scratch);
  for (std::size_t i = 0; i < values.size(); ++i) {
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
  const Register whole = product.scale ? product.scale->unscaled : product.value;
  if (value == whole && !product.copy) return stored;
  const bool read = value < task.sources.size() && task.sources[value].info.dtype == product.dtype;
  if (read && piece.source_scales[value].empty() && !product.scale) {
    return piece.sources[value].bytes().subspan(place.at * size, place.n * size);
  }
  scratch.resize(place.n * size);
  std::span<const Real> values = Tile(value, place.n);
  if (product.scale || IsComputed(task, value)) {
    const std::span<Real> scaled = Scratch(1, place.n);
    std::ranges::copy(values, scaled.begin());
    if (product.scale) {
      ForEachScaled(product.scale->cells, piece.first + place.at,
                    piece.state->slots()[product.scale->slot], scaled,
                    [](Real& x, double scale) { x /= static_cast<Real>(scale); });
    }
    UnifyNans(scaled);
    values = scaled;
  }
  Encode(product.dtype, values, scratch);
  return scratch;
}

template class TileRunner<float>;
template class TileRunner<double>;

}  // namespace weightsmith::internal
