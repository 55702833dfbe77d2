// The floor under a merge: the same plan, so the same reads and writes, with an identity in the
// place of its operators: every tensor is its first source, decoded and encoded again. What passes
// is digested as in a merge, unless --bare leaves that out too; no effect sums.
//
//   null_pipeline RECIPE OUTPUT [--bare]
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "core/base/error.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {
namespace {

Plan WithoutArithmetic(Plan plan) {
  for (Task& task : plan.tasks) {
    if (task.tape.instructions.empty() || task.sources.empty()) continue;
    task.tape.instructions.clear();
    task.tape.probes.clear();
    task.deltas.clear();
    task.passes.clear();
    task.kept.clear();
    task.slot_count = 0;
    task.kept_count = 0;
    task.tape.sources = static_cast<Register>(task.sources.size());
    task.tape.registers = task.tape.sources;
    for (Product& product : task.products) {
      if (product.scale || product.numbers) {
        throw Error(ErrorCode::kUsage, "a tensor of codes with scales has no such copy");
      }
      product.value = 0;
    }
  }
  return plan;
}

int Main(int argc, char** argv) {
  const bool bare = argc == 4 && std::string_view(argv[3]) == "--bare";
  if (argc != 3 && !bare) {
    std::cerr << "usage: null_pipeline RECIPE OUTPUT [--bare]\n";
    return 2;
  }
  RecipeOptions recipe_options;
  recipe_options.output_path = argv[2];
  recipe_options.policies = {{"effect", "any"}};
  RunOptions options;
  options.sync = false;
  options.overwrite = true;
  options.digests = !bare;
  options.effects = false;

  Diagnostics diagnostics;
  const auto recipe = LoadRecipe(argv[1], recipe_options, diagnostics);
  diagnostics.ThrowIfErrors();
  auto resolved = Resolve(*recipe, recipe_options, diagnostics);
  diagnostics.ThrowIfErrors();
  Run(WithoutArithmetic(MakePlan(resolved->expression, std::move(resolved->outputs))), options);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace weightsmith::internal

int main(int argc, char** argv) {
  try {
    return weightsmith::internal::Main(argc, argv);
  } catch (const weightsmith::internal::Error& error) {
    std::cerr << "null_pipeline: " << error.what() << '\n';
    return static_cast<int>(error.code());
  }
}
