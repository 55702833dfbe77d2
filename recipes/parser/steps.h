// Steps: an operator, its operands and its parameters.
#pragma once

#include <string>
#include <string_view>

#include "merge/expression/expression.h"
#include "merge/operator.h"
#include "recipes/parser/lists.h"
#include "recipes/parser/step_context.h"

namespace weightsmith::internal {

class StepReader {
 public:
  StepReader(Reader& reader, Graph& graph, const Policies& policies, const Presets& presets);
  // What reads its operands points to it.
  StepReader(const StepReader&) = delete;
  StepReader& operator=(const StepReader&) = delete;

  /// Adds the step (and the inline steps in it) to the graph and returns its node.
  NodeId Read(const std::string& name, const SourceNode& node, bool top_level);

  /// Reads an operand: a name, or an inline step that is then called `name`.
  OperandReference Operand(const SourceNode& node, const std::string& name,
                           const std::string& what);

 private:
  SourceNode Corrected(Gathered gathered, const Operator*& op, const std::string& what);
  void ReadArguments(const SourceNode& node, const std::string& what, NodeId id);
  void ReportMissing(const SourceNode& node, const std::string& what, const Operator& op,
                     std::string_view key, std::string_view doc);
  bool ReadOperands(const SourceNode& node, const std::string& what, NodeId id);
  bool ReadWhereOf(const SourceNode& node, const std::string& what, NodeId id);
  bool ReadParameters(const SourceNode& node, const std::string& what, NodeId id,
                      ArgumentsGiven& given);
  void ReadList(const SourceNode& list, const std::string& what, NodeId id);

  const StepContext context_;
};

}  // namespace weightsmith::internal
