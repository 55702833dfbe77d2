// A file in memory, as the terminal of a test.
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

namespace weightsmith::internal {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// All that was written to it.
inline std::string Contents(std::FILE* file) {
  std::rewind(file);
  std::string text;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof(buffer), file)) text.append(buffer, n);
  return text;
}

}  // namespace weightsmith::internal
