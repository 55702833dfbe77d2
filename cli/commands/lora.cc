#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "cli/command.h"
#include "cli/layout.h"
#include "core/adapters/adapter.h"
#include "core/adapters/declared_aliases.h"
#include "core/adapters/made_for.h"
#include "core/anatomy/blocks.h"
#include "core/error.h"
#include "core/text.h"
#include "core/visible.h"
#include "recipes/jobs/json-inl.h"

namespace weightsmith {
namespace {

/// What kohya's and other trainers' metadata say, in words.
struct TrainingFact {
  std::string_view key;
  std::string_view word;
};

constexpr TrainingFact kFacts[] = {
    {"modelspec.title", "title"},
    {"modelspec.architecture", "made for"},
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

using Counts = std::map<std::string, std::size_t>;

struct Summary {
  Counts families, namings, components, ranks, alphas;
  std::size_t dora = 0;
};

Summary Summarise(const Adapter& adapter) {
  Summary summary;
  for (const AdapterModule& module : adapter.modules) {
    const StemNaming naming = NamingOf(module.stem);
    ++summary.families[std::string(module.family->id)];
    ++summary.namings[std::string(naming.id)];
    ++summary.components[naming.component.empty() ? "?" : std::string(naming.component)];
    if (module.rank > 0) ++summary.ranks[fmt::format("{}", module.rank)];
    if (module.family->rank != nullptr) {
      ++summary.alphas[module.alpha ? FormatNumber(*module.alpha) : "none"];
    }
    summary.dora += module.dora() ? 1 : 0;
  }
  return summary;
}

std::string InWords(const Counts& counts) {
  std::vector<std::pair<std::size_t, std::string>> sorted;
  for (const auto& [word, count] : counts) sorted.emplace_back(count, word);
  std::ranges::stable_sort(sorted, std::ranges::greater(),
                           [](const auto& item) { return item.first; });
  std::vector<std::string> words;
  for (const auto& [count, word] : sorted) {
    words.push_back(counts.size() == 1 ? word : fmt::format("{} ({})", word, FormatCount(count)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

/// The tags of the captions that were used most: often the words that call what was trained.
std::vector<std::string> FrequentTags(const Metadata& metadata) {
  constexpr std::size_t kShown = 10;
  const auto found = metadata.find("ss_tag_frequency");
  if (found == metadata.end()) return {};
  const Json folders = Json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (!folders.is_object()) return {};
  std::map<std::string, double> counts;
  for (const Json& tags : folders) {
    if (!tags.is_object()) continue;
    for (const auto& [tag, count] : tags.items()) {
      if (count.is_number()) counts[tag] += count.get<double>();
    }
  }
  std::vector<std::pair<double, std::string>> sorted;
  for (const auto& [tag, count] : counts) sorted.emplace_back(-count, tag);
  std::ranges::sort(sorted);
  std::vector<std::string> tags;
  for (std::size_t i = 0; i < std::min(kShown, sorted.size()); ++i)
    tags.push_back(sorted[i].second);
  return tags;
}

/// Modules by component and block: "unet.in.4".
Counts ModulesByBlock(const Adapter& adapter, const MadeFor& base) {
  Counts counts;
  if (base.architectures.empty()) return counts;
  const DeclaredAliases declared(base.architectures.front(), {});
  for (const AdapterModule& module : adapter.modules) {
    const AliasedTensor* tensor = declared.Find(module.stem);
    if (tensor == nullptr) continue;
    const Block block = BlockOf(tensor->kind, tensor->local);
    std::string name = tensor->component;
    if (!block.family.empty()) name += fmt::format(".{}", block.family);
    if (block.index) name += fmt::format(".{}", *block.index);
    ++counts[name];
  }
  return counts;
}

/// By component: "unet.in 1-8 (64)" of blocks in a row.
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
    words.push_back(fmt::format("{}: {} in {} {}", family, FormatCount(sums.second),
                                FormatCount(sums.first), sums.first == 1 ? "block" : "blocks"));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string Page(const std::string& path, const Adapter& adapter, const Metadata& metadata) {
  const Summary summary = Summarise(adapter);
  std::vector<TableRow> rows;
  const MadeFor base = TellMadeFor(adapter);
  std::vector<std::string_view> bases;
  for (const Architecture* architecture : base.architectures) bases.push_back(architecture->title);
  rows.push_back(
      {"for", bases.empty()
                  ? "no architecture that is known"
                  : fmt::format("{}, by {} of {} modules", fmt::join(bases, " or "),
                                FormatCount(base.modules), FormatCount(adapter.modules.size()))});
  rows.push_back({"modules", FormatCount(adapter.modules.size())});
  rows.push_back({"families", InWords(summary.families)});
  if (summary.dora > 0) rows.push_back({"DoRA", FormatCount(summary.dora)});
  rows.push_back({"naming", InWords(summary.namings)});
  rows.push_back({"components", InWords(summary.components)});
  if (const std::string blocks = BlocksInWords(ModulesByBlock(adapter, base)); !blocks.empty()) {
    rows.push_back({"blocks", blocks});
  }
  if (!summary.ranks.empty()) rows.push_back({"ranks", InWords(summary.ranks)});
  if (!summary.alphas.empty()) rows.push_back({"alphas", InWords(summary.alphas)});
  for (const TrainingFact& fact : kFacts) {
    const auto found = metadata.find(std::string(fact.key));
    if (found != metadata.end()) rows.push_back({std::string(fact.word), Visible(found->second)});
  }
  if (const auto tags = FrequentTags(metadata); !tags.empty()) {
    rows.push_back({"frequent tags", Visible(fmt::format("{}", fmt::join(tags, ", ")))});
  }
  std::string page = Visible(path) + "\n" + Table(rows);
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
  for (const std::string& warning : adapter.warnings)
    page += fmt::format("  {}\n", Visible(warning));
  return page;
}

Json ToJson(const AdapterModule& module) {
  Json json = {{"stem", module.stem},
               {"component", NamingOf(module.stem).component},
               {"family", module.family->id},
               {"dora", module.dora()},
               {"rank", module.rank > 0 ? Json(module.rank) : Json()},
               {"alpha", module.alpha ? Json(*module.alpha) : Json()},
               {"scale", module.scale},
               {"problem", module.problem.empty() ? Json() : Json(module.problem)}};
  json["tensors"] = Json::object();
  for (const auto& [role, shape] : module.shapes) json["tensors"][ToString(role)] = shape;
  return json;
}

Json ToJson(const std::string& path, const Adapter& adapter, const Metadata& metadata) {
  const Summary summary = Summarise(adapter);
  Json json = {{"path", path},
               {"architectures", Json::array()},
               {"families", summary.families},
               {"namings", summary.namings},
               {"components", summary.components},
               {"adapters", adapter.names},
               {"frequent_tags", FrequentTags(metadata)}};
  const MadeFor base = TellMadeFor(adapter);
  for (const Architecture* architecture : base.architectures) {
    json["architectures"].push_back(architecture->id);
  }
  json["modules_of_architecture"] = base.modules;
  json["modules_by_block"] = ModulesByBlock(adapter, base);
  json["modules"] = Json::array();
  for (const AdapterModule& module : adapter.modules) json["modules"].push_back(ToJson(module));
  json["ignored"] = Json::array();
  for (const IgnoredTensor& tensor : adapter.ignored) {
    json["ignored"].push_back({{"name", tensor.name}, {"reason", tensor.reason}});
  }
  json["plain"] = Json::array();
  for (const AdapterModule& tensor : adapter.plain) json["plain"].push_back(tensor.stem);
  json["warnings"] = adapter.warnings;
  json["metadata"] = metadata;
  return json;
}

std::string TensorsOf(const AdapterFamily& family) {
  std::vector<std::string> forms;
  for (const std::vector<AdapterRole>& form : family.forms) {
    std::vector<std::string_view> roles;
    for (const AdapterRole role : form) roles.push_back(ToString(role));
    forms.push_back(fmt::format("{}", fmt::join(roles, ", ")));
  }
  return fmt::format("{}", fmt::join(forms, "; or "));
}

int ShowFamilies(bool as_json, Terminal& terminal) {
  Json json = Json::array();
  std::string text;
  for (const AdapterFamily* family : AdapterFamilies()) {
    json.push_back({{"id", family->id},
                    {"title", family->title},
                    {"formula", family->formula},
                    {"tensors", TensorsOf(*family)},
                    {"reads_weight", family->reads_weight},
                    {"source", family->source}});
    text += fmt::format("{}\n", family->title) +
            Table({{"formula", std::string(family->formula)}, {"tensors", TensorsOf(*family)}});
  }
  if (as_json) {
    terminal.PrintData(ToText(json));
  } else {
    terminal.Print(text);
  }
  return 0;
}

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const std::string& what = arguments.positionals().front();
  if (what == "families" && arguments.positionals().size() == 1) {
    return ShowFamilies(arguments.Has("json"), terminal);
  }
  if (what != "info" || arguments.positionals().size() != 2) {
    throw Error(ErrorCode::kUsage, fmt::format("lora: unknown word {}.", Quote(what)),
                "Write 'weightsmith lora info FILE'.");
  }
  const std::string& path = arguments.positionals().at(1);
  const auto checkpoint = WithContext("lora info", [&] { return Checkpoint::Open(path); });
  const Adapter adapter = WithContext("lora info", [&] { return ReadAdapter(*checkpoint); });
  const Metadata metadata = checkpoint->metadata().value_or(Metadata());
  if (arguments.Has("json")) {
    terminal.PrintData(ToText(ToJson(path, adapter, metadata)));
  } else {
    terminal.Print(Page(path, adapter, metadata));
  }
  return 0;
}

}  // namespace

const Command& lora() {
  static const Command command = {
      .name = "lora",
      .summary = "Show what is in a LoRA or another adapter",
      .group = CommandGroup::kInspect,
      .doc =
          "The modules of an adapter, whatever trainer wrote it: their families (LoRA, LoHa, LoKr, "
          "GLoRA, OFT, BOFT, IA3, whole differences, with DoRA on any of them), the naming, the "
          "architecture that it is for, components, ranks and alphas, what the metadata say of the "
          "training, and every tensor "
          "that is incomplete, that changes no weight or that stands by itself.",
      .positionals = {{.name = "WORD",
                       .doc = "what to show: the adapter in FILE, or all families",
                       .kind = ValueKind::kText,
                       .choices = {"info", "families"}},
                      {.name = "FILE",
                       .doc = "an adapter: .safetensors, .pt, .bin, a folder of PEFT",
                       .required = false}},
      .flags = {{.name = "json", .doc = "Print JSON, every module in full"}},
      .examples = {{"weightsmith lora info style.safetensors", "What is this LoRA?"},
                   {"weightsmith lora families", "What can be baked:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
