#include "merge/run/run_fingerprint.h"

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/version.h"

namespace weightsmith::internal {
namespace {

/// Feeds values to a digest in a form from which each can be read back: lengths come first.
class Printer {
 public:
  Printer& Add(std::string_view text) {
    Add(text.size());
    stream_.Update(std::as_bytes(std::span(text)));
    return *this;
  }
  Printer& Add(const std::string& text) { return Add(std::string_view(text)); }
  Printer& Add(const char* text) { return Add(std::string_view(text)); }
  Printer& Add(double number) { return Add(std::bit_cast<std::uint64_t>(number)); }
  template <std::integral Number>
  Printer& Add(Number number) {
    const auto wide = static_cast<std::uint64_t>(number);
    stream_.Update(std::as_bytes(std::span(&wide, 1)));
    return *this;
  }
  template <class Value>
  Printer& Add(const std::optional<Value>& value) {
    Add(value.has_value());
    if (value) Add(*value);
    return *this;
  }
  template <class Value>
  Printer& Add(const std::vector<Value>& values) {
    Add(values.size());
    for (const Value& value : values) Add(value);
    return *this;
  }
  template <class First, class Second>
  Printer& Add(const std::pair<First, Second>& pair) {
    return Add(pair.first).Add(pair.second);
  }
  Printer& Add(const GatherAxis& axis) { return Add(axis.size).Add(axis.stride); }
  Printer& Add(const GatherRun& run) { return Add(run.file).Add(run.offset).Add(run.axes); }
  Printer& Add(const std::shared_ptr<const Gather>& gather) {
    Add(gather != nullptr);
    return gather == nullptr ? *this : Add(*gather);
  }
  Printer& Add(const TensorInfo& info) { return Add(Info(info.dtype).name).Add(info.shape); }
  Printer& Add(const Segment& segment) {
    return Add(segment.first).Add(segment.count).Add(segment.stored).Add(segment.zeros);
  }
  Printer& Add(const Grid& cells) {
    return Add(cells.columns).Add(cells.cell_rows).Add(cells.cell_columns);
  }
  Printer& Add(const StoredScale& scale) {
    return Add(scale.file).Add(scale.offset).Add(scale.info).Add(scale.cells);
  }
  Printer& Add(const Source& source) {
    Add(source.model).Add(source.part).Add(source.tensor).Add(source.file).Add(source.offset);
    return Add(source.info).Add(source.gather).Add(source.segments).Add(source.scale);
  }
  Printer& Add(const Instruction& step) {
    Add(static_cast<std::uint64_t>(step.code)).Add(step.out);
    for (const Register in : step.in) Add(in);
    for (const double scalar : step.scalar) Add(scalar);
    for (const Slot slot : step.slot) Add(slot);
    if (step.code == OpCode::kSpread) Add(step.cells);
    return Add(step.stream.seed).Add(step.stream.place);
  }
  Printer& Add(const Scalar& scalar) { return Add(scalar.literal()).Add(scalar.slot()); }
  Printer& Add(const ScalarOp& operation) {
    Add(static_cast<std::uint64_t>(operation.code)).Add(operation.out);
    for (const Scalar& in : operation.in) Add(in);
    if (operation.function == nullptr) return *this;
    Add(operation.function->name).Add(static_cast<std::uint64_t>(operation.index));
    return Add(operation.operands);
  }
  Printer& Add(const Reduction& reduction) {
    Add(static_cast<std::uint64_t>(reduction.code)).Add(reduction.cells);
    for (const Register in : reduction.in) Add(in);
    Add(static_cast<std::uint64_t>(reduction.rank.rule)).Add(reduction.rank.fraction);
    return Add(reduction.rank.second).Add(reduction.out);
  }
  Printer& Add(const KeptRegister& kept) { return Add(kept.value).Add(kept.out); }
  Printer& Add(const ToldNumber& told) {
    return Add(static_cast<std::uint64_t>(told.index)).Add(told.out);
  }
  Printer& Add(const Transform& transform) {
    return Add(transform.call->name())
        .Add(transform.call->Numbers())
        .Add(transform.in)
        .Add(transform.companions)
        .Add(transform.out)
        .Add(transform.told);
  }
  Printer& Add(const RowValue& rows) {
    Add(rows.call->name()).Add(rows.call->Numbers()).Add(rows.tape);
    return Add(rows.operands).Add(rows.value).Add(rows.out);
  }
  Printer& Add(const Pass& pass) {
    Add(pass.tape).Add(pass.operands).Add(pass.reductions).Add(pass.kept);
    return Add(pass.transforms).Add(pass.scalars);
  }
  Printer& Add(const Probe& probe) {
    Add(probe.step).Add(probe.before).Add(probe.after).Add(probe.against_zero);
    return Add(probe.applied).Add(probe.first).Add(probe.count);
  }
  Printer& Add(const Tape& tape) {
    return Add(tape.sources).Add(tape.registers).Add(tape.instructions).Add(tape.probes);
  }
  Printer& Add(const RowMap& rows) { return Add(rows.theirs).Add(rows.ours).Add(rows.count); }
  Printer& Add(const PeftNumbers& numbers) {
    Add(numbers.alpha).Add(numbers.rank).Add(numbers.rank_stabilised).Add(numbers.fan_in_fan_out);
    Add(numbers.cayley_neumann).Add(numbers.neumann_terms).Add(numbers.coft).Add(numbers.eps);
    return Add(numbers.feedforward);
  }
  Printer& Add(const AdapterModule& module) {
    Add(module.stem).Add(module.name).Add(module.family->id).Add(module.tensors.size());
    for (const auto& [role, tensor] : module.tensors) {
      Add(static_cast<std::uint64_t>(role)).Add(tensor);
    }
    Add(module.shapes.size());
    for (const auto& [role, shape] : module.shapes)
      Add(static_cast<std::uint64_t>(role)).Add(shape);
    Add(module.rank).Add(module.alpha).Add(module.scale).Add(module.on_bias);
    return Add(module.peft);
  }
  Printer& Add(const AdapterPart& part) {
    Add(*part.module).Add(static_cast<std::uint64_t>(part.target));
    return Add(part.rows).Add(part.transposed);
  }
  Printer& Add(const DeltaSource& delta) {
    Add(delta.model).Add(delta.shape).Add(delta.parts).Add(delta.strength).Add(delta.replaces);
    return Add(delta.weight);
  }
  Printer& Add(const Product& product) {
    Add(product.file).Add(product.offset).Add(Info(product.dtype).name).Add(product.value);
    Add(product.copy).Add(product.noise).Add(product.name).Add(product.scale.has_value());
    if (product.scale) Add(product.scale->slot).Add(product.scale->cells);
    Add(product.numbers.has_value());
    if (product.numbers) Add(product.numbers->slot).Add(product.numbers->shape);
    return Add(product.scatter);
  }
  Printer& Add(const Finding& finding) {
    Add(finding.label).Add(static_cast<std::uint64_t>(finding.unit)).Add(finding.number);
    Add(finding.of).Add(finding.marked).Add(finding.mean);
    return Add(finding.step).Add(finding.operand);
  }
  Printer& Add(const Findings& findings) {
    return Add(findings.tape).Add(findings.operands).Add(findings.list);
  }
  Printer& Add(const Task& task) {
    Add(task.name).Add(task.component).Add(task.shape).Add(task.elements).Add(task.sources);
    Add(task.companions);
    Add(task.deltas).Add(task.tape).Add(task.products).Add(task.passes).Add(task.kept);
    Add(task.rows);
    Add(task.slot_count).Add(task.kept_count).Add(task.findings);
    Add(task.given.size());
    for (const GivenSlot& given : task.given) Add(given.slot).Add(given.number);
    Add(task.surveyed.has_value());
    if (!task.surveyed) return *this;
    Add(task.surveyed->slot);
    return task.surveyed->second == kNoSlot ? *this : Add(task.surveyed->second);
  }
  Digest Finish() const { return stream_.Finish(); }

