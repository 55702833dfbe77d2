#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <system_error>

#include "cli/command.h"
#include "cli/render/adapter_info_words.h"
#include "cli/render/layout.h"
#include "cli/schemas.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/open_as_stored.h"
#include "recipes/jobs/adapter_info_json-inl.h"

namespace weightsmith::internal {
namespace {

std::string TensorsOf(const AdapterFamily& family) {
  std::vector<std::string> forms;
  for (const std::vector<AdapterRole>& form : family.forms) {
    std::vector<std::string_view> roles;
    for (const AdapterRole role : form) roles.push_back(ToString(role));
    forms.push_back(fmt::format("{}", fmt::join(roles, ", ")));
  }
  return fmt::format("{}", fmt::join(forms, "; or "));
}

}  // namespace

template <>
const Record<AdapterFamily>& RecordOf() {
  static const Record<AdapterFamily> record = {
      "AdapterFamily",
      "A kind of adapters that can be baked.",
      {{"id", &AdapterFamily::id, "\"lora\", \"loha\" …"},
       {"title", &AdapterFamily::title, "As people call it."},
       {"formula", &AdapterFamily::formula, "What it makes of a weight W."},
       {"tensors", TensorsOf, "The tensors of a module."},
       {"reads_weight", &AdapterFamily::reads_weight, "What it adds depends on W."},
       {"source", &AdapterFamily::source, "Paper, or the project whose behaviour it matches."}}};
  return record;
}

namespace {

int ShowFamilies(bool as_json, Terminal& terminal) {
  if (as_json) {
    terminal.PrintData(JsonText(AdapterFamilies()));
    return 0;
  }
  std::string text;
  for (const AdapterFamily* family : AdapterFamilies()) {
    text += fmt::format("{}\n", family->title) +
            Table({{"formula", std::string(family->formula)}, {"tensors", TensorsOf(*family)}});
  }
  terminal.Print(text);
  return 0;
}

int ShowAdapters(std::span<const std::string> paths, bool as_json, Terminal& terminal) {
  std::string text;
  for (const std::string& path : paths) {
    const AdapterInfo info =
        WithContext("lora", [&] { return ReadAdapterInfo(OpenAsStored(path)); });
    if (as_json) {
      // Several are a list, as those of info are.
      if (!text.empty()) text += ',';
      text += AdapterInfoJson(path, info);
    } else {
      text += AdapterPage(path, info);
    }
  }
  if (as_json) {
    terminal.PrintData(paths.size() == 1 ? text : fmt::format("[{}]\n", text));
  } else {
    terminal.Print(text);
  }
  return 0;
}

int RunLora(const ParsedArguments& arguments, Terminal& terminal) {
  std::span<const std::string> words = arguments.positionals();
  const bool as_json = arguments.Has("json");
  if (words.size() == 1 && words[0] == "families") return ShowFamilies(as_json, terminal);
  const std::vector<std::string> known = {"info", "families"};
  std::error_code error;
  const std::string meant = DidYouMean(words[0], known);
  if (words[0] == "info") {
    words = words.subspan(1);
  } else if (!meant.empty() && !std::filesystem::exists(words[0], error)) {
    throw Error(ErrorCode::kUsage, fmt::format("lora: no such file: {}.{}", Quote(words[0]), meant),
                "Write 'weightsmith lora FILE' or 'weightsmith lora families'.");
  }
  if (words.empty()) {
    throw Error(ErrorCode::kUsage, "lora info: FILE is missing.",
                "Write 'weightsmith lora FILE' or 'weightsmith lora families'.");
  }
  return ShowAdapters(words, as_json, terminal);
}

}  // namespace

std::string AdapterFamiliesSchema() {
  return JsonSchema<decltype(AdapterFamilies())>();
}

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
          "that is incomplete, that changes no weight or that stands by itself. `lora info FILE` "
          "is "
          "the same as `lora FILE`.",
      .positionals = {{.name = "FILE",
                       .doc = "an adapter: .safetensors, .pt, .bin, a folder of PEFT; 'families': "
                              "everything that can be baked; 'info FILE' is the same as FILE",
                       .repeatable = true,
                       .choices = {"families", "info"}}},
      .flags = {{.name = "json",
                 .doc = "Print JSON, every module in full; of several files, an object each"}},
      .examples = {{"weightsmith lora style.safetensors", "What is this LoRA?"},
                   {"weightsmith lora families", "What can be baked:"}},
      .run = RunLora,
  };
  return command;
}

}  // namespace weightsmith::internal
