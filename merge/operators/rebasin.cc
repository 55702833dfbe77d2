#include <algorithm>

#include "merge/arithmetic/block_members.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerRebasin(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  if (given.local_name.empty()) return tape.Transformed(UnitsMatched(), std::span(&a, 1), {});
  const auto group = BlockGroupOf(given.local_name);
  if (!group || a == given.operands[1]) return a;
  const std::vector<PresentMember> members = PresentMembers(*group, given);
  const auto own = OwnMember(members);
  if (!own || members.size() < 2) return a;
  const auto units =
      group->attention() ? HeadCount(members, given) : std::optional(UnitRows(members.front()));
  const auto fits = [&](const PresentMember& one) {
    return UnitRows(one) > 0 && UnitRows(one) % *units == 0;
  };
  if (!units || *units < 2 || !std::ranges::all_of(members, fits)) return a;
  const Value matched = tape.Transformed(
      UnitsMatched(), std::span(&a, 1), {.units = *units, .own = *own, .slices = SlicesOf(members)},
      CompanionsToRead(members));
  tape.TellCount("moved", tape.ToldBy(matched, 0), tape.ToldBy(matched, 1));
  return matched;
}

}  // namespace

const Operator& rebasin() {
  static const Operator declaration{
      .name = "rebasin",
      .summary = "Permutes the units inside a's blocks so that they stand where b's stand.",
      .doc =
          "Models that were trained apart have the same units in another order, and blending them "
          "element by element mixes what does not belong together. The hidden units of every "
          "feed-forward network of a are put in the order in which all its tensors are nearest to "
          "those of b, and with `heads` or `head_size` the heads of every attention. What a "
          "computes stays the same; blend the result with b. Fine-tunes of one base have their "
          "units in one order already.\n\n"
          "It knows the blocks of Stable Diffusion and SDXL, of their text encoders, of language "
          "models like Llama (where keys are fewer than queries, groups of heads are permuted), "
          "and the feed-forward networks of Z-Image and its relatives. Others stay as they are, as "
          "do heads whose number was not given, and the stream between blocks: sd-mecha permutes "
          "the elements of a head as well. a and b have to be models, because a tensor is compared "
          "with all of its block. The tensors of a block are held whole.",
      .formula =
          "P*W or W*P', the permutation P of one block with the largest sum of <b, permuted a> "
          "over "
          "its tensors",
      .source = "Git Re-Basin, arXiv:2209.04836; after sd-mecha's rebasin",
      .example = "near: {op: rebasin, a: photo, b: anime, head_size: 64}",
      .uses = {"models that were trained apart", "prepare a blend"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "What is permuted."},
                   {.name = "b", .kind = Kind::kWeight, .doc = "What it is brought near to."}},
      .result = Kind::kWeight,
      .parameters = HeadParameters(),
      .expects_effect = false,
      .companions = BlockNames,
      .check = CheckHeads,
      .check_tensor = CheckHeadsFit,
      .lower = LowerRebasin,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
