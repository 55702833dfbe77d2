#include "merge/arithmetic/attention_pairs.h"

#include <algorithm>
#include <map>

namespace weightsmith::internal {
namespace {

/// Of the parts of a tensor that has all three, the last is the value.
MemberRole RoleOfSlice(const PresentMember& member, const UnitSlice& slice) {
  constexpr MemberRole kParts[] = {MemberRole::kQuery, MemberRole::kKey, MemberRole::kValue};
  if (member.member->role != MemberRole::kAllThree) return member.member->role;
  return kParts[slice.first / slice.count];
}

/// Queries with keys, and values with what comes out: a pair that is turned alike computes the
/// same.
std::size_t PairOfRole(MemberRole role) {
  return role == MemberRole::kQuery || role == MemberRole::kKey ? 0 : 1;
}

}  // namespace

std::vector<UnitSlice> PairedSlices(std::span<const PresentMember> members) {
  std::vector<UnitSlice> slices = SlicesOf(members);
  std::map<MemberRole, double> width;
  for (const UnitSlice& slice : slices) {
    const PresentMember& member = members[slice.companion];
    width[RoleOfSlice(member, slice)] +=
        static_cast<double>(slice.turned ? slice.rows : slice.columns);
  }
  const auto is_bias = [](const PresentMember& one) { return one.shape.size() == 1; };
  if (std::ranges::any_of(members, is_bias)) width[MemberRole::kOut] += 1;
  for (UnitSlice& slice : slices) {
    const MemberRole role = RoleOfSlice(members[slice.companion], slice);
    slice.pair = PairOfRole(role);
    double narrower = width[role];
    for (const auto& [other, columns] : width) {
      if (PairOfRole(other) == slice.pair) narrower = std::min(narrower, columns);
    }
    slice.scale = narrower / width[role];
  }
  return slices;
}

bool MayTurn(std::span<const PresentMember> members, std::span<const UnitSlice> slices,
             std::size_t heads, std::size_t own) {
  const auto positions = [](const PresentMember& one) {
    return one.member->suffix.ends_with("o_proj.weight") &&
           !one.member->suffix.ends_with("out_proj.weight");
  };
  const bool rotary = std::ranges::any_of(members, positions);
  std::map<std::size_t, std::size_t> count;
  for (const UnitSlice& slice : slices) {
    if (slice.count % heads != 0) return false;
    if (slice.companion == own && rotary && slice.pair == 0) return false;
    const auto [known, first] = count.try_emplace(slice.pair, slice.count);
    if (!first && known->second != slice.count) return false;
  }
  return true;
}

}  // namespace weightsmith::internal
