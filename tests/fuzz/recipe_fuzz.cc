// Any text as a recipe: it is read, or everything wrong with it is told; nothing is opened.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/error.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weightsmith::internal;
  const std::string text(reinterpret_cast<const char*>(data), size);
  // An include would make the result depend on files that lie around.
  if (text.find("include") != std::string::npos) return 0;
  Diagnostics diagnostics;
  try {
    const auto recipe = ParseRecipe({"fuzz", text}, "/nonexistent", RecipeOptions{}, diagnostics);
    if (!recipe && !diagnostics.HasErrors()) std::abort();
  } catch (const Error& error) {
    if (error.message().empty()) std::abort();
  }
  return 0;
}
