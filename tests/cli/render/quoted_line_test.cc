#include "cli/render/quoted_line.h"

#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

TEST(ShowDiagnostic, KeepsTheCaretBelowItsCharacter) {
  EXPECT_EQ(ShowDiagnostic("m.yaml:1:4: error: no\n  1 | abc!\n    |    ^\n  Write it.", {}),
            "m.yaml:1:4: error: no\n  1 | abc!\n    |    ^\n  Write it.\n");
  EXPECT_EQ(ShowDiagnostic("  1 | 日本x\n    |   ^", {}), "  1 | 日本x\n    |     ^\n");
  EXPECT_EQ(ShowDiagnostic("  1 | \x1bx\n    |  ^", {}), "  1 | \\x1bx\n    |     ^\n");
}

TEST(ShowDiagnostic, ShowsThePartAroundThePlace) {
  const std::string line = "  7 | " + std::string(60, 'a') + "!" + std::string(60, 'b');
  const std::string caret = "    | " + std::string(60, ' ') + "^";
  const std::string shown = ShowDiagnostic(line + "\n" + caret, 40);
  const std::size_t end = shown.find('\n');
  EXPECT_EQ(shown.substr(0, end),
            "  7 | …" + std::string(21, 'a') + "!" + std::string(10, 'b') + "…");
  EXPECT_EQ(shown.substr(end + 1), "    | " + std::string(22, ' ') + "^\n");
}

TEST(ShowDiagnostic, FoldsTheMessage) {
  EXPECT_EQ(ShowDiagnostic("one two three", 8), "one two\n  three\n");
}

}  // namespace
}  // namespace weightsmith::internal
