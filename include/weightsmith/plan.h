// What a run would do, known from headers before anything is read: what `weightsmith plan --json`
// prints, by the same names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weightsmith {

/// Rows of a tensor, and the first row of the module's that goes there.
struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t of = 0;
};

/// A module of an adapter on a tensor. The numbers of its effect are those of a report.
struct AppliedModule {
  std::string module;
  std::string tensor;
  std::vector<RowRange> rows;
  bool transposed = false;
  std::string family;  ///< "lora", "loha" …
  bool dora = false;
  std::optional<std::uint64_t> rank;
  std::optional<double> alpha;
  double scale = 1;
  double strength = 1;  ///< of the step, at this tensor
  std::string step;
  std::optional<std::uint64_t> elements{};
  std::optional<std::uint64_t> elements_changed{};
  std::optional<std::uint64_t> elements_changed_after_rounding{};
  std::optional<double> change_norm{};
  std::optional<double> relative_change{};
};

/// Modules of an adapter that are for a component which the model does not carry.
struct ModulesElsewhere {
  std::string component;
  std::vector<std::string> modules;
};

/// Modules of an adapter that do nothing, and why.
struct ModulesLeftOut {
  std::string reason;
  std::vector<std::string> modules;
};

/// Where each module of an adapter goes.
struct AdapterResult {
  std::string name;
  std::filesystem::path path;
  std::vector<AppliedModule> applied;
  std::vector<ModulesElsewhere> elsewhere;
  std::vector<ModulesLeftOut> ignored;
  std::vector<ModulesLeftOut> unmatched;
};

/// A file of a model.
struct PlannedPart {
  std::filesystem::path path;
  std::optional<std::string> component;  ///< the only one that is taken; nothing: all of it
  std::string architecture;
  std::string variant;
  std::string layout;
  std::uint64_t bytes = 0;
  std::uint64_t tensors = 0;
};

/// A model, and how its keys go in.
struct PlannedModel {
  std::string name;
  std::vector<PlannedPart> parts;
  std::uint64_t tensors_matched = 0;         ///< that are in an output
  std::uint64_t tensors_used = 0;            ///< that are read
  std::uint64_t tensors_unmatched = 0;       ///< that are in no output
  std::uint64_t tensors_ema = 0;             ///< EMA copies that are left out
  std::vector<std::string> unmatched_names;  ///< the first of them
  bool weight_zero = false;                  ///< every weight of it is exactly 0
};

/// What a step did to the tensors of a component, in its method's own words: "kept", "angle".
struct Finding {
  std::string component;
  std::string label;
  std::optional<std::string> operand;  ///< that it is about; nothing: the step
  std::string unit;                    ///< "number", "share" (0 to 1), "degrees" or "count"
  std::uint64_t tensors = 0;           ///< that have it
  double lowest = 0;                   ///< of any of them
  double mean = 0;                     ///< by their elements
  double highest = 0;
  std::optional<double> of;  ///< of a count: out of how many, the mean likewise
};

struct PlannedStep {
  std::string name;
  std::string op;
  std::optional<std::uint64_t> seed;  ///< of its random numbers
  /// A sample is taken, and has none of the tensors that it computes.
  bool unjudged = false;
  std::vector<Finding> findings;  ///< in a sample, where one is taken
};

struct PlannedFile {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::uint64_t tensors = 0;
};

/// A component of the result as a sum of the models, where it is one.
struct ComponentResult {
  std::string component;
  bool linear = true;
  bool uniform = true;                         ///< the same for all of its tensors
  std::map<std::string, double> coefficients;  ///< by model; those that are not 0
};

struct PlannedOutput {
  std::filesystem::path path;
  std::vector<PlannedFile> files;
  std::vector<ComponentResult> result;
};

struct DiskNeed {
  std::filesystem::path folder;
  std::uint64_t bytes_needed = 0;
  std::uint64_t bytes_free = 0;
};

/// What an interrupted run has done, and what of it is read back before it is trusted.
struct Resumption {
  std::uint64_t tensors_done = 0;
  std::uint64_t bytes_to_verify = 0;
};

struct Plan {
  std::string weightsmith;  ///< the version
  std::vector<PlannedModel> models;
  std::vector<AdapterResult> adapters;
  std::vector<PlannedStep> steps;
  std::vector<PlannedOutput> outputs;
  std::uint64_t tensors = 0;
  std::uint64_t tensors_copied = 0;
  std::uint64_t bytes_to_read = 0;
  std::uint64_t bytes_to_write = 0;
  std::uint64_t peak_memory = 0;  ///< bytes that a run with these options stays within
  std::vector<DiskNeed> disk;
  std::vector<std::string> notes;
  std::vector<std::string> warnings;  ///< those about the text of a recipe first
  std::optional<Resumption> resume;
};

}  // namespace weightsmith
