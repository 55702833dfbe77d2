#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/topic.h"
#include "core/model/architecture.h"
#include "core/model/block_list.h"
#include "merge/expression/list_words.h"

namespace weightsmith::internal::topics {
namespace {

/// Two columns, as the lines around it have them.
std::string Line(const std::string& left, std::string_view right) {
  constexpr std::size_t kLeft = 37;
  if (left.size() > kLeft) return fmt::format("  {}\n{:{}}{}\n", left, "", kLeft + 3, right);
  return fmt::format("  {:<{}} {}\n", left, kLeft, right);
}

/// Text encoders under the names of their declarations.
std::string EncoderNames() {
  std::vector<std::string_view> names;
  for (const Part* part : Parts()) {
    if (part->rows.front().component().kind == ComponentKind::kText) names.push_back(part->id);
  }
  return Line(fmt::format("{}", fmt::join(names, ", ")), "each by its name");
}

/// The blocks that lists of weights have numbers for, an architecture each.
std::string ListedBlocks() {
  std::string lines;
  for (const ListTakers& takers : TakersOfLists(false)) {
    lines += Line(fmt::format("{}", fmt::join(takers.ids, ", ")),
                  fmt::format("{}", fmt::join(BlocksOf(takers.lists.front()), ", ")));
  }
  return lines;
}

}  // namespace

const Topic& blocks() {
  static const Topic topic = {
      .name = "blocks",
      .summary = "The names of components and blocks",
      .text = R"(weightsmith blocks FILE lists the blocks of a file, --summary a line for each.

Components:

  unet = transformer = dit              the diffusion model
  te                                    all text encoders
  te1, te2, te3                         each, in the order of the architecture
)" + EncoderNames() +
              R"(  vae

Blocks, in two spellings:

  IN00, IN00-IN05                       unet.in.0, unet.in.0-5
  M00                                   unet.mid
  OUT00 …                               unet.out.0 …
  TIME, LABEL                           unet.time, unet.label
  D00, S00 …                            dit.double.0, dit.single.0 (FLUX.1)
                                        dit.joint.0, dit.joint.0-5 (SD 3)
                                        layer.0, embed, head (LLMs)
                                        te.layer.0, vae.encoder, vae.decoder

The architectures that have lists of block weights:

)" + ListedBlocks() +
              R"(
A model that is not known has the blocks of its names: trunk.4.attn.weight is
in trunk.4.

An element behind a colon selects whole segments of names:

  IN04-IN08:attn2                       cross attention of five blocks
  layer.0-31:self_attn
  unet:norm

  weightsmith: 1
  models: {photo: photo.safetensors, anime: anime.safetensors}
  steps:
    mix:
      op: weighted_sum
      a: photo
      b: anime
      alpha: {default: 0.3, IN04-IN08: 0.5, "unet.out:attn1": 0.1, vae: 0.2}
  output: {model: mix, path: mix.safetensors}
)"};
  return topic;
}

}  // namespace weightsmith::internal::topics
