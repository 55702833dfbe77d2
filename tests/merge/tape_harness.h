// What the tests of tapes share: registers with the alignment that kernels need, and steps of
// arithmetic that nothing vectorises or contracts.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "merge/program/lowering.h"
#include "merge/program/tape.h"

namespace weightsmith::internal {

/// Registers of one tile each.
template <class T>
class RegisterFile {
 public:
  explicit RegisterFile(std::size_t registers) : tiles_(registers) {}

  std::span<T> all() { return {tiles_.front().values, tiles_.size() * kTile}; }
  std::span<const T> all() const { return {tiles_.front().values, tiles_.size() * kTile}; }
  std::span<T, kTile> operator[](Register r) { return std::span<T, kTile>(tiles_[r].values); }

 private:
  struct alignas(64) Tile {
    T values[kTile] = {};
  };
  std::vector<Tile> tiles_;
};

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// The bits of a value; every NaN has the same, because which one an operation gives is not fixed.
template <class T>
BitsOf<T> Bits(T value) {
  return std::isnan(value) ? ~BitsOf<T>{0} : std::bit_cast<BitsOf<T>>(value);
}

template <class T>
std::vector<BitsOf<T>> Bits(std::span<const T> values) {
  std::vector<BitsOf<T>> bits;
  for (const T value : values) bits.push_back(Bits(value));
  return bits;
}

/// Runs a finished tape over inputs of one length, at most kTile; the values of its first result.
template <class T>
std::vector<T> RunOn(const Lowering::Finished& program, const std::vector<std::vector<T>>& inputs) {
  const std::size_t n = inputs.at(0).size();
  if (program.results.at(0).zero()) return std::vector<T>(n, T{0});
  RegisterFile<T> registers(program.tape.registers);
  for (std::size_t i = 0; i < program.sources.size(); ++i) {
    std::ranges::copy(inputs.at(program.sources[i]), registers[static_cast<Register>(i)].begin());
  }
  RunTape(program.tape, registers.all(), n, 0);
  const auto result = registers[program.results[0].reg()].first(n);
  return {result.begin(), result.end()};
}

}  // namespace weightsmith::internal
