// The arithmetic of one tensor as a short program over registers of one tile each. Registers
// 0..sources-1 hold the decoded sources and are never written; another register is written again
// only when nothing needs its former value, results and probes included.
//
// A tape is what a chain of steps of any depth becomes: it is run tile by tile, so that no step
// makes a tensor in memory, and only its results are rounded to a storage dtype.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/tensor/grid.h"
#include "merge/program/random.h"
#include "merge/program/scalar.h"

namespace weightsmith::internal {

/// Elements of a tile: several registers of it stay in the first-level cache.
inline constexpr std::size_t kTile = 1024;

/// Tile primitives: x, y, z are inputs, s, t scalars. Products and sums are rounded separately.
enum class OpCode : std::uint8_t {
  kConstant,         ///< s
  kScale,            ///< s·x
  kDivide,           ///< x / s
  kAdd,              ///< x + y
  kSubtract,         ///< x - y
  kMultiply,         ///< x·y
  kBlend,            ///< s·x + t·y
  kAddScaled,        ///< x + s·y
  kAddDifference,    ///< x + s·(y - z)
  kTrainDifference,  ///< x + (s·(y-z))·(|y-x| / (|y-z|+|y-x|)), ratio 0 where 0/0
  kMin,              ///< the lesser of x and y
  kMax,              ///< the greater of x and y
  kMagnitude,        ///< |x|
  kSquareRoot,       ///< √x
  kOrElse,           ///< x, y where x is NaN
  // In f64, whatever the precision of the tile, then rounded to it.
  kExponential,        ///< e^x
  kLogarithm,          ///< ln x
  kHyperbolicTangent,  ///< tanh x
  kCosine,             ///< cos x
  kPower,              ///< x^s; NaN for an x below 0
  kPowerOf,            ///< x^y; likewise
  kKeepExtra,     ///< x in the first shared columns of a row, y in the others (see Instruction)
  kQuotient,      ///< x / y, x where y is 0
  kKeepAtLeast,   ///< x where |x| ≥ s, else 0
  kKeepSign,      ///< x where it has the sign of y, else 0; a y of 0 has +, an x of 0 has none
  kWhereNotZero,  ///< s where x is not 0, else 0
  kSpread,        ///< the number of its cell in a slot (see Instruction)
  kUniform,       ///< a random number in [0, 1), of `stream`
  kNormal,        ///< a random number of mean 0 and deviation 1, of `stream`
  kKeepBelow,     ///< x where y < z, else 0
  kKeepAtMost,    ///< x where |x| ≤ s, else 0
  kChoose,        ///< y where x is not 0, else z
  kSign,          ///< 1, -1 or 0 with x; 0 of a NaN
  kKeepLargest,   ///< the s largest |x| of every t elements, else 0; t divides a tile (groups.h)
};

using Register = std::uint16_t;

struct Instruction {
  OpCode code = OpCode::kConstant;
  Register out = 0;
  std::array<Register, 3> in{};
  std::array<double, 2> scalar{};  ///< already rounded to the working precision
  /// Where a scalar is not known to the plan, what it is bound to before the tape runs.
  std::array<Slot, 2> slot{kNoSlot, kNoSlot};
  /// kKeepExtra: a row has scalar[0] elements, of which the first scalar[1] are shared.
  /// kSpread: slot[0] has the numbers of `cells`.
  Grid cells{};
  RandomStream stream{};  ///< kUniform, kNormal

  bool operator==(const Instruction&) const = default;
};

/// What a step did to a tensor: how `after` differs from `before`, or from zero, and how large
/// `before` is, which the change is relative to.
struct Probe {
  std::uint32_t step = 0;  ///< index in Plan::steps
  Register before = 0;
  Register after = 0;
  bool against_zero = false;  ///< a difference: counts elements that are not zero
  /// Of a module of an adapter: its index in Plan::applied, and the elements of the tensor that it
  /// is for. A count of 0 is all of them.
  std::optional<std::uint32_t> applied{};
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  bool operator==(const Probe&) const = default;
};

struct Tape {
  Register sources = 0;    ///< registers that are filled before the tape runs
  Register registers = 0;  ///< in all
  std::vector<Instruction> instructions{};
  std::vector<Probe> probes{};

  bool operator==(const Tape&) const = default;
};

/// Sums of a probe. `changed` counts elements whose value differs (NaN equals NaN, -0 equals 0);
/// where a value is not finite, the sums of squares are not either.
struct Effect {
  std::uint64_t elements = 0;
  std::uint64_t changed = 0;
  double change_squares = 0;  ///< Σ (after - before)²
  double before_squares = 0;  ///< Σ before², of the tensor the change is relative to
  std::uint64_t rounded = 0;  ///< of an adapter's module: elements that differ as they are stored

  Effect& operator+=(const Effect& other);
};

/// The tape with the numbers that its slots have; they are rounded to f32 unless `wide`.
Tape Bind(const Tape& tape, const SlotValues& slots, bool wide);

/// Runs a tape on tiles. `registers` holds tape.registers tiles of kTile elements, 64-byte aligned,
/// of which the sources are filled with n elements; `first` is the index of the tile's first
/// element in its tensor (kKeepExtra, kSpread and random numbers need it). Results do not depend on
/// the instruction set. REQUIRES: no slots, but those of cells, which are in `slots`.
void RunTape(const Tape& tape, std::span<float> registers, std::size_t n, std::uint64_t first,
             const SlotValues& slots = {});
void RunTape(const Tape& tape, std::span<double> registers, std::size_t n, std::uint64_t first,
             const SlotValues& slots = {});

/// The sums of one probe over one tile. Squares are summed in the precision of the tile in 16
/// lanes, then folded in f64: the same on every instruction set.
Effect MeasureTile(const Probe& probe, std::span<const float> registers, std::size_t n);
Effect MeasureTile(const Probe& probe, std::span<const double> registers, std::size_t n);

/// Counts elements whose magnitude is not below `limit`; a NaN counts.
std::size_t CountNotBelow(std::span<const float> values, float limit);
std::size_t CountNotBelow(std::span<const double> values, double limit);

/// Counts elements of `size` bytes (1, 2, 4 or 8) that differ. REQUIRES: as many of both, where
/// such elements may lie.
std::size_t CountDifferent(std::span<const std::byte> a, std::span<const std::byte> b,
                           std::size_t size);

}  // namespace weightsmith::internal
