#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/topic.h"
#include "core/model/architecture.h"
#include "core/model/block_list.h"
#include "core/model/blocks.h"
#include "merge/expression/list_words.h"

namespace weightsmith::internal::topics {
namespace {

/// The lists of merges, a line each: who takes it, and its places in order.
std::string Lists() {
  std::string lines;
  for (const ListTakers& takers : TakersOfLists(false)) {
    std::string ids = fmt::format("{}", fmt::join(takers.ids, ", "));
    for (const BlockList& list : takers.lists) {
      const ListRow* vae = list.RowOf(ComponentKind::kVae, "vae", {});
      lines += fmt::format("  {:<10} {:>2} numbers: {}{}\n", ids, list.length(),
                           fmt::join(PlacesOf(list), ", "),
                           vae == nullptr || !vae->number ? " (not the VAE)" : "");
      ids.clear();
    }
  }
  return lines;
}

}  // namespace

const Topic& weights() {
  static const Topic topic = {
      .name = "weights",
      .summary = "How alpha and its like vary by block, component and tensor",
      .text = R"(Where an operator takes a number by place, it takes one of these.

A number or a variable, for everything but the VAE:

  alpha: 0.3
  alpha: $w

Rows of places, of which the most specific one wins, in whatever order they are
written:

  weightsmith: 1
  models: {photo: photo.safetensors, anime: anime.safetensors}
  steps:
    mix:
      op: weighted_sum
      a: photo
      b: anime
      alpha:
        default: 0.3                    # every tensor
        te: 0                           # a component: unet, te, te1, vae
        IN00-IN05: 0.1                  # a range of blocks
        M00: 0.5                        # a block
        "IN04-IN08:attn2": 0.6          # an element of blocks
        "/out\\.2\\.bias/": 0           # names of tensors, a regular expression
  output: {model: mix, path: mix.safetensors}

A list in the community's order:

  alpha: [0.5, 0, 0.1, 0.2, …]

)" + Lists() + R"(
BASE is the weight of the text encoders and, as in SuperMerger, of the VAE where
the list has no number of its own for it.

A preset, a preset scaled, or a shape over the depth of any model:

  alpha: GRAD_V
  alpha: {preset: GRAD_V, scale: 0.5, offset: 0.1}
  alpha: {curve: [0, 1, 0]}

A list as the value of a row is a shape over that row: IN00-IN11: [0, 1].

The VAE stays that of the leftmost model with a number and with rows that do not
name vae. A list merges it as above.

On the command line:

  weightsmith merge A B --alpha 0.3,te=0,IN00-IN05=0.1
  weightsmith merge A B --mbw GRAD_V
  weightsmith blocks A                  what each number means for this file
)"};
  return topic;
}

}  // namespace weightsmith::internal::topics
