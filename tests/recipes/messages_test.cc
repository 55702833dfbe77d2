// What a person reads about each kind of mistake in a recipe: messages.golden holds recipes and the
// words that they get, to be read in a diff. WEIGHTSMITH_BLESS=1 writes what is said now.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kCase = "=== ";
constexpr std::string_view kWords = "--- says\n";

struct Mistake {
  std::string name;
  std::string recipe;
  std::string words;
};

std::filesystem::path Golden() {
  return std::filesystem::path(WEIGHTSMITH_TESTS) / "recipes" / "messages.golden";
}

std::vector<Mistake> ReadMistakes() {
  std::ifstream file(Golden());
  std::string text(std::istreambuf_iterator<char>(file), {});
  std::vector<Mistake> mistakes;
  for (std::size_t at = text.find(kCase); at != std::string::npos;) {
    const std::size_t next = text.find("\n=== ", at);
    const std::string section = text.substr(at, next - at + (next == std::string::npos ? 0 : 1));
    const std::size_t name_end = section.find('\n');
    const std::size_t words = section.find(kWords);
    mistakes.push_back({section.substr(kCase.size(), name_end - kCase.size()),
                        section.substr(name_end + 1, words - name_end - 1),
                        section.substr(words + kWords.size())});
    at = next == std::string::npos ? next : next + 1;
  }
  return mistakes;
}

std::string WordsFor(const Mistake& mistake) {
  const bool json = mistake.recipe.starts_with("{");
  Diagnostics diagnostics;
  const auto recipe = ParseRecipe({json ? "recipe.json" : "recipe.yaml", mistake.recipe}, "",
                                  RecipeOptions{}, diagnostics);
  EXPECT_FALSE(recipe.has_value()) << mistake.name;
  std::string words;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity == Severity::kError) words += Render(diagnostic) + "\n";
  }
  return words;
}

TEST(Messages, SayWhatIsWrongWhereAndWhatToWrite) {
  const std::vector<Mistake> mistakes = ReadMistakes();
  ASSERT_GE(mistakes.size(), 60U);
  const bool bless = std::getenv("WEIGHTSMITH_BLESS") != nullptr;
  std::string blessed;
  for (const Mistake& mistake : mistakes) {
    const std::string words = WordsFor(mistake);
    if (!bless) {
      EXPECT_EQ(words, mistake.words) << mistake.name;
    }
    blessed +=
        std::string(kCase) + mistake.name + "\n" + mistake.recipe + std::string(kWords) + words;
  }
  if (bless) std::ofstream(Golden()) << blessed;
}

}  // namespace
}  // namespace weightsmith::internal
