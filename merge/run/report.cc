#include "merge/run/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "core/formats/safetensors/layout.h"
#include "core/formats/tensor_digest.h"

namespace weightsmith::internal {
namespace {

void ReportInputs(const Plan& plan, const std::vector<TaskResult>& results,
                  const AdapterDigests& adapters, Report& report) {
  // By model and part, then by tensor name: the order that the digest is defined in.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::map<std::string_view, const Digest*>> read;
  for (std::size_t t = 0; t < results.size(); ++t) {
    for (std::size_t s = 0; s < plan.tasks[t].sources.size(); ++s) {
      const Source& source = plan.tasks[t].sources[s];
      const Checkpoint& checkpoint = *plan.models[source.model].parts[source.part].checkpoint;
      read[{source.model, source.part}][checkpoint.tensors()[source.tensor].name] =
          results[t].sources.empty() ? nullptr : &results[t].sources[s];
    }
  }
  const auto tensors_read = TensorsRead(plan);
  const bool taken = std::ranges::none_of(
      results, [](const TaskResult& result) { return result.products.empty(); });
  for (std::uint32_t m = 0; m < plan.models.size(); ++m) {
    for (std::uint32_t p = 0; p < plan.models[m].parts.size(); ++p) {
      const Checkpoint& checkpoint = *plan.models[m].parts[p].checkpoint;
      InputReport input{.model = plan.models[m].name,
                        .path = checkpoint.path(),
                        .digest = std::nullopt,
                        .tensors = checkpoint.tensors().size()};
      SetDigest digest;
      const auto& sources = read[{m, p}];
      input.tensors_read = tensors_read[m][p].size();
      const bool digests =
          sources.empty() ? taken : std::ranges::none_of(sources, [](const auto& source) {
            return source.second == nullptr;
          });
      // Tensors are sorted by name. Those of adapters, scales and what functions compare with are
      // no sources of a task, which has the digests of these.
      for (const std::uint32_t tensor : tensors_read[m][p]) {
        if (!digests) break;
        const CheckpointTensor& stored = checkpoint.tensors()[tensor];
        const auto source = sources.find(stored.name);
        if (source != sources.end()) {
          digest.Add(stored.name, *source->second);
          continue;
        }
        const std::optional<Digest> known = adapters.Find(m, tensor);
        digest.Add(stored.name, known ? *known : DigestOf(checkpoint, stored));
      }
      if (digests && input.tensors_read > 0) input.digest = digest.Finish();
      report.inputs.push_back(std::move(input));
    }
  }
}

void ReportSteps(const Plan& plan, const std::vector<TaskResult>& results, Report& report) {
  for (const StepPlan& step : plan.steps) {
    report.steps.push_back({.name = step.name,
                            .op = step.op,
                            .seed = step.seed,
                            .effect = {},
                            .integers = step.integers,
                            .missing = step.missing});
  }
  report.applied.resize(plan.applied.size());
  for (std::size_t t = 0; t < results.size(); ++t) {
    const Task& task = plan.tasks[t];
    for (std::size_t p = 0; p < task.tape.probes.size(); ++p) {
      if (const auto applied = task.tape.probes[p].applied) {
        if (p < results[t].effects.size()) report.applied[*applied] += results[t].effects[p];
        continue;
      }
      StepReport& step = report.steps[task.tape.probes[p].step];
      const Effect& effect = results[t].effects[p];
      ++step.tensors;
      if (effect.changed > 0) ++step.tensors_changed;
      step.effect += effect;
    }
  }
}

/// Numbers of tensors of one component, as they are folded into one.
class FindingSums {
 public:
  void Add(const Found& found, std::uint64_t elements) {
    const double value = found.Value();
    if (!std::isfinite(value)) return;
    const auto weight = static_cast<double>(elements);
    ++tensors_;
    elements_ += weight;
    sum_ += weight * value;
    of_ += weight * found.of;
    lowest_ = std::min(lowest_, value);
    highest_ = std::max(highest_, value);
  }

  /// Nothing where no tensor has it.
  std::optional<FindingReport> Fold(std::string_view component, const Finding& finding) const {
    if (tensors_ == 0 || (finding.rare && highest_ == 0)) return std::nullopt;
    // Rounding may not move the mean out of the range.
    const double mean = elements_ > 0 ? std::clamp(sum_ / elements_, lowest_, highest_) : lowest_;
    return FindingReport{.component = std::string(component),
                         .label = std::string(finding.label),
                         .operand = finding.operand,
                         .unit = finding.unit,
                         .tensors = tensors_,
                         .lowest = lowest_,
                         .mean = mean,
                         .highest = highest_,
                         .of = OfCount(of_ / elements_)};
  }

  static std::optional<double> OfCount(double of) {
    return std::isfinite(of) ? std::optional(of) : std::nullopt;
  }

