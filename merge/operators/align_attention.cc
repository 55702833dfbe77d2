#include <algorithm>

#include "merge/arithmetic/attention_pairs.h"
#include "merge/arithmetic/block_members.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckAlignAttention(const ArgumentsGiven& given) {
  if (!given.Has("heads") && !given.Has("head_size")) return "`head_size` is missing, or `heads`";
  return CheckHeads(given);
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
  const Value turned =
      tape.Transformed(UnitsTurned(), std::span(&a, 1),
                       {.units = *heads, .own = *own, .slices = slices}, CompanionsToRead(members));
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
      .check_tensor = CheckHeadsFit,
      .lower = LowerAlignAttention,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
