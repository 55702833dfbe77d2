#include "cli/render/adapter_info_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/text.h"
#include "core/base/visible.h"

namespace weightsmith::internal {
namespace {

using Counts = AdapterInfo::Counts;

/// What kohya's and other trainers' metadata say, in words.
struct TrainingFact {
  std::string_view key;
  std::string_view word;
};

constexpr TrainingFact kFacts[] = {
    {"modelspec.title", "title"},
    {"modelspec.architecture", "architecture"},
    {"ss_base_model_version", "base model"},
    {"ss_sd_model_name", "trained on"},
    {"modelspec.trigger_phrase", "trigger words"},
    {"ss_output_name", "name"},
    {"ss_network_module", "network"},
    {"ss_network_args", "network arguments"},
    {"ss_num_train_images", "images"},
    {"ss_num_epochs", "epochs"},
    {"ss_steps", "steps"},
    {"ss_learning_rate", "learning rate"},
    {"ss_resolution", "resolution"},
    {"ss_training_comment", "comment"},
};

/// The most frequent first, with their numbers where there are several.
std::string InWords(const Counts& counts) {
  std::vector<std::pair<std::size_t, std::string>> sorted;
  for (const auto& [word, count] : counts) sorted.emplace_back(count, word);
  std::ranges::stable_sort(sorted, std::ranges::greater(),
                           [](const auto& item) { return item.first; });
  constexpr std::size_t kShown = 8;
  std::vector<std::string> words;
  for (const auto& [count, word] : sorted) {
    if (words.size() == kShown) {
      words.push_back(fmt::format("and {} more", FormatCount(sorted.size() - kShown)));
      break;
    }
    words.push_back(counts.size() == 1 ? word : fmt::format("{} ({})", word, FormatCount(count)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

/// By component: "unet.in: 64 in 8 blocks".
std::string BlocksInWords(const Counts& counts) {
  std::map<std::string, std::pair<std::size_t, std::size_t>> families;  // blocks, modules
  for (const auto& [name, count] : counts) {
    const std::size_t dot = name.rfind('.');
    const bool numbered = dot != std::string::npos &&
                          name.find_first_not_of("0123456789", dot + 1) == std::string::npos;
    auto& [blocks, modules] = families[numbered ? name.substr(0, dot) : name];
    ++blocks;
    modules += count;
  }
  std::vector<std::string> words;
  for (const auto& [family, sums] : families) {
    words.push_back(fmt::format("{}: {} in {}", family, FormatCount(sums.second),
                                Counted(sums.first, "block")));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

std::string MadeForWords(const AdapterInfo& info) {
  if (info.made_for.architectures.empty()) {
    if (info.named_like.empty()) return "no known architecture";
    std::vector<std::string_view> titles;
    for (const Architecture* architecture : info.named_like) titles.push_back(architecture->title);
    return fmt::format("no known architecture: names of {}, other widths",
                       fmt::join(titles, " or "));
  }
  std::vector<std::string_view> titles;
  for (const Architecture* architecture : info.made_for.architectures) {
    titles.push_back(architecture->title);
  }
  return fmt::format("{}, by {} of {}", fmt::join(titles, " or "),
                     FormatCount(info.made_for.modules),
                     Counted(info.adapter->modules.size(), "module"));
}

std::string AdapterWords(const AdapterInfo& info) {
  std::vector<std::string_view> ids;
  for (const Architecture* architecture : info.made_for.architectures) {
    ids.push_back(architecture->id);
  }
  const std::string what = fmt::format("{} {}", InWords(info.families), "adapter");
  return ids.empty() ? what : fmt::format("{} for {}", what, fmt::join(ids, " or "));
}

std::vector<TableRow> AdapterRows(const AdapterInfo& info) {
  std::vector<TableRow> rows;
  rows.push_back({"made for", MadeForWords(info)});
  rows.push_back({"modules", FormatCount(info.adapter->modules.size())});
  rows.push_back({"families", InWords(info.families)});
  if (info.dora > 0) rows.push_back({"DoRA", FormatCount(info.dora)});
  rows.push_back({"naming", InWords(info.namings)});
  rows.push_back({"components", InWords(info.components)});
  if (const std::string blocks = BlocksInWords(ModulesByBlock(info)); !blocks.empty()) {
    rows.push_back({"blocks", blocks});
  }
  if (!info.ranks.empty()) rows.push_back({"ranks", InWords(info.ranks)});
  if (!info.alphas.empty()) rows.push_back({"alphas", InWords(info.alphas)});
  return rows;
}

std::string AdapterPage(const std::string& path, const AdapterInfo& info) {
  std::vector<TableRow> rows = AdapterRows(info);
  const Metadata metadata = info.checkpoint->metadata().value_or(Metadata());
  for (const TrainingFact& fact : kFacts) {
    const auto found = metadata.find(std::string(fact.key));
    if (found != metadata.end()) rows.push_back({std::string(fact.word), Visible(found->second)});
  }
  if (const auto tags = FrequentTags(info); !tags.empty()) {
    rows.push_back({"frequent tags", Visible(fmt::format("{}", fmt::join(tags, ", ")))});
  }
  std::string page = Visible(path) + "\n" + Table(rows);
  const Adapter& adapter = *info.adapter;
  for (const AdapterModule& module : adapter.modules) {
    if (module.problem.empty()) continue;
    page += fmt::format("  {} {}\n", Quote(module.stem), module.problem);
  }
  for (const IgnoredTensor& tensor : adapter.ignored) {
    page += fmt::format("  {} changes no weight: {}\n", Quote(tensor.name), tensor.reason);
  }
  for (const AdapterModule& tensor : adapter.plain) {
    page += fmt::format("  {} is a tensor by itself\n", Quote(tensor.stem));
  }
  for (const std::string& warning : adapter.warnings) {
    page += fmt::format("  {}\n", Visible(warning));
  }
  return page;
}

}  // namespace weightsmith::internal
