#include "merge/arithmetic/block_members.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "merge/program/matrix.h"

namespace weightsmith::internal {
namespace {

using enum MemberRole;

// Stable Diffusion's feed-forward networks, with a gate.
constexpr BlockMember kGated[] = {{"ff.net.0.proj.weight", kHidden, false, 2},
                                  {"ff.net.0.proj.bias", kHidden, false, 2},
                                  {"ff.net.2.weight", kHidden, true}};
// Text encoders as Hugging Face and OpenCLIP call them.
constexpr BlockMember kClip[] = {
    {"mlp.fc1.weight"}, {"mlp.fc1.bias"}, {"mlp.fc2.weight", kHidden, true}};
constexpr BlockMember kOpenClip[] = {
    {"mlp.c_fc.weight"}, {"mlp.c_fc.bias"}, {"mlp.c_proj.weight", kHidden, true}};
// Language models like Llama.
constexpr BlockMember kLlama[] = {
    {"mlp.gate_proj.weight"}, {"mlp.up_proj.weight"}, {"mlp.down_proj.weight", kHidden, true}};
// Z-Image, Lumina and others that number them.
constexpr BlockMember kNumbered[] = {{"feed_forward.w1.weight"},
                                     {"feed_forward.w3.weight"},
                                     {"feed_forward.w2.weight", kHidden, true}};
// What a diffusion model makes of the time and of labels.
constexpr BlockMember kTime[] = {
    {"time_embed.0.weight"}, {"time_embed.0.bias"}, {"time_embed.2.weight", kHidden, true}};
constexpr BlockMember kLabel[] = {
    {"label_emb.0.0.weight"}, {"label_emb.0.0.bias"}, {"label_emb.0.2.weight", kHidden, true}};

constexpr BlockMember kUnetAttention[] = {{"to_q.weight", kQuery},
                                          {"to_k.weight", kKey},
                                          {"to_v.weight", kValue},
                                          {"to_out.0.weight", kOut, true}};
// A model has one of the last two: text encoders the first, language models the second.
constexpr BlockMember kTextAttention[] = {
    {"self_attn.q_proj.weight", kQuery},       {"self_attn.q_proj.bias", kQuery},
    {"self_attn.k_proj.weight", kKey},         {"self_attn.k_proj.bias", kKey},
    {"self_attn.v_proj.weight", kValue},       {"self_attn.v_proj.bias", kValue},
    {"self_attn.out_proj.weight", kOut, true}, {"self_attn.o_proj.weight", kOut, true}};
constexpr BlockMember kFusedAttention[] = {{"attn.in_proj_weight", kAllThree, false, 3},
                                           {"attn.in_proj_bias", kAllThree, false, 3},
                                           {"attn.out_proj.weight", kOut, true}};

constexpr std::span<const BlockMember> kGroups[] = {
    kGated, kClip,  kOpenClip,      kLlama,         kNumbered,
    kTime,  kLabel, kUnetAttention, kTextAttention, kFusedAttention};

}  // namespace

std::optional<BlockGroup> BlockGroupOf(std::string_view tensor) {
  for (const std::span<const BlockMember> group : kGroups) {
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (!tensor.ends_with(group[i].suffix)) continue;
      tensor.remove_suffix(group[i].suffix.size());
      return BlockGroup{std::string(tensor), group, i};
    }
  }
  return std::nullopt;
}

std::vector<std::string> BlockNames(std::string_view tensor) {
  std::vector<std::string> names;
  const auto group = BlockGroupOf(tensor);
  if (!group) return names;
  for (const BlockMember& member : group->members) {
    names.push_back(group->prefix + std::string(member.suffix));
  }
  return names;
}

std::vector<PresentMember> PresentMembers(const BlockGroup& group, const Arguments& given) {
  std::vector<PresentMember> present;
  const std::size_t count = given.companions.size() / 2;
  for (std::size_t i = 0; i < count; ++i) {
    const Companion& first = given.companions[i];
    const Companion& second = given.companions[count + i];
    const auto member = std::ranges::find_if(group.members, [&](const BlockMember& one) {
      return first.name == group.prefix + std::string(one.suffix);
    });
    if (first.shape != second.shape) return {};
    present.push_back({&*member,
                       member - group.members.begin() == static_cast<std::ptrdiff_t>(group.own),
                       first.shape,
                       {first.index, second.index}});
  }
  return present;
}

std::size_t UnitRows(const PresentMember& member) {
  const std::size_t axis = member.member->columns ? 1 : 0;
  if (member.shape.size() <= axis) return 0;
  return static_cast<std::size_t>(member.shape[axis]) / member.member->parts;
}

