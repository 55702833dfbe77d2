#include "recipes/parser/seeds.h"

#include <fmt/format.h>

#include <map>

#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

struct Seed {
  std::uint64_t number = 0;
  bool shared = false;
  SourcePlace place;
};

/// Nothing for a step that draws no random numbers.
std::optional<Seed> SeedIn(const DraftNode& draft) {
  if (draft.node.op == nullptr) return std::nullopt;
  const std::optional<std::uint64_t> number = SeedOf(draft.node);
  if (!number) return std::nullopt;
  const auto written = draft.rows.find("seed");
  return Seed{*number, SharesSeed(draft.node),
              written != draft.rows.end() ? written->second : draft.place};
}

/// " (line 4, column 12)"; nothing where no person wrote it.
std::string PlaceInWords(const SourcePlace& place) {
  const SourcePlace origin = OriginOf(place);
  if (origin.source == nullptr || origin.source->generated || origin.line == 0) return "";
  return fmt::format(" (line {}, column {})", origin.line, origin.column);
}

}  // namespace

void CheckSeeds(const Graph& graph, const std::vector<bool>& used, Diagnostics& diagnostics) {
  struct First {
    const DraftNode* step = nullptr;
    Seed seed;
  };
  std::map<std::uint64_t, First> first;
  for (const NodeId id : graph.order()) {
    const DraftNode& draft = graph.nodes()[id];
    const std::optional<Seed> seed = used[id] ? SeedIn(draft) : std::nullopt;
    if (!seed || seed->shared) continue;
    const auto [other, fresh] = first.try_emplace(seed->number, First{&draft, *seed});
    if (fresh) continue;
    const auto& [step, theirs] = other->second;
    diagnostics.AddError(
        seed->place,
        fmt::format("steps {}{} and {}{} draw their random numbers from one seed, {}",
                    Quote(step->node.name), PlaceInWords(theirs.place), Quote(draft.node.name),
                    PlaceInWords(seed->place), seed->number),
        fmt::format("Write another seed, such as seed: {}; or seed_shared: true, where the same "
                    "choice is meant.",
                    seed->number + 1));
  }
}

}  // namespace weightsmith::internal
