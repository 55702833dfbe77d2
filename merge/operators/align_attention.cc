#include <algorithm>
#include <map>

#include "merge/arithmetic/block_members.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckAlignAttention(const ArgumentsGiven& given) {
  if (!given.Has("heads") && !given.Has("head_size")) return "`head_size` is missing, or `heads`";
  return CheckHeads(given);
}

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

/// Slices with their pairs. Of a pair the wider side counts less, by its width; biases are a column
/// of their side, also of what comes out, where they are 0.
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

/// Whether heads of a pair have one size, and may be turned: positions turn queries and keys of
/// language models too.
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

Value LowerAlignAttention(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  if (given.local_name.empty()) return tape.Transformed(UnitsTurned(), std::span(&a, 1), {});
  const auto group = BlockGroupOf(given.local_name);
  if (!group || !group->attention() || a == given.operands[1]) return a;
  const std::vector<PresentMember> members = PresentMembers(*group, given);
  const auto own = OwnMember(members);
  const auto heads = HeadCount(members, given);
  if (!own || !heads ||
      std::ranges::any_of(members, [](const PresentMember& one) { return UnitRows(one) == 0; })) {
    return a;
  }
  const std::vector<UnitSlice> slices = PairedSlices(members);
  if (!MayTurn(members, slices, *heads, *own)) return a;
  const Value turned = tape.Transformed(UnitsTurned(), std::span(&a, 1),
                                        NumbersOf(*heads, *own, slices), CompanionsToRead(members));
  tape.Tell("turned by", tape.Degrees(tape.ToldBy(turned, 0)), Unit::kDegrees);
  return turned;
}

}  // namespace

const Operator& align_attention() {
  static const Operator declaration{
      .name = "align_attention",
      .summary = "Turns the heads of a's attention so that they are nearest to those of b.",
      .doc =
          "Inside a head, queries and keys may be turned by one orthogonal matrix, and values and "
          "what comes out by another, without any change of what the model computes. Those are "
          "taken that bring the tensors of a nearest to those of b; blend the result with b. The "
          "number of heads, or how many rows one has, has to be given, by place where it differs: "
          "64 rows for SDXL and for text encoders, 8 heads for Stable Diffusion 1.\n\n"
          "It knows the attention of Stable Diffusion and SDXL and of their text encoders; of "
          "language models like Llama values and what comes out, where they have as many heads as "
          "queries, since their positions fix queries and keys. Others stay as they are. Where the "
          "two of a pair read different widths, the wider one counts less. sd-mecha's "
          "balance_attention, which evens out the tensors of one model, is not this. a and b have "
          "to be models, because a tensor is "
          "compared with all of its block. The tensors of a block are held whole.",
      .formula = "R*W or W*R' for each head, R = polar(sum of W_b*W_a' over the tensors of a pair)",
      .source = "Schönemann, 1966, for each head; the choice of heads and pairs is ours",
      .example = "near: {op: align_attention, a: photo, b: anime, head_size: 64}",
      .uses = {"models that were trained apart", "prepare a blend"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "What is turned."},
                   {.name = "b", .kind = Kind::kWeight, .doc = "What it is brought near to."}},
      .result = Kind::kWeight,
      .parameters = HeadParameters(),
      .expects_effect = false,
      .companions = BlockNames,
      .check = CheckAlignAttention,
      .lower = LowerAlignAttention,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
