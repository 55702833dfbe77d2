#include "recipes/source/text_file.h"

#include <fmt/format.h>

#include <iostream>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/byte_source.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kLargestText = 16'000'000;

[[noreturn]] void ThrowTooLarge(const std::string& name) {
  throw Error(ErrorCode::kInput,
              fmt::format("{} is larger than {}, the limit for a recipe or a list", name,
                          FormatBytes(kLargestText)));
}

/// A pipe ends when its writer does, a device perhaps never.
void ExpectFile(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  const std::string name = Quote(path.string());
  if (std::filesystem::is_directory(status)) {
    const auto recipe = RecipeInFolder(path);
    throw Error(
        ErrorCode::kInput, fmt::format("{} is a folder, not a recipe", name),
        recipe ? fmt::format("Give the file in it: {}", recipe->string()) : "Give the file in it.");
  }
  if (std::filesystem::is_fifo(status)) {
    throw Error(ErrorCode::kInput, fmt::format("{} is a pipe, not a file", name),
                "Give - instead, which reads standard input, or write the text to a file.");
  }
  if (std::filesystem::is_other(status)) {
    throw Error(ErrorCode::kInput, fmt::format("{} is a device, not a file", name),
                "Give a file, or - for standard input.");
  }
}

std::string WithoutMark(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

}  // namespace

std::optional<std::filesystem::path> RecipeInFolder(const std::filesystem::path& folder) {
  std::optional<std::filesystem::path> found;
  std::error_code failed;
  std::filesystem::directory_iterator it(folder, failed);
  for (; !failed && it != std::filesystem::directory_iterator(); it.increment(failed)) {
    const std::string extension = it->path().extension().string();
    if (extension != ".yaml" && extension != ".yml") continue;
    if (!found || it->path() < *found) found = it->path();
  }
  return found;
}

std::string ReadTextFile(const std::filesystem::path& path) {
  ExpectFile(path);
  const auto file = OpenByteSource(path, IoBackend::kRead);
  if (file->size() > kLargestText) ThrowTooLarge(Quote(path.string()));
  return WithoutMark(ReadText(*file, 0, file->size()));
}

std::string ReadStandardInput() {
  std::string text(kLargestText + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (text.size() > kLargestText) ThrowTooLarge("standard input");
  return WithoutMark(std::move(text));
}

}  // namespace weightsmith::internal
