#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "merge/arithmetic/adjusted_layers.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

constexpr std::array<std::string_view, 5> kTones{"contrast", "brightness", "red", "green", "blue"};
constexpr double kToneStep = 0.02;

std::string CheckAdjust(const ArgumentsGiven& given) {
  const auto has = [&](std::string_view number) { return given.Has(number); };
  const bool any = std::ranges::any_of(AdjustedLayers(), has, &AdjustedLayer::detail) ||
                   std::ranges::any_of(kTones, has);
  return any ? "" : "give a number of what is to change, `contrast: 1`";
}

std::string CheckAdjustTensor(const Arguments& given) {
  return given.tensor == "model.diffusion_model.out.2.bias" && given.tones == nullptr
             ? "it is for models whose latents have the four channels of Stable Diffusion"
             : "";
}

bool IsAdjusted(const Arguments& given) {
  return AdjustedLayerOf(given.tensor) != nullptr;
}

/// A number for each channel, in a tensor of as many elements.
Value ToneChannels(Lowering& tape, const Arguments& given) {
  const LatentTones& tones = *given.tones;
  Value channels = Value::Zero();
  for (std::size_t channel = tones.size(); channel-- > 0;) {
    double sum = 0;
    for (std::size_t tone = 0; tone < kTones.size(); ++tone) {
      sum += tones[channel][tone] * given.parameters.Number(kTones[tone]);
    }
    channels = tape.KeepExtra(tape.Constant(kToneStep * sum), channels, tones.size(), channel + 1);
  }
  return channels;
}

Value LowerAdjust(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const AdjustedLayer* const layer = AdjustedLayerOf(given.tensor);
  if (layer == nullptr) return a;
  if (!layer->detail.empty()) {
    const double factor = 1 + layer->step * given.parameters.Number(layer->detail);
    if (factor != 1) tape.Tell("factor", factor);
    return tape.Scale(factor, a);
  }
  const auto given_tone = [&](std::string_view tone) { return given.parameters.Number(tone) != 0; };
  if (given.tones == nullptr || std::ranges::none_of(kTones, given_tone)) return a;
  return tape.Add(a, ToneChannels(tape, given));
}

}  // namespace

const Operator& adjust() {
  static const Operator declaration{
      .name = "adjust",
      .summary = "More or less detail, contrast, brightness and colour, by a few weights.",
      .doc =
          "The first and the last layers of a diffusion model are scaled, and the "
          "four channels of its latents get a little more of a tone. Numbers are "
          "those of SuperMerger: its list of eight is detail_in, detail_out, detail_last, "
          "contrast, "
          "brightness, red, green, blue. Above 0, `detail_in` and `detail_out` mean more detail "
          "with a little less noise, `detail_last` less of everything that the last layer "
          "draws, red is the way from cyan to red, green that from magenta to green, "
          "blue that from yellow to blue. Values of a few units are strong. Other "
          "tensors stay byte for byte. Only for Stable Diffusion 1, 2 and XL.",
      .formula =
          "weights of input_blocks.0.0, out.0, out.2: a*(1 - 0.01*n); biases of the "
          "first two: a*(1 + 0.02*n); out.2.bias: a + 0.02*tones*n",
      .source = "SuperMerger, \"Adjust\"; Chattiori's fine",
      .example = "x: {op: adjust, a: photo, detail_in: 1, contrast: 2, brightness: -0.5}",
      .uses = {"restore contrast", "fix washed-out colours", "more detail"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "The model that is changed."}},
      .result = Kind::kWeight,
      .parameters =
          {{.name = "detail_in",
            .default_value = 0.0,
            .low = -100,
            .high = 100,
            .doc = "Detail, at the first layer."},
           {.name = "detail_out",
            .default_value = 0.0,
            .low = -100,
            .high = 100,
            .doc = "Detail, at the last normalisation."},
           {.name = "detail_last",
            .default_value = 0.0,
            .low = -100,
            .high = 100,
            .doc = "At the last layer."},
           {.name = "contrast", .default_value = 0.0, .low = -100, .high = 100, .doc = "Contrast."},
           {.name = "brightness",
            .default_value = 0.0,
            .low = -100,
            .high = 100,
            .doc = "Brightness."},
           {.name = "red",
            .default_value = 0.0,
            .low = -100,
            .high = 100,
            .doc = "From cyan to red."},
           {.name = "green",
            .default_value = 0.0,
            .low = -100,
            .high = 100,
            .doc = "From magenta to green."},
           {.name = "blue",
            .default_value = 0.0,
            .low = -100,
            .high = 100,
            .doc = "From yellow to blue."},
           VaeParameter()},
      .concerns = IsAdjusted,
      .lacks = "has none of the layers that adjust changes: it is for Stable Diffusion 1, 2 and XL",
      .check = CheckAdjust,
      .check_tensor = CheckAdjustTensor,
      .lower = LowerAdjust,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
