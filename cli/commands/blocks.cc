#include <fmt/format.h>

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/render/layout.h"
#include "cli/schemas.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/visible.h"
#include "core/model/anatomy.h"
#include "core/model/views/canonical_view.h"
#include "merge/run/tensor_blocks.h"
#include "recipes/jobs/record-inl.h"

namespace weightsmith::internal {

template <>
const Record<TensorBlock>& RecordOf() {
  static const Record<TensorBlock> record = {
      "TensorBlock",
      "The block of a tensor, by which weights may vary.",
      {{"name", &TensorBlock::name, "As the file has it."},
       {"block", &TensorBlock::block, "As rows of weights name it: \"unet.in.3\"."},
       {"place",
        [](const TensorBlock& line) {
          return line.place.empty() ? std::nullopt : std::optional(line.place);
        },
        "In a list of numbers in the community's order, \"IN03\"; null for what such lists never "
        "merge."}}};
  return record;
}

namespace {

std::string Summary(const std::vector<TensorBlock>& lines) {
  std::vector<std::pair<std::string, std::map<std::string, std::size_t>>> blocks;
  for (const TensorBlock& line : lines) {
    const auto found = std::ranges::find(blocks, line.block, [](const auto& b) { return b.first; });
    if (found == blocks.end()) {
      blocks.emplace_back(line.block, std::map<std::string, std::size_t>{{line.place, 1}});
    } else {
      ++found->second[line.place];
    }
  }
  std::vector<TableRow> rows;
  for (const auto& [block, places] : blocks) {
    std::vector<std::string> words;
    for (const auto& [place, count] : places) {
      words.push_back(fmt::format("{} {}", place.empty() ? "-" : place, FormatCount(count)));
    }
    rows.push_back({Visible(block), fmt::format("{}", fmt::join(words, ", "))});
  }
  return Table(rows);
}

int RunBlocks(const ParsedArguments& arguments, Terminal& terminal) {
  const std::string& path = arguments.positionals().front();
  Model model;
  model.name = path;
  const auto checkpoint = WithContext("blocks", [&] { return OpenCanonical(path); });
  model.parts.push_back({checkpoint, Examine(*checkpoint), std::nullopt});
  const std::vector<TensorBlock> lines = BlocksOfTensors(model);
  if (arguments.Has("json")) {
    terminal.PrintData(JsonText(lines));
    return 0;
  }
  if (arguments.Has("summary")) {
    terminal.Print(Summary(lines));
    return 0;
  }
  std::string text;
  for (const TensorBlock& line : lines) {
    text += fmt::format("{}\t{}\t{}\n", Visible(line.name), Visible(line.block),
                        line.place.empty() ? "-" : line.place);
  }
  terminal.PrintData(text);
  return 0;
}

}  // namespace

std::string BlocksSchema() {
  return JsonSchema<std::vector<TensorBlock>>();
}

const Command& blocks() {
  static const Command command = {
      .name = "blocks",
      .summary = "List the blocks of a model, for block weights",
      .group = CommandGroup::kInspect,
      .doc =
          "Prints a line for each tensor: its name, its block as a row of weights names it "
          "(`unet.in.3`, `te.layer.0`), and its place in a list of numbers in the community's "
          "order (`IN03`; `-` for tensors that such lists do not merge). `--summary` prints a "
          "line for each block, with the number of its tensors at each place. Models without a "
          "community order have blocks too.",
      .positionals = {{.name = "FILE", .doc = "a model"}},
      .flags = {{.name = "summary", .doc = "A line a block"},
                {.name = "json", .doc = "Print JSON, an entry a tensor"}},
      .examples = {{"weightsmith blocks model.safetensors --summary",
                    "Which places can alpha name?"},
                   {"weightsmith blocks model.safetensors | grep IN03",
                    "Which tensors does the place IN03 of a list change?"}},
      .run = RunBlocks,
  };
  return command;
}

}  // namespace weightsmith::internal
