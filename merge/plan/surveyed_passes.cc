#include "merge/plan/surveyed_passes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string_view>

namespace weightsmith::internal {
namespace {

/// Of a run: 64 MiB. All columns of SDXL take three quarters of that.
constexpr std::uint64_t kMostNumbers = std::uint64_t{1} << 23;

bool IsFixed(const Instruction& instruction) {
  return std::ranges::all_of(instruction.slot, [](Slot slot) { return slot == kNoSlot; });
}

/// Whether its numbers are complete when the pass has ended, and few.
bool IsKeepable(const Reduction& reduction, std::uint64_t elements) {
  const bool rows = reduction.cells && reduction.cells->IsRows();
  return reduction.code != ReductionCode::kRanked &&
         (!rows || reduction.cells->CellCount(elements) == 1);
}

bool SameOperand(const Task& a, Register of_a, const Task& b, Register of_b) {
  if (of_a >= a.sources.size() || of_b >= b.sources.size()) return false;
  const Source& x = a.sources[of_a];
  const Source& y = b.sources[of_b];
  return x.model == y.model && x.part == y.part && x.tensor == y.tensor;
}

/// But for the slots that they fill.
bool SameReduction(Reduction a, const Reduction& b) {
  a.out = b.out;
  return a == b;
}

bool SamePass(const Task& a, const Task& b, std::size_t number) {
  const Pass& x = a.passes[number];
  const Pass& y = b.passes[number];
  const auto keepable = [&](const Reduction& reduction) {
    return IsKeepable(reduction, a.elements);
  };
  return x.kept.empty() && y.kept.empty() && x.transforms.empty() && y.transforms.empty() &&
         std::ranges::all_of(x.tape.instructions, IsFixed) && x.tape == y.tape &&
         std::ranges::equal(
             x.operands, y.operands,
             [&](Register of_a, Register of_b) { return SameOperand(a, of_a, b, of_b); }) &&
         std::ranges::all_of(x.reductions, keepable) &&
         std::ranges::equal(x.reductions, y.reductions, SameReduction);
}

std::size_t SamePasses(const Task& a, const Task& b) {
  const std::size_t most = std::min(a.passes.size(), b.passes.size());
  std::size_t same = 0;
  while (same < most && SamePass(a, b, same)) ++same;
  return same;
}

std::uint64_t NumbersOf(const Task& task, std::size_t passes) {
  std::uint64_t numbers = 0;
  for (const Pass& pass : std::span(task.passes).first(passes)) {
    for (const Reduction& reduction : pass.reductions) {
      numbers += reduction.cells.value_or(Grid::Whole(task.elements)).CellCount(task.elements);
    }
  }
  return numbers;
}

}  // namespace

void FindSurveyedPasses(Plan& plan) {
  std::uint64_t left = kMostNumbers;
  for (std::size_t s = 0; s < plan.surveys.size(); ++s) {
    Survey& survey = plan.surveys[s];
    const auto own = std::make_shared<Plan>(*survey.plan);
    std::map<std::string_view, std::uint32_t> numbered;
    for (const Task& task : own->tasks) {
      numbered.emplace(task.name, static_cast<std::uint32_t>(numbered.size()));
    }
    for (Task& task : plan.tasks) {
      const auto needs = [&](const GivenSlot& slot) {
        return slot.number == FirstGiven(survey.step) || slot.number == FirstGiven(survey.step) + 1;
      };
      if (task.surveyed_passes || std::ranges::none_of(task.given, needs)) continue;
      const auto found = numbered.find(task.name);
      if (found == numbered.end()) continue;
      Task& twin = own->tasks[found->second];
      const std::size_t passes = SamePasses(task, twin);
      // Another output's task may have had fewer of the same.
      std::size_t& kept = twin.surveyed->passes_to_keep;
      const std::uint64_t numbers = NumbersOf(task, passes);
      if (passes == 0 || numbers > left || (kept != 0 && kept != passes)) continue;
      if (kept == 0) left -= numbers;
      kept = passes;
      task.surveyed_passes = {.survey = static_cast<std::uint32_t>(s),
                              .task = found->second,
                              .count = passes,
                              .numbers = numbers};
    }
    survey.plan = own;
  }
}

}  // namespace weightsmith::internal
