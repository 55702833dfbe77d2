#include "cli/topic.h"

namespace weightsmith::internal::topics {

const Topic& recipe() {
  static const Topic topic = {
      .name = "recipe",
      .summary = "How a recipe is written",
      .text = R"(A recipe is a YAML (or JSON) file. It names the files that go in, the arithmetic
between them, and the file that comes out:

  weightsmith: 1                        # version of the language, required
  models:                               # name: file
    photo: photo.safetensors
    anime: anime.safetensors
    base: base.safetensors
  vars: {strength: 0.8}                 # values that --set can change
  steps:                                # name: {operator, operands, parameters}
    styled: {op: add_difference, a: photo, b: anime, c: base, alpha: $strength}
    mix: {op: weighted_sum, a: styled, b: photo, alpha: 0.3}
  output: {model: mix, path: mix.safetensors, dtype: f16}

weightsmith validate mix.yaml           checks it, and shows all problems
weightsmith plan mix.yaml               shows what it would read and write
weightsmith merge mix.yaml              runs it
weightsmith merge mix.yaml --set strength=0.5 -o half.safetensors

The rules:

  Indent with spaces, two for each level. A space follows each colon.
  alpha 0.3 is 30 % of b: numbers have a point, no comma and no percent sign.
  Operands (a, b, c, model) are names of models or steps, never paths.
  $name is the value of a variable; {name} inserts it into a path or title.
  Paths start at the folder of the recipe. ~ and $HOME are not expanded; write
  / for \. Nothing is downloaded.

A LoRA has a table of its own, and the operator bake:

  weightsmith: 1
  models: {photo: photo.safetensors}
  adapters: {detail: detail.safetensors}
  steps:
    out: {op: bake, model: photo, adapters: ["detail:0.6"]}
  output: {model: out, path: out.safetensors}

Several results share one pass over the files, and a component may come from
another model:

  weightsmith: 1
  models: {photo: a.safetensors, anime: b.safetensors, vae: vae.safetensors}
  steps:
    light: {op: weighted_sum, a: photo, b: anime, alpha: 0.2}
    heavy: {op: weighted_sum, a: photo, b: anime, alpha: 0.6}
  outputs:
    - {model: light, path: light.safetensors}
    - {model: heavy, path: heavy.safetensors, components: {vae: vae}}

weightsmith ops                         the operators
weightsmith help weights                alpha by block, component and tensor
weightsmith help blocks                 the names of blocks
weightsmith merge A B --print-recipe    a recipe to start from
)"};
  return topic;
}

}  // namespace weightsmith::internal::topics
