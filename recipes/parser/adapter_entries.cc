#include "recipes/parser/adapter_entries.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "merge/operator.h"
#include "recipes/parser/lists.h"
#include "recipes/parser/weights.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

/// "0.6", or "0.6:0.2" with another strength for the text encoders.
std::optional<Weights> ReadStrengths(Reader& reader, const SourceNode& entry,
                                     std::string_view words, const std::string& what) {
  const std::size_t colon = words.find(':');
  std::vector<double> numbers;
  for (const std::string_view word :
       {words.substr(0, colon),
        colon == std::string_view::npos ? words : words.substr(colon + 1)}) {
    const auto number = ParseNumber(word);
    if (!number) {
      reader.diagnostics().AddError(
          entry.place, fmt::format("{}: {} is not a strength", what, Quote(word)),
          "Write NAME:STRENGTH, such as detail:0.6, or NAME:STRENGTH:TE_STRENGTH; weights by place "
          "are {use: NAME, strength: …}.");
      return std::nullopt;
    }
    numbers.push_back(*number);
  }
  if (colon == std::string_view::npos) return Weights(numbers.front());
  std::string problem;
  return Weights(
      std::vector<PlaceRow<double>>{{*Selector::Parse("default", problem), numbers.front(), {}},
                                    {*Selector::Parse("te", problem), numbers.back(), {}}});
}

}  // namespace

void ReadAdapterEntries(const StepContext& in, const SourceNode& list, const std::string& what,
                        NodeId id) {
  const std::string key(in.graph.at(id).node.op->list->name);
  const std::string name = in.graph.at(id).node.name;
  if (!in.reader.IsList(list, fmt::format("{}: '{}'", what, key), AdaptersAdvice(list))) return;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const SourceNode& written = list.items[i];
    const std::string entry_name = fmt::format("{}.{}.{}", name, key, i + 1);
    const std::string entry_what = fmt::format("{}: {}[{}]", what, key, i + 1);
    OperandReference operand{{}, {}, written.place};
    Weights strength(1.0);
    if (IsPair(written, NamesOf(AdapterEntryKeys()))) {
      in.reader.diagnostics().AddError(
          written.place, fmt::format("{} is a key and a value, not NAME:STRENGTH", entry_what),
          fmt::format("Write \"{}:{}\"", written.keys[0].text, written.items[0].text));
    } else if (written.map() && written.Find("op") == nullptr) {
      const SourceNode entry = WithMeantKeys(
          written, in.reader.CheckKeys(written, NamesOf(AdapterEntryKeys()), entry_what));
      if (const SourceNode* use = entry.Find("use")) {
        operand = in.read_operand(*use, entry_name, entry_what + ": 'use'");
      } else {
        in.reader.diagnostics().AddError(entry.place, entry_what + " has no 'use'",
                                         "Write {use: NAME, strength: 0.6}");
      }
      if (const SourceNode* value = entry.Find("strength")) {
        const auto read =
            WeightReader(in.reader, in.presets).ReadStrength(*value, entry_what + ": 'strength'");
        if (read) strength = *read;
      }
    } else if (written.scalar() && written.text.starts_with('<')) {
      // <lora:detail:0.6>, as prompts write it.
      std::string meant = written.text.substr(1, written.text.find('>') - 1);
      meant.erase(0, meant.find(':') + 1);
      in.reader.diagnostics().AddError(
          written.place,
          fmt::format("{}: {} is the syntax of prompts", entry_what, Quote(written.text)),
          fmt::format("Name the file under 'adapters', and write \"{}\"", meant));
    } else if (written.scalar() && written.text.find(':') != std::string::npos) {
      // Names have no colons.
      const std::size_t colon = written.text.find(':');
      operand.name = written.text.substr(0, colon);
      operand.strength = written.text.substr(colon);
      const auto read = ReadStrengths(in.reader, written,
                                      std::string_view(written.text).substr(colon + 1), entry_what);
      if (read) strength = *read;
    } else {
      operand = in.read_operand(written, entry_name, entry_what);
    }
    in.graph.at(id).list.push_back(std::move(operand));
    in.graph.at(id).node.weights.push_back(std::move(strength));
  }
}

}  // namespace weightsmith::internal
