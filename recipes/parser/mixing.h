// Steps that mix models, in the words of anybody: which of weighted_sum, linear and average does
// what is written, with every weight.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recipes/parser/reader.h"
#include "recipes/source/source_node.h"

namespace weightsmith::internal {

struct Operator;

/// What a step gives to be mixed, whatever its keys are called.
struct Mix {
  std::vector<SourceNode> models;   ///< names, or inline steps
  std::vector<SourceNode> weights;  ///< of the models, in their order
  std::optional<SourceNode> share;  ///< of the second model: alpha
  bool pair = false;                ///< the models are a and b, not a list
  std::size_t models_key = 0;       ///< the first that they are in
  std::optional<std::size_t>
      weights_key;                ///< of weights or of the share, where they have their own
  std::vector<std::size_t> keys;  ///< all of them

  /// Whether every model has its weight, where there are weights.
  bool Whole() const { return weights.empty() || weights.size() == models.size(); }
};

/// Nothing where the step gives something else, or gives it in a form that nobody knows.
std::optional<Mix> ReadMix(const SourceNode& step);

/// The operator that mixes so; empty where none does.
std::string_view OperatorOf(const Mix& mix);

/// Whether it is one of the three operators.
bool Mixes(std::string_view op);

/// Whether `word` is what others call mixing, "weighted_average" or "blend".
bool IsMixing(std::string_view word);

/// Whether the weights are shares of any scale: they do not add up to 1.
bool NeedsNormalize(const Mix& mix);

/// "There are 3 models and 2 weights."
std::string Counts(const Mix& mix);

/// The step with this operator, and with what it gives as that takes it; a list is ReportedNode
/// where not every model has its weight.
SourceNode StepWith(std::string_view op, const Mix& mix, const SourceNode& step);

/// Its models, with their weights where these are wanted: REQUIRES: there is one for each.
SourceNode ListOf(const Mix& mix, bool weighted, const SourcePlace& place);

/// Reports a step whose operator does not do what it gives, where another one does, and returns it
/// with that.
std::optional<SourceNode> WithFittingOperator(Reader& reader, const SourceNode& step,
                                              const Operator& op, const std::string& called);

}  // namespace weightsmith::internal
