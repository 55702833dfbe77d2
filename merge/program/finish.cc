#include "merge/program/finish.h"

#include <algorithm>
#include <map>
#include <utility>

#include "merge/program/needs.h"
#include "merge/program/numbering.h"
#include "merge/program/primitive.h"

namespace weightsmith::internal {
namespace {

class Finisher {
 public:
  Finisher(const Draft& draft, std::span<const Value> results, std::span<const Slot> slots)
      : draft_(draft),
        results_(results),
        asked_(slots),
        needs_(draft),
        makers_(Makers(draft.tape)) {
    for (std::size_t p = 0; p < draft.tape.probes.size(); ++p) {
      probes_.emplace(draft.tape.probes[p].after, p);
    }
    for (const Value& result : results) {
      if (!result.zero()) needs_.AddRegister(result.reg());
    }
    for (const Slot slot : slots) needs_.AddSlot(slot);
    needs_.Close();
    ChooseFindings();
    NumberSourcesAndSlots();
  }

  FinishedProgram Finish() && {
    for (std::size_t level = 0; level < levels_.size(); ++level) AddPass(levels_[level]);
    AddRows();
    AddTape();
    AddFindings();
    return std::move(finished_);
  }

 private:
  /// What is done at the end of a pass, by numbers in the draft.
  struct Level {
    std::vector<Slot> slots;
    std::vector<KeptIndex> kept;
  };

  /// Those that cost nothing but scalars and, in some tiles, instructions.
  void ChooseFindings() {
    for (const Finding& finding : draft_.findings) {
      if (!finding.result || !needs_.HasRegister(*finding.result)) continue;
      std::vector<Scalar> numbers{finding.number};
      if (finding.of) numbers.push_back(*finding.of);
      if (finding.marked && !AddNumbersOfTape(*finding.marked, numbers)) continue;
      const auto gathered = [&](const Scalar& number) { return needs_.IsGathered(number); };
      if (!std::ranges::all_of(numbers, gathered)) continue;
      for (const Scalar& number : numbers) needs_.AddSlot(number.slot());
      findings_.push_back(&finding);
    }
  }

  /// The slots of all instructions that lead to a value; false where it reads what is not there.
  bool AddNumbersOfTape(Register value, std::vector<Scalar>& numbers) const {
    const std::vector<bool> used = Closure(std::span(&value, 1));
    for (Register r = 0; r < draft_.tape.registers; ++r) {
      if (!used[r]) continue;
      if (makers_[r] == nullptr) {
        const auto kept = draft_.read_as.find(r);
        if (kept == draft_.read_as.end() ? !needs_.HasRegister(r) : !needs_.HasKept(kept->second)) {
          return false;
        }
        continue;
      }
      for (const Slot slot : makers_[r]->slot) {
        if (slot != kNoSlot) numbers.push_back(Scalar::Of(slot));
      }
    }
    return true;
  }

  void NumberSourcesAndSlots() {
    for (Register source = 0; source < draft_.tape.sources; ++source) {
      if (!needs_.HasRegister(source)) continue;
      operands_[source] = static_cast<Register>(finished_.sources.size());
      finished_.sources.push_back(source);
    }
    new_slots_.assign(draft_.slots.size(), kNoSlot);
    for (std::size_t i = 0; i < draft_.slots.size(); ++i) {
      const auto slot = static_cast<Slot>(i);
      if (!needs_.HasSlot(slot)) continue;
      new_slots_[slot] = finished_.slot_count++;
      const SlotMaker& maker = draft_.slots[slot];
      if (maker.given) {
        finished_.given.push_back({new_slots_[slot], static_cast<std::uint32_t>(maker.index)});
        continue;
      }
      At(maker.level).slots.push_back(slot);
    }
    for (std::size_t i = 0; i < draft_.kept.size(); ++i) {
      const auto kept = static_cast<KeptIndex>(i);
      if (!needs_.HasKept(kept)) continue;
      finished_.whole[kept] = finished_.kept_count++;
      if (!draft_.kept[kept].by_row) At(draft_.kept[kept].level).kept.push_back(kept);
    }
    for (const auto& [source, kept] : draft_.read_as) {
      if (!needs_.HasKept(kept)) continue;
      operands_[source] =
          static_cast<Register>(finished_.sources.size() + finished_.whole.at(kept));
    }
    for (const Slot slot : asked_) finished_.slots.push_back(new_slots_[slot]);
  }

