#include "merge/operator.h"
#include "merge/program/matrix.h"
#include "merge/program/truncation.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckTruncateRank(const ArgumentsGiven& given) {
  if (given.Has("rank") && given.Has("ratio")) return "`rank` and `ratio` say the same: write one";
  return given.Has("rank") || given.Has("ratio") ? "" : "`rank` is missing, or `ratio`";
}

Value LowerTruncateRank(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const RankLimit limit{.rank = given.parameters.NumberIfGiven("rank"),
                        .ratio = given.parameters.NumberIfGiven("ratio")};
  if (given.shape.size() == 1) return a;
  if (given.shape.size() > 1) {
    const auto all = static_cast<double>(KeptRanks(given.shape, {.ratio = 1}));
    const auto kept = static_cast<double>(KeptRanks(given.shape, limit));
    tape.TellCount("rank", kept, all);
    if (kept == all) return a;
  }
  const Value truncated = tape.Transformed(LargestRanks(), std::span(&a, 1), limit);
  tape.TellIfAny("not finite", tape.ToldBy(truncated, kToldNotFinite));
  return truncated;
}

}  // namespace

const Operator& truncate_rank() {
  static const Operator declaration{
      .name = "truncate_rank",
      .summary = "Keeps the largest singular values of each matrix, and leaves out the rest.",
      .doc =
          "What a fine-tune learned is mostly in a few directions of each matrix; the others carry "
          "noise, or what it forgot. Kept are `rank` directions, or a share of all with `ratio` "
          "(to "
          "the nearest number). A convolution is a matrix of its outputs and all else. What is no "
          "matrix stays as it is. The result is exact: from 2,048 directions on, few are looked "
          "for "
          "in a subspace, and all where these do not come near enough.\n\n"
          "sd-mecha draws its subspace at random and goes through it twice, so that its results "
          "are near to these and differ from run to run.",
      .formula = "sum of s_r*u_r*v_r' over the `rank` largest s of a = U*S*V'",
      .source = "Eckart and Young, 1936; sd-mecha's truncate_rank",
      .example = "small: {op: truncate_rank, a: change, rank: 32}",
      .uses = {"leave noise out of a fine-tune", "what a LoRA of that rank would keep"},
      .operands = {{.name = "a", .doc = "A difference, or a model."}},
      .parameters = {{.name = "rank",
                      .optional = true,
                      .by_place = true,
                      .low = 0,
                      .high = 65535,
                      .doc = "How many directions are kept.",
                      .whole = true},
                     {.name = "ratio",
                      .optional = true,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "The share of all directions that is kept."}},
      .check = CheckTruncateRank,
      .lower = LowerTruncateRank,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
