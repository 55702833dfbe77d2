#include "cli/lora_arguments.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <system_error>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/open_as_stored.h"
#include "recipes/jobs/adapter_info.h"

namespace weightsmith::internal {
namespace {

bool IsAdapter(const std::filesystem::path& path) {
  try {
    return FindAdapter(OpenAsStored(path)).has_value();
  } catch (const Error&) {
    return false;  // it is reported where it is read
  }
}

/// As a shell takes it for one word.
std::string ShellWord(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:+,@%";
  if (text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

/// Whether it was meant as a number: "0.7,0.3", "70%", "-x".
bool BeginsLikeNumber(std::string_view text) {
  if (text.empty()) return false;
  if (text.size() > 1 && std::string_view("+-.").find(text.front()) != std::string_view::npos) {
    text.remove_prefix(1);
  }
  return text.front() >= '0' && text.front() <= '9';
}

}  // namespace

void ExpectStrength(const LoraArgument& lora, const std::string& words) {
  std::error_code error;
  const std::string path = lora.path.string();
  const std::size_t colon = path.rfind(':');
  if (colon == std::string::npos || colon == 0 || std::filesystem::exists(path, error)) return;
  const std::string strength = words.substr(colon + 1);
  const bool file = std::filesystem::exists(path.substr(0, colon), error);
  if (!file && !BeginsLikeNumber(strength)) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("--lora {}: {} is not a strength.", Quote(words), Quote(strength)),
              "Strengths are FILE:0.7, or FILE:0.7:0.3 with 0.3 in the text encoders.");
}

void RefuseNoAdapter(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (files.size() == 1 || !IsAdapter(file)) continue;
    throw Error(ErrorCode::kUsage, fmt::format("bake: {} is an adapter, not a model.", Quote(file)),
                fmt::format("Write --lora {}.", ShellWord(file)));
  }
  throw Error(ErrorCode::kUsage, "bake: no adapter is given.",
              "Name one with --lora FILE, or FILE:STRENGTH.");
}

void RefuseAdaptersAmongModels(const Recipe& recipe) {
  std::vector<std::string> adapters;
  std::size_t models = 0;
  for (const RecipeModel& model : recipe.models) {
    std::error_code error;
    const std::filesystem::path path =
        model.parts.front().file.path.value_or(std::filesystem::path());
    if (model.adapter || !std::filesystem::exists(path, error)) continue;
    if (IsAdapter(path)) {
      adapters.push_back(path.string());
    } else {
      ++models;
    }
  }
  // Adapters alone are merged with each other.
  if (models == 0) return;
  for (const std::string& file : adapters) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("{} is a LoRA or another adapter, not a model.", Quote(file)),
                fmt::format("Write --lora {}, which bakes it in.", ShellWord(file)));
  }
}

}  // namespace weightsmith::internal
