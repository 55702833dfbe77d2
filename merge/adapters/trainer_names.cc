#include "merge/adapters/trainer_names.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "core/model/architecture.h"
#include "core/model/text_encoders.h"

namespace weightsmith::internal {
namespace {

using Where = NameAlias::Where;

/// A path whose prefix or suffix is another one.
struct OtherPath {
  NameAlias name;
  std::uint32_t parts = 0;
  bool whole = false;
};

constexpr OtherPath kOtherPaths[] = {
    // Text models stand in files with and without the step that is before all their names.
    {{Where::kPrefix, "text_model.", ""}},
    // PEFT wraps a language model, or its trunk alone.
    {.name = {Where::kPrefix, "model.", "base_model.model."}, .whole = true},
    // SDXL's to diffusers; unCLIP's, and of both to ComfyUI.
    {{Where::kPrefix, "add_embedding.", "class_embedding."}},
    // Older diffusers have no number of the output's projection.
    {{Where::kSuffix, ".to_out.0", ".to_out"}},
    // XLabs names the processors of FLUX.1's attention, and in them the two streams by number. In
    // single blocks they leave out the last part of the fused matrix.
    {{Where::kSuffix, ".img_attn.qkv", ".processor.qkv_lora1"}},
    {{Where::kSuffix, ".img_attn.proj", ".processor.proj_lora1"}},
    {{Where::kSuffix, ".txt_attn.qkv", ".processor.qkv_lora2"}},
    {{Where::kSuffix, ".txt_attn.proj", ".processor.proj_lora2"}},
    {{Where::kSuffix, ".linear1", ".processor.qkv"}, 3},
    {{Where::kSuffix, ".linear1", ".linear1_qkv"}, 3},
    {{Where::kSuffix, ".linear2", ".processor.proj"}},
};

std::optional<std::string> PathOf(const std::string& path, const NameAlias& name) {
  if (name.where == Where::kPrefix) {
    if (!path.starts_with(name.from)) return std::nullopt;
    return std::string(name.to) + path.substr(name.from.size());
  }
  if (!path.ends_with(name.from)) return std::nullopt;
  return path.substr(0, path.size() - name.from.size()) + std::string(name.to);
}

/// Diffusers had projections of attention inside a processor: "attn1.processor.to_q". Nothing where
/// the last step is none.
std::optional<std::string> InProcessor(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string::npos || !path.substr(dot).starts_with(".to_")) return std::nullopt;
  return std::string(path).insert(dot, ".processor");
}

}  // namespace

ModulePrefixes PrefixesOfDiffusion() {
  ModulePrefixes prefixes;
  for (const char* wrapper :
       {"", "unet.", "transformer.", "diffusion_model.", "model.diffusion_model.", "lora_unet."}) {
    for (const char* peft : {"", "base_model.model."}) {
      prefixes.dotted.push_back(std::string(wrapper) + peft);
    }
  }
  prefixes.dotted.emplace_back("base_model.model.diffusion_model.");
  prefixes.flat = {"lora_unet_", "lycoris_", "lora_transformer_", "oft_unet_"};
  return prefixes;
}

ModulePrefixes PrefixesOfText(const std::string& name, std::uint32_t number, bool alone) {
  ModulePrefixes prefixes;
  const std::string folder = TextEncoderFolder(number) + ".";
  for (const char* peft : {"", "base_model.model."}) prefixes.dotted.push_back(folder + peft);
  prefixes.dotted.push_back(fmt::format("text_encoders.{}.transformer.", name));
  prefixes.dotted.push_back(name + ".");
  prefixes.dotted.push_back(fmt::format("lora_te{}.", number));
  prefixes.flat = {fmt::format("lora_te{}_", number)};
  if (alone) prefixes.flat.emplace_back("lora_te_");
  return prefixes;
}

std::vector<OtherName> OtherNamesOf(const std::string& path) {
  std::vector<OtherName> names;
  const auto add = [&names](std::string other, std::uint32_t parts, bool whole) {
    if (!whole && parts == 0) {
      if (auto inside = InProcessor(other)) names.push_back({std::move(*inside)});
    }
    names.push_back({std::move(other), parts, whole});
  };
  for (const OtherPath& other : kOtherPaths) {
    if (auto renamed = PathOf(path, other.name)) add(std::move(*renamed), other.parts, other.whole);
  }
  if (auto inside = InProcessor(path)) names.push_back({std::move(*inside)});
  return names;
}

}  // namespace weightsmith::internal