  Level& At(std::uint16_t level) {
    if (levels_.size() <= level) levels_.resize(level + std::size_t{1});
    return levels_[level];
  }

  /// All registers that lead to some, without what is behind sources and kept values.
  std::vector<bool> Closure(std::span<const Register> roots) const {
    std::vector<bool> used(draft_.tape.registers);
    std::vector<Register> open(roots.begin(), roots.end());
    while (!open.empty()) {
      const Register value = open.back();
      open.pop_back();
      if (used[value]) continue;
      used[value] = true;
      if (makers_[value] == nullptr) continue;
      for (const Register in : Reads(*makers_[value])) open.push_back(in);
    }
    return used;
  }

  std::vector<Register> SourcesAmong(const std::vector<bool>& used) const {
    std::vector<Register> sources;
    for (Register r = 0; r < draft_.tape.registers; ++r) {
      if (used[r] && makers_[r] == nullptr) sources.push_back(r);
    }
    return sources;
  }

  Scalar Renumber(const Scalar& scalar) const {
    return scalar.is_literal() ? scalar : Scalar::Of(new_slots_[scalar.slot()]);
  }

  void RenumberSlots(Tape& tape) const {
    for (Instruction& instruction : tape.instructions) {
      for (Slot& slot : instruction.slot) slot = slot == kNoSlot ? slot : new_slots_[slot];
    }
  }

  void AddPass(const Level& level) {
    std::vector<Register> roots;
    for (const Slot slot : level.slots) {
      const SlotMaker& maker = draft_.slots[slot];
      if (!maker.reduced) continue;
      const std::span<const Register> in = Reads(draft_.reductions[maker.index]);
      roots.insert(roots.end(), in.begin(), in.end());
    }
    for (const KeptIndex kept : level.kept) {
      const KeptMaker& maker = draft_.kept[kept];
      if (!maker.transformed) roots.push_back(static_cast<Register>(maker.index));
    }
    const std::vector<bool> used = Closure(roots);
    const std::vector<Register> sources = SourcesAmong(used);
    Pass pass;
    for (const Register source : sources) pass.operands.push_back(operands_.at(source));
    Numbering numbering(draft_.tape, used, sources, roots);
    pass.tape = numbering.TakeTape();
    RenumberSlots(pass.tape);
    for (const Slot slot : level.slots) AddSlot(slot, numbering, pass);
    for (const KeptIndex kept : level.kept) AddKept(kept, level, numbering, pass);
    finished_.passes.push_back(std::move(pass));
  }

  void AddSlot(Slot slot, const Numbering& numbering, Pass& pass) const {
    const SlotMaker& maker = draft_.slots[slot];
    if (maker.reduced) {
      Reduction reduction = draft_.reductions[maker.index];
      for (Register& in : reduction.in) in = numbering[in];
      reduction.out = new_slots_[slot];
      pass.reductions.push_back(reduction);
      return;
    }
    if (maker.told) return;
    ScalarOp operation = draft_.scalars[maker.index];
    for (Scalar& in : operation.in) in = Renumber(in);
    for (Scalar& in : operation.operands) in = Renumber(in);
    operation.out = new_slots_[slot];
    pass.scalars.push_back(std::move(operation));
  }

  void AddKept(KeptIndex kept, const Level& level, const Numbering& numbering, Pass& pass) const {
    const KeptMaker& maker = draft_.kept[kept];
    const KeptIndex number = finished_.whole.at(kept);
    if (!maker.transformed) {
      pass.kept.push_back({numbering[static_cast<Register>(maker.index)], number});
      return;
    }
    Transform transform = draft_.transforms[maker.index];
    for (KeptIndex& in : transform.in) in = finished_.whole.at(in);
    transform.out = number;
    for (const Slot slot : level.slots) {
      const SlotMaker& told = draft_.slots[slot];
      if (told.told && told.index == maker.index) {
        transform.told.push_back({told.number, new_slots_[slot]});
      }
    }
    pass.transforms.push_back(std::move(transform));
  }

