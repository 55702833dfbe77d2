// Runs a finished program on tensors of a tile at most, with its passes as the engine has them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "merge/run/task_state.h"
#include "tests/merge/tape_harness.h"

namespace weightsmith::internal {

/// What stands for the range over a model that a survey finds.
inline constexpr std::array kRangeFound{0.125, 0.875};

/// A plan of the program alone, of inputs that lie nowhere.
inline Plan PlanOf(const Lowering::Finished& program, const Shape& shape, Precision precision) {
  Plan plan;
  plan.policies.precision = precision;
  Task& task = plan.tasks.emplace_back();
  task.shape = shape;
  task.elements = ElementCount(shape).value_or(0);
  task.sources.resize(program.sources.size());
  task.tape = program.tape;
  task.passes = program.passes;
  task.kept = program.kept;
  task.rows = program.rows;
  task.slot_count = program.slot_count;
  task.kept_count = program.kept_count;
  task.given = program.given;
  return plan;
}

/// The values of the program's first result. REQUIRES: inputs of as many elements as the shape has,
/// at most kTile; no companions.
template <class T>
std::vector<T> RunProgram(const Lowering::Finished& program,
                          const std::vector<std::vector<T>>& inputs, const Shape& shape) {
  const Plan plan =
      PlanOf(program, shape, sizeof(T) == sizeof(float) ? Precision::kF32 : Precision::kF64);
  const std::size_t n = plan.tasks[0].elements;
  AdapterDigests digests;
  const Poll poll = [] {};
  TaskState state(plan, 0, digests, poll, kRangeFound);
  const std::size_t sources = program.sources.size();
  std::vector<std::vector<float>> rows(program.kept_count);
  const auto run_tape = [&](const Tape& tape, const std::vector<Register>& operands) {
    RegisterFile<T> registers(std::max<std::size_t>(tape.registers, 1));
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const auto tile = registers[static_cast<Register>(i)].first(n);
      if (operands[i] < sources) {
        std::ranges::copy(inputs.at(program.sources[operands[i]]), tile.begin());
        continue;
      }
      const auto kept = static_cast<KeptIndex>(operands[i] - sources);
      std::ranges::copy(rows[kept].empty() ? state.kept(kept) : std::span(rows[kept]),
                        tile.begin());
    }
    RunTape(tape, registers.all(), n, 0, state.slots());
    return registers;
  };
  const auto run = [&](const std::vector<Register>& operands) {
    const std::size_t pass = state.storing() ? program.passes.size() : state.number();
    for (const std::size_t index : RowsRead(plan.tasks[0], pass)) {
      const RowValue& own = program.rows[index];
      RegisterFile<T> registers = run_tape(state.rows(index), own.operands);
      std::vector<float>& values = rows[own.out];
      values.clear();
      for (const T value : registers[own.value].first(n)) {
        values.push_back(static_cast<float>(value));
      }
      own.call->MakeRowFunction(shape)->Compute(values);
    }
    return run_tape(state.tape(), operands);
  };

  while (!state.storing()) {
    RegisterFile<T> registers = run(state.pass().operands);
    std::vector<std::vector<float>> samples;
    const std::vector<Register> ranked = state.RegistersToSample();
    for (const Register r : ranked) {
      std::vector<float>& sample = samples.emplace_back();
      for (const T value : registers[r].first(n)) sample.push_back(static_cast<float>(value));
    }
    if (!ranked.empty()) state.Propose(ranked, samples);
    state.Gather(0, n, std::span<const T>(registers.all()));
    state.EndGathered(n);
    state.EndPass(poll);
  }
  if (program.results.at(0).zero()) return std::vector<T>(n, T{0});
  std::vector<Register> operands;
  for (std::size_t s = 0; s < sources; ++s) operands.push_back(static_cast<Register>(s));
  for (const KeptIndex kept : program.kept) {
    operands.push_back(static_cast<Register>(sources + kept));
  }
  RegisterFile<T> registers = run(operands);
  const auto result = registers[program.results[0].reg()].first(n);
  return {result.begin(), result.end()};
}

}  // namespace weightsmith::internal
