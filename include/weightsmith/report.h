// What each input, step and tensor did in a run: what `weightsmith merge --report` writes, by the
// same names.
#pragma once

#include <weightsmith/plan.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weightsmith {

/// What was read of a file, and how many tensors of the outputs are its own, were computed from it,
/// and were changed by the steps that did it.
struct InputReport {
  std::string model;
  std::filesystem::path path;
  std::optional<std::string> digest;  ///< of the tensors that were read: XXH3-128, 32 digits
  std::uint64_t tensors = 0;
  std::uint64_t tensors_read = 0;
  std::uint64_t tensors_copied = 0;
  std::uint64_t tensors_computed = 0;
  std::uint64_t tensors_changed = 0;
  std::vector<std::string> steps;
};

/// How the keys of a model went in.
struct ModelKeys {
  std::string model;
  std::uint64_t matched = 0;
  std::uint64_t unmatched = 0;
  std::uint64_t used = 0;
  std::uint64_t ema = 0;
};

/// What was changed of what was there before. Norms are those of all elements together; nothing
/// where one is not finite, or where the change of zeros would be relative.
struct Effect {
  std::uint64_t elements = 0;
  std::uint64_t elements_changed = 0;
  std::optional<double> change_norm;
  std::optional<double> before_norm;
  std::optional<double> relative_change;
};

/// What a step did to a tensor, in its method's own words. A share of a large tensor is that of
/// tiles spread over it.
struct TensorFinding {
  std::string step;
  std::string label;
  std::optional<std::string> operand;
  std::string unit;
  double value = 0;
  std::optional<double> of;
};

/// What a step changed, of its first operand.
struct StepReport : Effect {
  std::string name;
  std::string op;
  std::optional<std::uint64_t> seed;  ///< of its random numbers
  std::uint64_t tensors = 0;          ///< that it computed
  std::uint64_t tensors_changed = 0;
  /// Of those that it should have changed besides, being integers or missing in an operand.
  std::uint64_t tensors_copied = 0;
  std::vector<Finding> findings;  ///< by component
};

struct OutputReport {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::uint64_t tensors = 0;
  std::uint64_t tensors_copied = 0;
  std::optional<std::string> digest;  ///< of its tensors: XXH3-128, 32 digits
  std::optional<std::string> sha256;  ///< with RunOptions::sha256
};

/// What a run did to a tensor.
struct TensorReport {
  std::string name;
  std::string component;
  std::uint64_t elements = 0;
  bool copied = false;
  std::uint64_t non_finite = 0;
  std::map<std::string, Effect> effects;  ///< by step
  std::vector<TensorFinding> findings;
};

struct Report {
  std::string weightsmith;  ///< the version
  std::vector<InputReport> inputs;
  std::vector<ModelKeys> keys;
  std::vector<AdapterResult> adapters;
  std::vector<StepReport> steps;
  std::vector<OutputReport> outputs;
  std::vector<TensorReport> tensors;  ///< with RunOptions::by_tensor
  std::vector<std::string> notes;
  std::vector<std::string> warnings;  ///< those about the text of a recipe first
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  double seconds = 0;
  bool sampled = false;  ///< false in a report of a run
  double sampled_share = 1;
  bool resumed = false;  ///< an earlier run's work was gone on from
  /// Of a part that did not end the run (RunOptions::part): tensors that other parts have still to
  /// compute; 0 where one of them was ending it. The report has then nothing else. Nothing: the
  /// outputs stand under their names.
  std::optional<std::uint64_t> tensors_left;
};

}  // namespace weightsmith
