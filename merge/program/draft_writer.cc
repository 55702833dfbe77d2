#include "merge/program/draft_writer.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "merge/program/primitive.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kMostRegisters = std::numeric_limits<Register>::max();

// Where the keys of reductions, of given numbers and of what functions say begin, behind those of
// scalar operations.
constexpr std::uint64_t kReductionKey = 1000;
constexpr std::uint64_t kGivenKey = 2000;
constexpr std::uint64_t kToldKey = 3000;

/// A literal and a slot as one number each, to find what is known already.
void AppendKey(const Scalar& scalar, std::vector<std::uint64_t>& key) {
  key.push_back(std::bit_cast<std::uint64_t>(scalar.literal()));
  key.push_back(scalar.slot());
}

void AppendKey(const Grid& cells, std::vector<std::uint64_t>& key) {
  key.insert(key.end(), {cells.columns, cells.cell_rows, cells.cell_columns});
}

[[noreturn]] void FailForSize() {
  throw Error(ErrorCode::kResources, "the arithmetic of one tensor needs over 65,535 values",
              "Split the recipe: write an intermediate result and merge that.");
}

}  // namespace

DraftWriter::DraftWriter(Register sources) {
  draft_.tape.sources = sources;
  draft_.tape.registers = sources;
  draft_.levels.resize(sources);
}

/// The first pass whose tape can read it.
std::uint16_t DraftWriter::LevelOf(Scalar scalar) const {
  if (scalar.is_literal() || draft_.slots[scalar.slot()].given) return 0;
  return static_cast<std::uint16_t>(draft_.slots[scalar.slot()].level + 1);
}

/// The pass at the end of which all of them are known.
std::uint16_t DraftWriter::LevelOf(std::span<const Scalar> read) const {
  std::uint16_t level = 0;
  for (const Scalar& scalar : read) {
    if (!scalar.is_literal()) level = std::max(level, draft_.slots[scalar.slot()].level);
  }
  return level;
}

Slot DraftWriter::NewSlot(const SlotMaker& maker) {
  if (draft_.slots.size() == kNoSlot) FailForSize();
  draft_.slots.push_back(maker);
  return static_cast<Slot>(draft_.slots.size() - 1);
}

Value DraftWriter::Emit(OpCode code, std::array<Register, 3> in, std::array<Scalar, 2> scalar,
                        const Grid& cells, const RandomStream& stream) {
  std::vector<std::uint64_t> key{static_cast<std::uint64_t>(code), in[0], in[1], in[2]};
  for (const Scalar& s : scalar) AppendKey(s, key);
  AppendKey(cells, key);
  key.insert(key.end(), {stream.seed, stream.place});
  Tape& tape = draft_.tape;
  const auto [known, fresh] = known_.try_emplace(std::move(key), tape.registers);
  if (fresh) {
    if (tape.registers == kMostRegisters) FailForSize();
    std::uint16_t level = std::max(LevelOf(scalar[0]), LevelOf(scalar[1]));
    for (std::size_t i = 0; i < Inputs(code); ++i) level = std::max(level, draft_.levels[in[i]]);
    draft_.levels.push_back(level);
    tape.instructions.push_back({.code = code,
                                 .out = tape.registers++,
                                 .in = in,
                                 .scalar = {scalar[0].literal(), scalar[1].literal()},
                                 .slot = {scalar[0].slot(), scalar[1].slot()},
                                 .cells = cells,
                                 .stream = stream});
  }
  return Value::Of(known->second);
}

Scalar DraftWriter::Compute(const ScalarOp& operation) {
  std::vector<std::uint64_t> key{static_cast<std::uint64_t>(operation.code)};
  for (const Scalar& scalar : Reads(operation)) AppendKey(scalar, key);
  const auto [known, fresh] = known_slots_.try_emplace(std::move(key), kNoSlot);
  if (fresh) {
    known->second = NewSlot({LevelOf(Reads(operation)), false, draft_.scalars.size()});
    draft_.scalars.push_back(operation);
  }
  return Scalar::Of(known->second);
}

