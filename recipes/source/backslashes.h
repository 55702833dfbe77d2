// Backslashes, which people write in paths of Windows and in regular expressions, and which start
// escapes in double quotes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

/// A path with `/` for `\`; what Windows calls C:\ is where WSL has it.
std::string WithForwardSlashes(std::string_view path);

/// Whether a path begins with a drive or a share of Windows.
bool IsWindowsPath(std::string_view path);

/// "Write /mnt/c/a.safetensors, which is where WSL has that drive, or another path.", with the path
/// between two of `quote`.
std::string PathAdvice(std::string_view path, std::string_view quote = {});

/// A text in double quotes that is not what its writer meant.
struct BrokenText {
  std::size_t offset = 0;   ///< of the quote in front
  std::string_view inside;  ///< without the quotes
  bool unknown = false;     ///< an escape in it is none of the language
};

enum class Escapes { kYaml, kJson };

/// The texts of one line each that have an escape that is unknown, or begin as a path of Windows.
std::vector<BrokenText> BrokenTexts(std::string_view text, Escapes language);

/// How to write such a text: with slashes where it is a path, and else with what keeps a \ one.
std::string BackslashAdvice(std::string_view inside, Escapes language);

}  // namespace weightsmith::internal