std::vector<UnitSlice> SlicesOf(std::span<const PresentMember> members) {
  std::vector<UnitSlice> slices;
  for (std::size_t m = 0; m < members.size(); ++m) {
    const PresentMember& one = members[m];
    const std::size_t rows = UnitRows(one);
    for (std::size_t part = 0; part < one.member->parts; ++part) {
      slices.push_back({.companion = m,
                        .rows = static_cast<std::size_t>(one.shape[0]),
                        .columns = one.shape.size() > 1 ? MatrixSizeOf(one.shape).columns : 1,
                        .turned = one.member->columns,
                        .first = part * rows,
                        .count = rows});
    }
  }
  return slices;
}

std::vector<CompanionIndex> CompanionsToRead(std::span<const PresentMember> members) {
  std::vector<CompanionIndex> indices;
  for (const std::size_t operand : {0, 1}) {
    for (const PresentMember& one : members) indices.push_back(one.index[operand]);
  }
  return indices;
}

std::optional<std::size_t> OwnMember(std::span<const PresentMember> members) {
  const auto own = std::ranges::find(members, true, &PresentMember::own);
  if (own == members.end()) return std::nullopt;
  return static_cast<std::size_t>(own - members.begin());
}

std::vector<ParameterSpec> HeadParameters() {
  return {{.name = "heads",
           .optional = true,
           .by_place = true,
           .low = 1,
           .high = 65535,
           .doc = "How many heads an attention has; of keys, where they are fewer than queries. Of "
                  "language models another number than theirs is an error, where the norm of "
                  "queries or a config.json beside the file says theirs.",
           .whole = true},
          {.name = "head_size",
           .optional = true,
           .by_place = true,
           .low = 1,
           .high = 65535,
           .doc = "How many rows a head has.",
           .whole = true}};
}

namespace {

/// The first of the keys; null where there are none.
const PresentMember* FindKeys(std::span<const PresentMember> members) {
  const auto keys = std::ranges::find_if(members, [](const PresentMember& one) {
    return one.member->role == kKey || one.member->role == kAllThree;
  });
  return keys == members.end() ? nullptr : &*keys;
}

/// "" or that the number gives heads of another size than the model's.
std::string CheckHeadSize(const Arguments& given, std::size_t rows, std::size_t wanted,
                          bool counts) {
  const auto known = static_cast<std::size_t>(given.head_size);
  const std::size_t size = counts ? rows / wanted : wanted;
  if (known == 0 || rows % known != 0 || size == known) return "";
  return fmt::format(
      "{} {} makes heads of {} rows of the {} rows of its keys, and the model has {} of {} rows\n"
      "The norm of its queries or its config.json says so; keys are counted, not queries. Write "
      "`heads: {}` or `head_size: {}`.",
      counts ? "`heads`" : "`head_size`", wanted, size, rows, rows / known, known, rows / known,
      known);
}

}  // namespace

std::string CheckHeads(const ArgumentsGiven& given) {
  const bool both = given.Has("heads") && given.Has("head_size");
  return both ? "`heads` and `head_size` say the same: write one" : "";
}

std::string CheckHeadsFit(const Arguments& given) {
  const auto group = BlockGroupOf(given.local_name);
  if (!group || !group->attention()) return "";
  const std::vector<PresentMember> members = PresentMembers(*group, given);
  const PresentMember* const keys = FindKeys(members);
  const auto heads = given.parameters.NumberIfGiven("heads");
  const auto size = given.parameters.NumberIfGiven("head_size");
  if (keys == nullptr || (!heads && !size)) return "";
  const std::size_t rows = UnitRows(*keys);
  const auto wanted = static_cast<std::size_t>(std::rint(heads ? *heads : *size));
  if (rows == 0 || rows % wanted == 0) return CheckHeadSize(given, rows, wanted, heads.has_value());
  const auto queries =
      std::ranges::find(members, kQuery, [](const PresentMember& one) { return one.member->role; });
  const std::size_t query_rows = queries == members.end() ? rows : UnitRows(*queries);
  std::string problem = fmt::format("{} {} does not divide the {} rows of its keys",
                                    heads ? "`heads`" : "`head_size`", wanted, rows);
  // Of queries, which groups share keys of: the keys have as many less.
  if (heads && query_rows > rows && wanted * rows % query_rows == 0) {
    problem += fmt::format("\nKeys are counted, not queries: with {} heads of queries, write {}.",
                           wanted, wanted * rows / query_rows);
  } else {
    problem += "\nGive the number that fits, by place where it differs.";
  }
  return problem;
}

std::optional<std::size_t> HeadCount(std::span<const PresentMember> members,
                                     const Arguments& given) {
  const PresentMember* const keys = FindKeys(members);
  if (keys == nullptr) return std::nullopt;
  const std::size_t rows = UnitRows(*keys);
  const auto heads = given.parameters.NumberIfGiven("heads");
  const auto size = given.parameters.NumberIfGiven("head_size");
  if (!heads && !size) return std::nullopt;
  const auto wanted = static_cast<std::size_t>(std::rint(heads ? *heads : *size));
  if (wanted == 0 || rows % wanted != 0) return std::nullopt;
  return heads ? wanted : rows / wanted;
}

}  // namespace weightsmith::internal
