#include "recipes/jobs/adapter_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/json-inl.h"
#include "core/base/text.h"
#include "core/model/blocks.h"
#include "merge/adapters/declared_aliases.h"

namespace weightsmith::internal {
namespace {

using Counts = AdapterInfo::Counts;

void Count(AdapterInfo& info) {
  for (const AdapterModule& module : info.adapter->modules) {
    const StemNaming naming = StemNamingOf(module.stem);
    ++info.families[std::string(module.family->id)];
    ++info.namings[std::string(naming.id)];
    ++info.components[naming.component.empty() ? "?" : std::string(naming.component)];
    if (module.rank > 0) ++info.ranks[fmt::format("{}", module.rank)];
    if (module.family->rank != nullptr) {
      ++info.alphas[module.alpha ? FormatNumber(*module.alpha) : "none"];
    }
    info.dora += module.dora() ? 1 : 0;
  }
}

}  // namespace

AdapterInfo ReadAdapterInfo(std::shared_ptr<const Checkpoint> checkpoint) {
  AdapterInfo info;
  info.adapter = std::make_shared<const Adapter>(ReadAdapter(*checkpoint));
  info.checkpoint = std::move(checkpoint);
  info.made_for = TellMadeFor(*info.adapter);
  if (info.made_for.architectures.empty()) info.named_like = NamedLike(*info.adapter);
  Count(info);
  return info;
}

std::optional<AdapterInfo> FindAdapter(std::shared_ptr<const Checkpoint> checkpoint) {
  const std::size_t all = checkpoint->tensors().size();
  try {
    AdapterInfo info = ReadAdapterInfo(std::move(checkpoint));
    std::size_t applied = 0;
    for (const AdapterModule& module : info.adapter->modules) {
      if (module.problem.empty()) applied += module.tensors.size();
    }
    if (2 * applied >= all) return info;
  } catch (const Error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string> FrequentTags(const AdapterInfo& info) {
  constexpr std::size_t kShown = 10;
  constexpr std::size_t kMostBytes = 16 << 20;
  const Metadata metadata = info.checkpoint->metadata().value_or(Metadata());
  const auto found = metadata.find("ss_tag_frequency");
  if (found == metadata.end() || found->second.size() > kMostBytes) return {};
  const Json folders = ParseJsonIfValid(found->second);
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
  for (std::size_t i = 0; i < std::min(kShown, sorted.size()); ++i) {
    tags.push_back(sorted[i].second);
  }
  return tags;
}

Counts ModulesByBlock(const AdapterInfo& info) {
  Counts counts;
  if (info.made_for.architectures.empty()) return counts;
  const DeclaredAliases declared(info.made_for.architectures.front(), {});
  for (const AdapterModule& module : info.adapter->modules) {
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

}  // namespace weightsmith::internal
