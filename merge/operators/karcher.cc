#include "merge/arithmetic/karcher_mean.h"
#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerKarcher(Lowering& tape, const Arguments& given) {
  std::vector<Scalar> numbers{given.parameters.Number("iterations"),
                              given.parameters.Number("tolerance")};
  for (std::size_t i = 0; i < given.list.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      numbers.push_back(tape.Dot(given.list[i], given.list[j]));
    }
  }
  tape.TellIfAny("no middle", tape.Call(KarcherOpposite(), numbers, 0));
  Value sum = Value::Zero();
  for (std::size_t i = 0; i < given.list.size(); ++i) {
    sum = tape.Add(sum, tape.Scale(tape.Call(KarcherFactors(), numbers, i), given.list[i]));
    tape.Tell("angle", tape.Degrees(tape.Call(KarcherAngles(), numbers, i)), Unit::kDegrees,
              Subject::Entry(i));
  }
  return sum;
}

}  // namespace

const Operator& karcher() {
  static const Operator declaration{
      .name = "karcher",
      .summary = "The middle of any number of models on the sphere that their directions lie on.",
      .doc =
          "Every tensor is one vector. Of the directions that is found which has the least sum of "
          "squared arcs to all of them (their Karcher mean), by steps from their mean; it gets "
          "the average of the lengths. All models count alike. A tensor that is shorter than the "
          "tolerance has no direction, but counts as a length. Where directions are opposite to "
          "each other there is no middle, and the first stays.",
      .formula = "mean(|x_i|)*u, u of the least sum(angle(u, x_i)^2)",
      .source = "Karcher, 1977; mergekit's karcher",
      .example = "mix: {op: karcher, of: [photo, anime, base]}",
      .uses = {"blend several models and keep their strength", "language models"},
      .list = OperandListSpec{.name = "of", .doc = "The models."},
      .parameters = {{.name = "iterations",
                      .default_value = 10.0,
                      .low = 1,
                      .high = 1000,
                      .doc = "The largest number of steps.",
                      .whole = true},
                     {.name = "tolerance",
                      .default_value = 1e-5,
                      .low = 1e-12,
                      .high = 1,
                      .doc = "The length of a step that is not worth going."},
                     VaeParameter()},
      .check = CheckTwoFineTunes,
      .lower = LowerKarcher,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
