#include <fmt/format.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/render/layout.h"
#include "cli/schemas.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/visible.h"
#include "core/formats/safetensors/header.h"
#include "core/formats/safetensors/layout.h"
#include "core/formats/safetensors/reader.h"
#include "core/io/byte_source.h"
#include "core/io/in_place.h"
#include "recipes/jobs/record-inl.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kMaxGrowth = kMaxHeaderSize;

std::vector<std::string> KeysOf(const Metadata& metadata) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : metadata) keys.push_back(key);
  return keys;
}

[[noreturn]] void RefuseMissingKey(const std::string& key, const Metadata& metadata) {
  throw Error(ErrorCode::kUsage, fmt::format("the metadata has no key {}.{}", Quote(key),
                                             DidYouMean(key, KeysOf(metadata))));
}

Metadata Edit(Metadata metadata, const ParsedArguments& arguments) {
  for (const std::string& key : arguments.All("remove")) {
    if (metadata.erase(key) == 0) RefuseMissingKey(key, metadata);
  }
  for (const auto& [key, value] : arguments.Assignments("set")) metadata[key] = value;
  return metadata;
}

// The least number of bytes that the header would have to grow by.
std::uint64_t MissingBytes(HeaderLayout layout, const Metadata& metadata) {
  const std::uint64_t start = layout.data_start;
  const auto fits = [&](std::uint64_t growth) {
    layout.data_start = start + growth;
    return ReplaceMetadata(layout, metadata).has_value();
  };
  std::uint64_t high = 1;
  while (high < kMaxGrowth && !fits(high)) high *= 2;
  std::uint64_t low = high / 2;  // does not fit
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (fits(middle) ? high : low) = middle;
  }
  return high;
}

HeaderLayout LayoutOf(const ByteSource& file, SafetensorsHeader header) {
  HeaderLayout layout;
  layout.header.resize(header.data_start);
  file.Read(0, std::as_writable_bytes(std::span(layout.header)));
  layout.tensors = std::move(header.tensors);
  layout.data_start = header.data_start;
  layout.file_size = file.size();
  return layout;
}

void Write(const ByteSource& file, SafetensorsHeader header, const Metadata& metadata) {
  const HeaderLayout layout = LayoutOf(file, std::move(header));
  const std::optional<std::string> text = ReplaceMetadata(layout, metadata);
  if (!text) {
    const std::uint64_t missing = MissingBytes(layout, metadata);
    throw Error(ErrorCode::kUsage,
                fmt::format("{}: the new metadata is {} {} too long for the header's padding.",
                            Quote(file.path().string()), FormatCount(missing),
                            missing == 1 ? "byte" : "bytes"),
                "Remove a key (--remove K) or shorten a value: meta does not move the tensors.");
  }
  // Quick, and better not cut in two.
  CatchInterrupts();
  ReplaceStart(file.path(), file.identity(), std::as_bytes(std::span(*text)));
}

std::string InWords(const Metadata& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) {
    if (value.find('\n') == std::string::npos) {
      text += fmt::format("{}: {}\n", Visible(key), Visible(value));
      continue;
    }
    // A recipe is read in lines, which are indented.
    text += fmt::format("{}:\n", Visible(key));
    for (const std::string_view line : SplitLines(value)) {
      text += fmt::format("  {}\n", Visible(line));
    }
  }
  return text;
}

int RunMeta(const ParsedArguments& arguments, Terminal& terminal) {
  // The link stays what it is, the file that it names is edited.
  const std::filesystem::path& path = arguments.positionals().front();
  if (FinishReplacement(path)) {
    terminal.Note(fmt::format("an interrupted change of {} was completed", Quote(path.string())));
  }
  const auto file = OpenByteSource(path, IoBackend::kRead);
  SafetensorsHeader header = ReadHeader(*file);
  Metadata metadata = header.metadata.value_or(Metadata());

  if (arguments.Has("set") || arguments.Has("remove")) {
    metadata = Edit(std::move(metadata), arguments);
    Write(*file, std::move(header), metadata);
    terminal.Detail(fmt::format("changed the metadata of {}", Quote(path.string())));
    return 0;
  }
  if (const auto key = arguments.Text("get")) {
    const auto found = metadata.find(*key);
    if (found == metadata.end()) RefuseMissingKey(*key, metadata);
    terminal.PrintValue(found->second);
    return 0;
  }
  if (arguments.Has("json")) {
    terminal.PrintData(JsonText(metadata));
  } else {
    terminal.Print(InWords(metadata));
  }
  return 0;
}

}  // namespace

std::string MetadataSchema() {
  return JsonSchema<Metadata>();
}

const Command& meta() {
  static const Command command = {
      .name = "meta",
      .summary = "Show or edit the metadata of a safetensors file",
      .group = CommandGroup::kInspect,
      .doc =
          "Prints the texts that the header of a file holds beside its tensors. `--set` and "
          "`--remove` change them in place: the header keeps its length and the tensors stay "
          "where they are, whatever the size of the file. What does not fit into the header's "
          "padding is refused. Files that weightsmith writes have room for it.\n\n"
          "While the header is written, FILE.header holds the old and the new one. Where a kill or "
          "a "
          "power cut leaves that file behind, the next `meta FILE` completes the change.",
      .positionals = {{.name = "FILE", .doc = "a safetensors file"}},
      .flags = {{.name = "set",
                 .kind = ValueKind::kAssignment,
                 .value = "K=V",
                 .doc = "Set a key",
                 .repeatable = true},
                {.name = "remove",
                 .kind = ValueKind::kText,
                 .value = "K",
                 .doc = "Remove a key",
                 .details = "Keys are removed before others are set.",
                 .repeatable = true},
                {.name = "get",
                 .kind = ValueKind::kText,
                 .value = "K",
                 .doc = "Print the value of one key and nothing else"},
                {.name = "json", .doc = "Print JSON"}},
      .examples = {{"weightsmith meta mix.safetensors --set modelspec.title='Photo x Anime'",
                    "Give a model a title:"},
                   {"weightsmith meta mix.safetensors --get weightsmith.recipe",
                    "The recipe that a model was made by:"}},
      .run = RunMeta,
  };
  return command;
}

}  // namespace weightsmith::internal