Scalar DraftWriter::Call(const ScalarFunction& function, std::vector<Scalar> in,
                         std::size_t index) {
  const Slot slot = NewSlot({LevelOf(in), false, draft_.scalars.size()});
  draft_.scalars.push_back({.code = ScalarCode::kFunction,
                            .function = &function,
                            .operands = std::move(in),
                            .index = index});
  return Scalar::Of(slot);
}

Scalar DraftWriter::Gather(const Reduction& reduction) {
  const auto [x, y] = reduction.in;
  std::vector<std::uint64_t> key{kReductionKey + static_cast<std::uint64_t>(reduction.code),
                                 x,
                                 y,
                                 static_cast<std::uint64_t>(reduction.rank.rule),
                                 std::bit_cast<std::uint64_t>(reduction.rank.fraction),
                                 std::bit_cast<std::uint64_t>(reduction.rank.second)};
  if (reduction.cells) AppendKey(*reduction.cells, key);
  const auto [known, fresh] = known_slots_.try_emplace(std::move(key), kNoSlot);
  if (fresh) {
    const std::uint16_t level = std::max(draft_.levels[x], draft_.levels[y]);
    known->second = NewSlot({level, true, draft_.reductions.size()});
    draft_.reductions.push_back(reduction);
  }
  return Scalar::Of(known->second);
}

Scalar DraftWriter::Given(std::uint32_t number) {
  const auto [known, fresh] = known_slots_.try_emplace({kGivenKey, number}, kNoSlot);
  if (fresh) known->second = NewSlot({.index = number, .given = true});
  return Scalar::Of(known->second);
}

Scalar DraftWriter::Told(Value transformed, std::size_t index) {
  const KeptMaker& maker = draft_.kept[draft_.read_as.at(transformed.reg())];
  const auto [known, fresh] = known_slots_.try_emplace({kToldKey, maker.index, index}, kNoSlot);
  if (fresh) {
    known->second =
        NewSlot({.level = maker.level, .index = maker.index, .told = true, .number = index});
  }
  return Scalar::Of(known->second);
}

KeptIndex DraftWriter::Keep(Register value) {
  const auto [known, fresh] =
      known_kept_.try_emplace(value, static_cast<KeptIndex>(draft_.kept.size()));
  if (fresh) draft_.kept.push_back({draft_.levels[value], false, value});
  return known->second;
}

void DraftWriter::Delay(Register source, KeptIndex kept) {
  draft_.waits_for[source] = kept;
  draft_.levels[source] = static_cast<std::uint16_t>(draft_.kept[kept].level + 1);
}

Value DraftWriter::Compute(Transform transform, std::span<const Register> in) {
  if (draft_.tape.registers == kMostRegisters) FailForSize();
  std::uint16_t level = 0;
  for (const Register value : in) {
    transform.in.push_back(Keep(value));
    level = std::max(level, draft_.kept[transform.in.back()].level);
  }
  transform.out = static_cast<KeptIndex>(draft_.kept.size());
  draft_.kept.push_back({level, true, draft_.transforms.size()});
  draft_.read_as[draft_.tape.registers] = transform.out;
  draft_.transforms.push_back(std::move(transform));
  draft_.levels.push_back(static_cast<std::uint16_t>(level + 1));
  return Value::Of(draft_.tape.registers++);
}

Value DraftWriter::ComputeRows(DraftRows rows) {
  if (draft_.tape.registers == kMostRegisters) FailForSize();
  const std::uint16_t level = draft_.levels[rows.in];
  draft_.read_as[draft_.tape.registers] = static_cast<KeptIndex>(draft_.kept.size());
  draft_.kept.push_back({.level = level, .index = draft_.rows.size(), .by_row = true});
  draft_.rows.push_back(std::move(rows));
  draft_.levels.push_back(level);
  return Value::Of(draft_.tape.registers++);
}

}  // namespace weightsmith::internal
