// Steps: an operator, its operands and its parameters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "merge/expression/expression.h"
#include "recipes/parser/graph.h"
#include "recipes/parser/lists.h"
#include "recipes/parser/reader.h"
#include "recipes/parser/weights.h"

namespace weightsmith::internal {

class StepReader {
 public:
  StepReader(Reader& reader, Graph& graph, const Policies& policies, const Presets& presets)
      : reader_(reader), weights_(reader, presets), graph_(graph), policies_(policies) {}

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
  OperandReference ReadEntry(const SourceNode& written, const std::string& entry_name,
                             const std::string& what, NodeId id);
  void ReadAdapters(const SourceNode& list, const std::string& what, NodeId id);
  void ReadLayers(const SourceNode& list, const std::string& what, NodeId id);
  std::optional<LayerRange> ReadLayerRange(const SourceNode& node, const std::string& what);
  OperandReference Scaled(OperandReference entry, const std::string& name, const SourceNode& scale,
                          const std::string& what);
  std::optional<Weights> ReadStrengths(const SourceNode& entry, std::string_view words,
                                       const std::string& what);
  std::optional<Weights> ReadSeed(const SourceNode& node, const std::string& what);
  std::optional<Weights> ReadParameter(const ParameterSpec& spec, const SourceNode& node,
                                       const std::string& what);

  Reader& reader_;
  WeightReader weights_;
  Graph& graph_;
  const Policies& policies_;
};

}  // namespace weightsmith::internal
