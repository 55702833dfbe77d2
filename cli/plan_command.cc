#include "cli/plan_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/flags/option_words.h"
#include "cli/merge_request.h"
#include "cli/render/plan_words.h"
#include "cli/render/report_words.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "merge/run/touched_paths.h"
#include "recipes/jobs/equal_components.h"
#include "recipes/jobs/plan_json.h"
#include "recipes/show.h"

namespace weightsmith::internal {

void SayRemarks(const Plan& plan, Terminal& terminal) {
  for (const std::string& note : plan.notes) terminal.Note(note);
  for (const std::string& warning : plan.warnings) terminal.Warn(warning);
}

void SayNewRemarks(const Plan& plan, const Report& report, Terminal& terminal) {
  const auto is_new = [](const std::vector<std::string>& said, const std::string& remark) {
    return std::ranges::find(said, remark) == said.end();
  };
  for (const std::string& note : report.notes) {
    if (is_new(plan.notes, note)) terminal.Note(note);
  }
  for (const std::string& warning : report.warnings) {
    if (is_new(plan.warnings, warning)) terminal.Warn(warning);
  }
}

void SayWithoutEffect(const Plan& plan, const Report& sample, Terminal& terminal) {
  for (std::size_t i = 0; i < sample.steps.size(); ++i) {
    const StepReport& step = sample.steps[i];
    if (step.effect.changed > 0 || !plan.steps[i].expects_effect || step.effect.elements == 0) {
      continue;
    }
    terminal.Warn(fmt::format("in a sample of {} elements the step {} changes nothing.",
                              FormatCount(step.effect.elements), Quote(step.name)));
  }
}

void SayUnjudged(const Report& sample, Terminal& terminal) {
  for (const StepReport& step : sample.steps) {
    if (!step.unjudged()) continue;
    terminal.Note(fmt::format(
        "the sample has no tensors of the step {}: what it changes is seen when it is merged.",
        Quote(step.name)));
  }
}

void SayEqualComponents(const RecipeRequest& request, const Plan& plan, Terminal& terminal) {
  for (const std::string& sentence : EqualComponents(request.recipe, plan)) terminal.Warn(sentence);
}

int SayRefusal(const Plan& plan, const RunOptions& options, std::string_view what,
               Terminal& terminal) {
  try {
    CheckPaths(plan, options);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) throw;
    terminal.Fail(fmt::format("the {} would be refused: {}", what, error.what()), AdviceOf(error));
    return static_cast<int>(error.code());
  }
  return 0;
}

int ShowPlan(const ParsedArguments& arguments, Terminal& terminal, const PlanView& view) {
  if (arguments.Has("print-recipe")) {
    const auto text = EverydayRecipe(arguments, view.kind);
    terminal.PrintData(text ? *text : ShowRecipe(ReadRecipe(arguments, terminal).recipe));
    return 0;
  }
  const RunOptions options = ReadRunOptions(arguments);
  const RecipeRequest request = ReadRecipe(arguments, terminal, view.kind);
  const Plan plan = PlanOf(request, terminal);
  // Where the merge would be refused, that comes first, and the plan all the same.
  const int status = SayRefusal(plan, options, "merge", terminal);
  SayRemarks(plan, terminal);
  std::optional<Report> sample;
  if (view.sample) {
    sample = InRecipe(request, terminal, [&] { return Sample(plan, options, kSampleBudget); });
    SayWithoutEffect(plan, *sample, terminal);
    SayUnjudged(*sample, terminal);
    SayEqualComponents(request, plan, terminal);
  }
  if (view.json) {
    terminal.PrintData(InRecipe(
        request, terminal, [&] { return PlanJson(plan, options, sample ? &*sample : nullptr); }));
  } else {
    terminal.Print(
        InRecipe(request, terminal, [&] { return FullPlan(plan, options, terminal.verbose()); }));
    if (sample) terminal.Print(SampleWords(*sample));
  }
  return status;
}

}  // namespace weightsmith::internal