 private:
  Xxh3Stream stream_;
};

Digest Program() {
  return Printer().Add(Version()).Add(BuildId()).Finish();
}

Digest PlanPrint(const Plan& plan, bool effects) {
  Printer print;
  print.Add(effects);
  print.Add(static_cast<std::uint64_t>(plan.policies.precision));
  print.Add(static_cast<std::uint64_t>(plan.policies.non_finite));
  print.Add(static_cast<std::uint64_t>(plan.policies.effect));
  for (const Model& model : plan.models) {
    print.Add(model.name).Add(model.adapter != nullptr);
  }
  for (const StepPlan& step : plan.steps) {
    print.Add(step.name).Add(step.op).Add(step.expects_effect).Add(step.all_weights_zero);
  }
  print.Add(plan.tasks);
  for (const Survey& survey : plan.surveys) print.Add(survey.step).Add(survey.plan->tasks);
  for (const OutputFilePlan& file : plan.output_files) {
    print.Add(file.output).Add(file.layout.header).Add(file.layout.file_size);
  }
  return print.Finish();
}

void AddContent(const ByteSource& source, Printer& print) {
  constexpr std::uint64_t kPiece = 1 << 20;
  std::string piece;
  for (std::uint64_t at = 0; at < source.size(); at += kPiece) {
    piece.resize(std::min(kPiece, source.size() - at));
    source.Read(at, std::as_writable_bytes(std::span(piece)));
    print.Add(piece);
  }
}

void Add(const FileIdentity& file, Printer& print) {
  print.Add(file.device).Add(file.inode).Add(file.size);
  print.Add(file.modified_ns).Add(file.changed_ns);
}

Digest InputsPrint(const Plan& plan) {
  Printer print;
  for (const auto& file : plan.files) {
    print.Add(file->substituted());
    Add(file->identity(), print);
    // Nothing but the bytes says whether a tensor in memory is as it was.
    if (file->descriptor() < 0) AddContent(*file, print);
  }
  for (const Model& model : plan.models) {
    if (model.adapter == nullptr || !model.adapter->peft.file) continue;
    if (const auto identity = IdentifyFile(*model.adapter->peft.file)) Add(*identity, print);
  }
  return print.Finish();
}

Digest OutputsPrint(const Plan& plan) {
  Printer print;
  for (const OutputFilePlan& file : plan.output_files) print.Add(file.path.string());
  return print.Finish();
}

}  // namespace

RunFingerprint FingerprintOf(const Plan& plan, bool effects) {
  return {.program = Program(),
          .plan = PlanPrint(plan, effects),
          .inputs = InputsPrint(plan),
          .outputs = OutputsPrint(plan)};
}

std::string DifferenceOf(const RunFingerprint& before, const RunFingerprint& now) {
  if (before.program != now.program) return "it was written by another version of the program";
  if (before.outputs != now.outputs) return "it is of a run with other outputs";
  if (before.plan != now.plan) return "it is of another recipe, or of other parameters";
  return "an input has changed since";
}

}  // namespace weightsmith::internal
