// Runs the recipe that it is given, by the installed library, and prints what came out.
#include <iostream>

#include <weightsmith/core/base/error.h>
#include <weightsmith/core/formats/checkpoint.h>
#include <weightsmith/merge/plan/plan.h>
#include <weightsmith/merge/run/executor.h>
#include <weightsmith/recipes/recipe.h>
#include <weightsmith/recipes/resolve.h>

int main(int argc, char** argv) {
  using namespace weightsmith;
  if (argc != 2) return 2;
  try {
    const RecipeOptions options;
    Diagnostics diagnostics;
    const auto recipe = LoadRecipe(argv[1], options, diagnostics);
    diagnostics.ThrowIfErrors();
    auto resolved = Resolve(*recipe, options, diagnostics);
    diagnostics.ThrowIfErrors();
    const Report report = Run(MakePlan(resolved->expression, resolved->outputs), RunOptions{});
    for (const OutputReport& output : report.outputs) {
      const auto checkpoint = Checkpoint::Open(output.path);
      for (const CheckpointTensor& tensor : checkpoint->tensors()) {
        std::cout << tensor.name << ' ' << Info(tensor.info.dtype).name << ' '
                  << ToString(tensor.info.shape) << '\n';
      }
    }
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(error.code());
  }
}
