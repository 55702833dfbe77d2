#include "cli/rewrite.h"

#include <fmt/format.h>

#include <utility>

#include "cli/merge_request.h"
#include "cli/plan_command.h"
#include "cli/report_words.h"
#include "cli/run_progress.h"
#include "core/anatomy/anatomy.h"
#include "merge/plan.h"

namespace weightsmith {
namespace {

/// What the file said of itself, as far as it is still true of its parts.
std::optional<Metadata> KeptMetadata(const Checkpoint& checkpoint) {
  Metadata kept{{"format", "pt"}};
  if (!checkpoint.metadata()) return kept;
  for (const auto& [key, value] : *checkpoint.metadata()) {
    if (!key.starts_with("weightsmith.") && key != "modelspec.hash_sha256") kept[key] = value;
  }
  return kept;
}

}  // namespace

void RunRewrites(const std::vector<Rewrite>& rewrites, const ParsedArguments& arguments,
                 const std::string& verb, Terminal& terminal) {
  RunOptions options = ReadRunOptions(arguments);
  options.make_folders = options.make_folders || rewrites.front().folder;
  Expression expression;
  expression.policies.effect = EffectPolicy::kAny;
  expression.policies.prediction = PredictionPolicy::kAllow;
  expression.policies.ema = EmaPolicy::kKeep;
  std::vector<OutputSpec> outputs;
  for (const Rewrite& rewrite : rewrites) {
    Node leaf;
    leaf.name = rewrite.name;
    leaf.model = static_cast<std::uint32_t>(expression.models.size());
    leaf.policies = expression.policies;
    Model model;
    model.name = rewrite.name;
    model.parts.push_back({rewrite.checkpoint, Examine(*rewrite.checkpoint), std::nullopt});
    expression.models.push_back(std::move(model));
    OutputSpec output;
    output.root = static_cast<NodeId>(expression.nodes.size());
    output.path = rewrite.path;
    output.dtype = rewrite.dtype;
    output.metadata = [kept = KeptMetadata(*rewrite.checkpoint)](const RunDigests&) {
      return kept;
    };
    expression.nodes.push_back(std::move(leaf));
    outputs.push_back(std::move(output));
  }
  const Plan plan = MakePlan(expression, std::move(outputs));
  SayRemarks(plan, terminal);
  const Report report = RunWithProgress(plan, options, verb, terminal);
  terminal.Say(ThroughputWords(report));
  if (const auto path = arguments.Path("report")) WriteReport(*path, plan, report, options);
  for (const Rewrite& rewrite : rewrites) {
    terminal.Print(fmt::format("{}\n", rewrite.path.string()));
  }
}

}  // namespace weightsmith
