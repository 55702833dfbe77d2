// All outputs of a recipe: what it writes of them, what options put in its place, and the nodes
// that they are made of.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "recipes/parser/graph.h"
#include "recipes/parser/outputs.h"
#include "recipes/parser/reader.h"
#include "recipes/parser/steps.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {

class RecipeOutputs {
 public:
  RecipeOutputs(const RecipeOptions& options, Reader& reader, Graph& graph)
      : options_(options), reader_(reader), graph_(graph) {}

  /// The name that a step may have which is not there, for advice.
  void SetStepName(std::string name) { step_name_ = std::move(name); }

  /// `folder` is what paths in the recipe start from.
  void Read(const SourceNode& top, StepReader& steps, const std::filesystem::path& folder);
  /// Looks up their nodes. REQUIRES: the graph is linked.
  void Link();

  /// The nodes that they need, once they are linked.
  std::vector<NodeId> Roots() const;
  std::vector<OutputDraft>& drafts() { return drafts_; }

 private:
  void ApplyOptions();
  void ChooseStep();
  void CheckPathsDiffer();
  std::vector<std::string> StepNames() const;
  /// What a recipe without steps may do with its models, where its output asks for a name that is
  /// not there, or for none; empty where it has steps, or no models.
  std::string AdviceForNoSteps(const std::string& asked) const;
  NodeId DefaultModel(const OutputDraft& draft);
  std::optional<NodeId> ModelOf(const OutputDraft& draft);

  const RecipeOptions& options_;
  Reader& reader_;
  Graph& graph_;
  std::vector<OutputDraft> drafts_;
  std::string step_name_;
};

}  // namespace weightsmith::internal