  void AddRows() {
    for (const auto& [kept, number] : finished_.whole) {
      if (!draft_.kept[kept].by_row) continue;
      const DraftRows& rows = draft_.rows[draft_.kept[kept].index];
      const std::vector<bool> used = Closure(std::span(&rows.in, 1));
      const std::vector<Register> sources = SourcesAmong(used);
      RowValue own{.call = rows.call, .out = number};
      for (const Register source : sources) own.operands.push_back(operands_.at(source));
      Numbering numbering(draft_.tape, used, sources, std::span(&rows.in, 1));
      own.tape = numbering.TakeTape();
      RenumberSlots(own.tape);
      own.value = numbering[rows.in];
      finished_.rows.push_back(std::move(own));
    }
  }

  void AddTape() {
    // What a result needs is computed; and what a probe of that compares with, and so on.
    std::vector<bool> used(draft_.tape.registers);
    std::vector<bool> watched(draft_.tape.probes.size());
    std::vector<Register> held;
    std::vector<Register> open;
    for (const Value& result : results_) {
      if (!result.zero()) held.push_back(result.reg());
    }
    open = held;
    while (!open.empty()) {
      const Register value = open.back();
      open.pop_back();
      if (used[value]) continue;
      used[value] = true;
      if (makers_[value] != nullptr) {
        for (const Register in : Reads(*makers_[value])) open.push_back(in);
      }
      const auto [first, end] = probes_.equal_range(value);
      for (auto it = first; it != end; ++it) {
        watched[it->second] = true;
        held.push_back(value);
        held.push_back(draft_.tape.probes[it->second].before);
        open.push_back(held.back());
      }
    }
    std::vector<Register> sources = finished_.sources;
    for (const auto& [source, kept] : draft_.read_as) {
      if (!used[source]) continue;
      sources.push_back(source);
      finished_.kept.push_back(finished_.whole.at(kept));
    }
    Numbering numbering(draft_.tape, used, sources, held);
    finished_.tape = numbering.TakeTape();
    RenumberSlots(finished_.tape);
    for (std::size_t p = 0; p < watched.size(); ++p) {
      if (!watched[p]) continue;
      Probe probe = draft_.tape.probes[p];
      probe.after = numbering[probe.after];
      probe.before = numbering[probe.before];
      finished_.tape.probes.push_back(probe);
    }
    for (const Value& result : results_) {
      finished_.results.push_back(result.zero() ? result : Value::Of(numbering[result.reg()]));
    }
  }

  void AddFindings() {
    std::vector<Register> marked;
    for (const Finding* finding : findings_) {
      if (finding->marked) marked.push_back(*finding->marked);
    }
    const std::vector<bool> used = Closure(marked);
    const std::vector<Register> sources = SourcesAmong(used);
    Findings& findings = finished_.findings;
    for (const Register source : sources) findings.operands.push_back(operands_.at(source));
    Numbering numbering(draft_.tape, used, sources, marked);
    findings.tape = numbering.TakeTape();
    RenumberSlots(findings.tape);
    for (const Finding* chosen : findings_) {
      Finding& finding = findings.list.emplace_back(*chosen);
      finding.number = Renumber(finding.number);
      if (finding.of) finding.of = Renumber(*finding.of);
      if (finding.marked) finding.marked = numbering[*finding.marked];
      finding.result.reset();
    }
  }

  const Draft& draft_;
  std::span<const Value> results_;
  std::span<const Slot> asked_;
  Needs needs_;
  std::vector<const Instruction*> makers_;
  std::multimap<Register, std::size_t> probes_;  ///< by what they watch
  std::vector<const Finding*> findings_;         ///< that stay
  std::vector<Level> levels_;
  std::vector<Slot> new_slots_;
  std::map<Register, Register> operands_;  ///< of sources and kept values: what passes call them
  FinishedProgram finished_;
};

}  // namespace

FinishedProgram Finish(const Draft& draft, std::span<const Value> results,
                       std::span<const Slot> slots) {
  return Finisher(draft, results, slots).Finish();
}

}  // namespace weightsmith::internal
