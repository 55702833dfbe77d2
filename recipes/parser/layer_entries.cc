#include "recipes/parser/layer_entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/text.h"
#include "merge/operator.h"
#include "recipes/parser/weights.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kLayersExample = "[{model: x, layers: 0-15}, {model: y, layers: 8-31}]";

std::optional<std::uint32_t> LayerNumber(std::string_view text) {
  constexpr std::size_t kMostDigits = 4;
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || text.size() > kMostDigits || error != std::errc() || stop != end) {
    return std::nullopt;
  }
  return number;
}

/// "0-15", "7".
std::optional<LayerRange> LayersIn(std::string_view text) {
  const std::size_t dash = std::min(text.find('-'), text.size());
  const auto first = LayerNumber(Trim(text.substr(0, dash)));
  const auto last = dash == text.size() ? first : LayerNumber(Trim(text.substr(dash + 1)));
  if (!first || !last) return std::nullopt;
  return LayerRange{*first, *last};
}

/// What was meant by a range in the words of others: mergekit's [0, 16] has 16 layers.
std::string LayersAdvice(const SourceNode& node) {
  if (node.list() && node.items.size() == 2) {
    const auto first = LayerNumber(node.items[0].text);
    const auto end = LayerNumber(node.items[1].text);
    if (first && end && *first < *end) {
      return fmt::format("Write layers: {}-{}, both included.", *first, *end - 1);
    }
  }
  return "Write the first and the last, both included, such as 0-15, or one number.";
}

std::optional<LayerRange> ReadLayerRange(Reader& reader, const SourceNode& node,
                                         const std::string& what) {
  if (IsReported(node)) return std::nullopt;
  const auto range = node.scalar() ? LayersIn(node.text) : std::nullopt;
  if (range && range->first <= range->last) return range;
  if (range) {
    reader.diagnostics().AddError(
        node.place, fmt::format("{}: {} ends before it begins", what, node.text),
        fmt::format("Write {}-{}; layers stay in their order.", range->last, range->first));
    return std::nullopt;
  }
  reader.diagnostics().AddError(
      node.place, fmt::format("{} is a range of layers, not {}", what, Describe(node)),
      LayersAdvice(node));
  return std::nullopt;
}

/// The entry as a step of its own that scales it.
OperandReference Scaled(const StepContext& in, OperandReference entry, const std::string& name,
                        const SourceNode& scale, const std::string& what) {
  const Operator* const op = FindOperator("passthrough");
  const ParameterSpec& spec = op->parameters.front();
  const auto read = WeightReader(in.reader, in.presets).Read(scale, what, spec.low, spec.high);
  if (!read || read->everywhere() == 1.0) return entry;
  DraftNode draft;
  draft.node.name = name;
  draft.node.op = op;
  draft.node.policies = in.policies;
  draft.node.parameters.push_back(*read);
  draft.place = scale.place;
  draft.rows.emplace(spec.name, scale.place);
  draft.operands.push_back(std::move(entry));
  OperandReference scaled{{}, {}, scale.place};
  scaled.node = in.graph.Add(std::move(draft));
  return scaled;
}

}  // namespace

void ReadLayerEntries(const StepContext& in, const SourceNode& list, const std::string& what,
                      NodeId id) {
  const std::string key(in.graph.at(id).node.op->list->name);
  const std::string name = in.graph.at(id).node.name;
  if (!in.reader.IsList(list, fmt::format("{}: '{}'", what, key),
                        fmt::format("Write {}: {}", key, kLayersExample))) {
    return;
  }
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const SourceNode& written = list.items[i];
    const std::string entry_name = fmt::format("{}.{}.{}", name, key, i + 1);
    const std::string entry_what = fmt::format("{}: {}[{}]", what, key, i + 1);
    OperandReference operand{{}, {}, written.place};
    OperandReference unscaled = operand;
    std::optional<LayerRange> layers;
    if (!written.map() || written.Find("op") != nullptr) {
      unscaled = operand = in.read_operand(written, entry_name, entry_what);
    } else {
      const SourceNode entry = WithMeantKeys(
          written, in.reader.CheckKeys(written, NamesOf(LayerEntryKeys()), entry_what));
      if (const SourceNode* model = entry.Find("model")) {
        unscaled = operand = in.read_operand(*model, entry_name, entry_what + ": 'model'");
      } else {
        in.reader.diagnostics().AddError(entry.place, entry_what + " has no 'model'",
                                         "Write {model: …, layers: 0-15}");
      }
      if (const SourceNode* range = entry.Find("layers")) {
        layers = ReadLayerRange(in.reader, *range, entry_what + ": 'layers'");
        in.graph.at(id).rows.emplace(fmt::format("{}[{}]", key, i + 1), range->place);
      }
      if (const SourceNode* scale = entry.Find("scale")) {
        operand =
            Scaled(in, std::move(operand), entry_name + ".scale", *scale, entry_what + ": 'scale'");
      }
    }
    in.graph.at(id).rows.emplace(fmt::format("{}[{}]", key, i + 1), written.place);
    in.graph.at(id).list.push_back(std::move(operand));
    in.graph.at(id).node.layers.push_back(layers);
    if (i == 0) in.graph.at(id).first = unscaled;
    in.graph.at(id).last = std::move(unscaled);
  }
}

}  // namespace weightsmith::internal
