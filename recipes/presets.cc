#include "recipes/presets.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/visible.h"
#include "merge/expression/adapter_list.h"
#include "merge/expression/community_list.h"
#include "merge/expression/list_words.h"
#include "recipes/source/text_file.h"

namespace weightsmith::internal {

/// recipes/presets/community.tsv, built in.
extern const std::string_view kEmbeddedPresets;
/// recipes/presets/adapters.tsv.
extern const std::string_view kEmbeddedAdapterPresets;

namespace {

/// The numbers, or nothing where one is none.
std::vector<double> Numbers(std::string_view text) {
  std::vector<double> numbers;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const auto number = ParseNumber(Trim(text.substr(at, end - at)));
    if (!number) return {};
    numbers.push_back(*number);
    at = end + 1;
  }
  return numbers;
}

Presets Parse(std::string_view text, std::string_view name) {
  Presets presets;
  std::size_t line_number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    const std::size_t gap = line.find_first_of("\t:");
    if (line.empty() || line.starts_with('#')) continue;
    if (line_number == 1 && line.starts_with("preset_name")) continue;
    std::vector<double> numbers;
    if (gap != std::string_view::npos) numbers = Numbers(Trim(line.substr(gap + 1)));
    if (!IsListLength(numbers.size()) && !IsAdapterListLength(numbers.size())) {
      throw Error(
          ErrorCode::kInput,
          fmt::format("{}:{}: this is not a preset: {}", Visible(name), line_number,
                      Quote(line, 60)),
          fmt::format("A line is NAME, a tab, and as many numbers with commas as a list has "
                      "places: {}; of adapters {}.",
                      ListLengthsInWords(false), ListLengthsInWords(true)));
    }
    presets.insert_or_assign(std::string(Trim(line.substr(0, gap))), std::move(numbers));
  }
  return presets;
}

}  // namespace

const Presets& ShippedPresets() {
  static const Presets presets = Parse(kEmbeddedPresets, "community.tsv");
  return presets;
}

const Presets& ShippedAdapterPresets() {
  static const Presets presets = Parse(kEmbeddedAdapterPresets, "adapters.tsv");
  return presets;
}

Presets ReadPresets(const std::filesystem::path& path) {
  return Parse(ReadTextFile(path), path.string());
}

}  // namespace weightsmith::internal
