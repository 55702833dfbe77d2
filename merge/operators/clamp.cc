#include "core/base/text.h"
#include "merge/arithmetic/model_limits.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckClamp(const ArgumentsGiven& given) {
  const bool numbers = given.Has("low") || given.Has("high");
  if (numbers && given.list > 0) return "give either `low` and `high`, or `to`, not both";
  if (!numbers && given.list == 0)
    return "give `low`, `high` or both, or two or more models in `to`";
  if (given.list == 1) return "`to` has one entry: the limits are taken from two or more";
  const auto stiffness = given.numbers.find("stiffness");
  const bool stiff =
      stiffness == given.numbers.end() ? given.Has("stiffness") : stiffness->second != 0;
  if (numbers && stiff) return "`stiffness` is of limits that `to` sets";
  const auto low = given.numbers.find("low");
  const auto high = given.numbers.find("high");
  if (low == given.numbers.end() || high == given.numbers.end()) return "";
  if (!(low->second > high->second)) return "";  // one that was left out is NaN
  return "`low` is " + FormatNumber(low->second) + ", above `high`, " + FormatNumber(high->second);
}

Value ToNumbers(Lowering& tape, Value a, std::optional<double> low, std::optional<double> high) {
  if (low) a = tape.Max(a, tape.Constant(*low));
  if (high) a = tape.Min(a, tape.Constant(*high));
  return a;
}

Value ToModels(Lowering& tape, Value a, std::span<const Value> models, double stiffness) {
  ModelLimits limits = LimitsOf(tape, models);
  if (stiffness != 0) {
    const ModelLimits next = NextToMean(tape, models, limits);
    limits.low = tape.AddDifference(limits.low, stiffness, next.low, limits.low);
    limits.high = tape.AddDifference(limits.high, stiffness, next.high, limits.high);
  }
  return tape.Min(tape.Max(a, limits.low), limits.high);
}

Value LowerClamp(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value limited =
      given.list.empty()
          ? ToNumbers(tape, a, given.parameters.NumberIfGiven("low"),
                      given.parameters.NumberIfGiven("high"))
          : ToModels(tape, a, given.list, tape.Round(given.parameters.Number("stiffness")));
  tape.TellShare("limited", tape.Subtract(limited, a));
  return limited;
}

}  // namespace

const Operator& clamp() {
  static const Operator declaration{
      .name = "clamp",
      .summary = "Limits every element, to numbers or to the range that other models span.",
      .doc =
          "With low and high (either may be left out) elements below or above become that number. "
          "With to, each element is limited to the least and the greatest that the listed models "
          "have in its place: an add_difference that is clamped to its first two models stays "
          "between them. With stiffness the limits go inwards, that share of the way to the values "
          "of the models that are next to the mean of all, above and below; of two models there "
          "are none between. A VAE that an earlier step computed is limited with the rest; one "
          "that is "
          "a model's own only with `vae: true`.",
      .formula =
          "min(max(a, low), high), where to gives high = max(to...), of a stiffness high = "
          "max(to...) "
          "+ stiffness*(min(those of to that are at least mean(to...)) - max(to...)), and low "
          "likewise",
      .source = "sd-mecha's clamp; SD.Next's and meh's weights clip",
      .example = "safe: {op: clamp, a: style, to: [photo, anime]}",
      .uses = {"keep a merge within the range of its parents", "limit outliers",
               "repair oversaturated colours"},
      .operands = {{.name = "a", .doc = "What is limited."}},
      .list = OperandListSpec{.name = "to", .optional = true, .doc = "Models that set the limits."},
      .parameters = {{.name = "low", .optional = true, .doc = "Least value."},
                     {.name = "high", .optional = true, .doc = "Greatest value."},
                     {.name = "stiffness",
                      .default_value = 0.0,
                      .low = 0,
                      .high = 1,
                      .doc = "How far the limits that models set go inwards."},
                     VaeParameter()},
      .follows = true,
      .check = CheckClamp,
      .lower = LowerClamp,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