 private:
  std::uint64_t tensors_ = 0;
  double elements_ = 0;
  double sum_ = 0;
  double of_ = 0;
  double lowest_ = std::numeric_limits<double>::infinity();
  double highest_ = -std::numeric_limits<double>::infinity();
};

/// Tasks in the order of the plan: sums are the same on any number of threads.
void ReportFindings(const Plan& plan, const std::vector<TaskResult>& results, Report& report) {
  using Key = std::tuple<std::uint32_t, std::string_view, std::string_view, std::string_view>;
  struct OfComponent {
    std::string_view component;
    const Finding* finding;
    FindingSums sums;
  };
  std::vector<OfComponent> all;
  std::map<Key, std::size_t> places;
  for (std::size_t t = 0; t < results.size(); ++t) {
    const Task& task = plan.tasks[t];
    for (std::size_t f = 0; f < results[t].found.size(); ++f) {
      const Finding& finding = task.findings.list[f];
      const Key key{finding.step, task.component, finding.label, finding.operand};
      const auto [place, fresh] = places.try_emplace(key, all.size());
      if (fresh) all.push_back({task.component, &finding, {}});
      all[place->second].sums.Add(results[t].found[f], task.elements);
    }
  }
  for (const OfComponent& each : all) {
    std::vector<FindingReport>& findings = report.steps[each.finding->step].findings;
    if (auto folded = each.sums.Fold(each.component, *each.finding)) {
      findings.push_back(*std::move(folded));
    }
  }
  for (StepReport& step : report.steps) {
    std::ranges::stable_sort(step.findings, {}, &FindingReport::component);
  }
}

void AddFindings(const Plan& plan, const Task& task, const TaskResult& result,
                 TensorReport& tensor) {
  for (std::size_t f = 0; f < result.found.size(); ++f) {
    const Finding& finding = task.findings.list[f];
    const Found& found = result.found[f];
    if (!std::isfinite(found.Value()) || (finding.rare && found.Value() == 0)) continue;
    tensor.findings.push_back({.step = plan.steps[finding.step].name,
                               .label = std::string(finding.label),
                               .operand = finding.operand,
                               .unit = finding.unit,
                               .value = found.Value(),
                               .of = FindingSums::OfCount(found.of)});
  }
}

/// Whether a step of the task changed an element; of an adapter, whether it did itself.
bool Changed(const Plan& plan, const Task& task, const TaskResult& result, std::uint32_t model) {
  const bool adapter = plan.models[model].adapter != nullptr;
  for (std::size_t p = 0; p < task.tape.probes.size() && p < result.effects.size(); ++p) {
    const auto applied = task.tape.probes[p].applied;
    if (applied.has_value() != adapter || result.effects[p].changed == 0) continue;
    if (!adapter || plan.applied[*applied].model == model) return true;
  }
  return false;
}

/// What became of each input.
void ReportUses(const Plan& plan, const std::vector<TaskResult>& results, Report& report) {
  using Key = std::pair<std::uint32_t, std::uint32_t>;  // model and part
  std::map<Key, InputReport*> inputs;
  std::map<Key, std::set<std::uint32_t>> steps;
  auto input = report.inputs.begin();
  for (std::uint32_t m = 0; m < plan.models.size(); ++m) {
    for (std::uint32_t p = 0; p < plan.models[m].parts.size(); ++p) inputs[{m, p}] = &*input++;
  }
  for (std::size_t t = 0; t < results.size(); ++t) {
    const Task& task = plan.tasks[t];
    std::set<Key> operands;
    bool computed = false;
    for (const Product& product : task.products) {
      computed = computed || !product.copy;
      if (!product.copy) continue;
      const Source& source = task.sources[*product.copy];
      ++inputs.at({source.model, source.part})->tensors_copied;
    }
    if (!computed) continue;
    for (const Source& source : task.sources) operands.emplace(source.model, source.part);
    for (const Source* source : CompanionsRead(task)) operands.emplace(source->model, source->part);
    for (const DeltaSource& delta : task.deltas) operands.emplace(delta.model, 0);
    for (const auto& key : operands) {
      InputReport& use = *inputs.at(key);
      ++use.tensors_computed;
      use.tensors_changed += Changed(plan, task, results[t], key.first) ? 1 : 0;
      if (plan.models[key.first].adapter != nullptr) continue;
      for (const Probe& probe : task.tape.probes) {
        if (!probe.applied) steps[key].insert(probe.step);
      }
    }
  }
  for (const AppliedModule& module : plan.applied) {
    steps[{module.model, 0}].insert(module.step);
  }
  for (const auto& [key, of_input] : steps) {
    for (const std::uint32_t step : of_input) {
      inputs.at(key)->steps.push_back(plan.steps[step].name);
    }
  }
}

void ReportOutputs(const Plan& plan, const std::vector<TaskResult>& results, Report& report) {
  std::vector<std::map<std::string_view, const Digest*>> digests(plan.output_files.size());
  for (std::size_t f = 0; f < plan.output_files.size(); ++f) {
    const HeaderLayout& layout = plan.output_files[f].layout;
    report.outputs.push_back({.path = plan.output_files[f].path,
                              .bytes = layout.file_size,
                              .tensors = layout.tensors.size(),
                              .digest = std::nullopt,
                              .sha256 = std::nullopt});
  }
  bool complete = true;
  std::vector<std::uint64_t> products(plan.output_files.size());
  for (std::size_t t = 0; t < results.size(); ++t) {
    for (std::size_t p = 0; p < plan.tasks[t].products.size(); ++p) {
      const Product& product = plan.tasks[t].products[p];
      ++products[product.file];
      if (product.copy) ++report.outputs[product.file].tensors_copied;
      if (results[t].products.empty()) complete = false;
      // Tensors without elements have no digest.
      if (results[t].products.empty() || plan.tasks[t].elements == 0) continue;
      digests[product.file][product.name] = &results[t].products[p];
    }
  }
  // In another naming a file may have more tensors, or fewer, than are made for it.
  for (std::size_t f = 0; f < products.size(); ++f) {
    OutputReport& output = report.outputs[f];
    if (output.tensors_copied == products[f]) output.tensors_copied = output.tensors;
  }
  for (std::size_t f = 0; complete && f < digests.size(); ++f) {
    SetDigest digest;
    for (const auto& [name, tensor] : digests[f]) digest.Add(name, *tensor);
    report.outputs[f].digest = digest.Finish();
  }
}

void ReportTensors(const Plan& plan, const std::vector<TaskResult>& results, Report& report) {
  for (std::size_t t = 0; t < results.size(); ++t) {
    const Task& task = plan.tasks[t];
    TensorReport tensor{.name = task.name,
                        .component = task.component,
                        .copied = std::ranges::all_of(task.products, IsCopy),
                        .elements = task.elements,
                        .effects = {},
                        .non_finite = results[t].non_finite};
    for (std::size_t p = 0; p < task.tape.probes.size(); ++p) {
      if (task.tape.probes[p].applied) continue;
      tensor.effects.emplace_back(plan.steps[task.tape.probes[p].step].name, results[t].effects[p]);
    }
    AddFindings(plan, task, results[t], tensor);
    report.tensors.push_back(std::move(tensor));
  }
  std::ranges::sort(report.tensors, {}, &TensorReport::name);
}

/// An adapter of which much is lost when the result is rounded.
void WarnOfRounding(const Plan& plan, Report& report) {
  constexpr double kEnough = 0.8;
  std::vector<Effect> sums(plan.models.size());
  for (std::size_t i = 0; i < plan.applied.size(); ++i) {
    sums[plan.applied[i].model] += report.applied[i];
  }
  for (std::uint32_t m = 0; m < plan.models.size(); ++m) {
    if (plan.models[m].adapter == nullptr) continue;
    const Effect& sum = sums[m];
    const double share = static_cast<double>(sum.rounded) /
                         static_cast<double>(std::max<std::uint64_t>(1, sum.changed));
    if (sum.changed == 0 || share >= kEnough) continue;
    report.warnings.push_back(
        fmt::format("adapter '{}': only {:.0f} % of the elements that it changes differ after "
                    "rounding; a wider "
                    "dtype keeps more (f16 has 11 bits, bf16 8, f32 24), and stochastic rounding "
                    "keeps the mean "
                    "of what is lost",
                    plan.models[m].name, 100 * share));
  }
}

}  // namespace

Report MakeReport(const Plan& plan, const std::vector<TaskResult>& results, bool by_tensor,
                  const AdapterDigests& digests) {
  Report report;
  report.notes = plan.notes;
  ReportInputs(plan, results, digests, report);
  ReportSteps(plan, results, report);
  ReportFindings(plan, results, report);
  ReportUses(plan, results, report);
  ReportOutputs(plan, results, report);
  if (by_tensor) ReportTensors(plan, results, report);
  WarnOfRounding(plan, report);
  for (const TaskResult& result : results) {
    report.bytes_read += result.bytes_read;
    report.bytes_written += result.bytes_written;
  }
  return report;
}

RunDigests DigestsOf(const Plan& plan, const Report& report, std::size_t file) {
  const auto hex = [](const std::optional<Digest>& digest) {
    return digest ? digest->ToHex() : std::string(kNoDigest);
  };
  RunDigests digests;
  auto input = report.inputs.begin();
  for (const Model& model : plan.models) {
    auto& parts = digests.inputs.emplace_back();
    for (std::size_t p = 0; p < model.parts.size(); ++p, ++input) {
      parts.push_back({hex(input->digest), input->tensors_read, input->tensors});
    }
  }
  digests.output = hex(report.outputs[file].digest);
  return digests;
}

}  // namespace weightsmith::internal
