// The proof of effect: what each input, step and tensor did in a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/io/hash.h"
#include "merge/plan/plan.h"
#include "merge/program/finding.h"
#include "merge/program/tape.h"
#include "merge/run/adapter_digests.h"
#include "merge/run/task_result.h"

namespace weightsmith::internal {

struct InputReport {
  std::string model;
  std::filesystem::path path;
  std::optional<Digest> digest;  ///< of the tensors that were read
  std::uint64_t tensors = 0;
  std::uint64_t tensors_read = 0;
  /// Tensors of the outputs that are its own as they are, those that it is an operand of, and of
  /// these the ones that a step changed.
  std::uint64_t tensors_copied = 0;
  std::uint64_t tensors_computed = 0;
  std::uint64_t tensors_changed = 0;
  std::vector<std::string> steps{};  ///< that compute tensors of it, in the plan's order
};

/// What a step found in the tensors of a component.
struct FindingReport {
  std::string component;
  std::string label;    ///< "kept"
  std::string operand;  ///< what it is about; empty: the step
  Unit unit = Unit::kNumber;
  std::uint64_t tensors = 0;  ///< in which it was found
  double lowest = 0;          ///< of any of them
  double mean = 0;            ///< by their elements
  double highest = 0;
  std::optional<double> of{};  ///< of a count: out of how many, the mean by elements
};

/// What a step found in a tensor.
struct TensorFinding {
  std::string step;
  std::string label;
  std::string operand;
  Unit unit = Unit::kNumber;
  double value = 0;
  std::optional<double> of{};
};

struct StepReport {
  std::string name;
  std::string op;
  std::optional<std::uint64_t> seed{};  ///< of its random numbers
  std::uint64_t tensors = 0;            ///< that it computed
  std::uint64_t tensors_changed = 0;
  Effect effect;
  std::uint64_t integers = 0;  ///< copied ones that it should have changed, as in StepPlan
  std::uint64_t missing = 0;
  std::vector<FindingReport> findings{};  ///< by component

  /// Of a sample: it has no element of the tensors that the step computes.
  bool unjudged() const { return tensors > 0 && effect.elements == 0; }
};

struct TensorReport {
  std::string name;
  std::string component;
  bool copied = false;
  std::uint64_t elements = 0;
  std::vector<std::pair<std::string, Effect>> effects;  ///< by step
  std::uint64_t non_finite = 0;
  std::vector<TensorFinding> findings{};
};

struct OutputReport {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::uint64_t tensors = 0;
  std::uint64_t tensors_copied = 0;
  std::optional<Digest> digest;       ///< over all its tensors
  std::optional<std::string> sha256;  ///< where asked
};

struct Report {
  std::vector<InputReport> inputs;
  std::vector<StepReport> steps;
  std::vector<OutputReport> outputs;
  std::vector<TensorReport> tensors;  ///< with RunOptions::by_tensor
  std::vector<Effect> applied;        ///< parallel to Plan::applied
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  double seconds = 0;
  bool sampled = false;
  double sampled_share = 1;
  bool resumed = false;
  /// Of a part that did not end the run: tensors that other parts have still to compute; 0 where
  /// one of them was ending it. Nothing: the outputs stand under their names.
  std::optional<std::uint64_t> tensors_left{};
};

/// Folds what the tasks found; all but times. Tensors of adapters that are not in `digests` are
/// read for it.
Report MakeReport(const Plan& plan, const std::vector<TaskResult>& results, bool by_tensor,
                  const AdapterDigests& digests = {});

/// The digests that the metadata of output file `file` is made from.
RunDigests DigestsOf(const Plan& plan, const Report& report, std::size_t file);

}  // namespace weightsmith::internal
