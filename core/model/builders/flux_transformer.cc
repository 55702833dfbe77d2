#include "core/model/builders/flux_transformer.h"

#include <string>

#include "core/model/builders/rule_list.h"

namespace weightsmith::internal {
namespace {

class Builder {
 public:
  explicit Builder(const FluxTransformer& flux) : flux_(flux), width_(flux.width) {}

  std::vector<TensorRule> Build() {
    rules_.Linear("img_in", width_, flux_.in_channels);
    rules_.Linear("txt_in", width_, flux_.context);
    if (modulated()) {
      Embedder("time_in", flux_.time);
      Embedder("vector_in", flux_.vector);
    } else {
      Modulator();
    }
    if (flux_.guidance) Embedder("guidance_in", flux_.time);
    for (std::uint64_t i = 0; i < flux_.double_blocks; ++i) DoubleBlock(i);
    for (std::uint64_t i = 0; i < flux_.single_blocks; ++i) SingleBlock(i);
    rules_.Linear("final_layer.linear", flux_.out_channels, width_);
    if (modulated()) rules_.Linear("final_layer.adaLN_modulation.1", 2 * width_, width_);
    std::vector<TensorRule> rules = rules_.Take();
    for (TensorRule& rule : rules) rule.variant = rule.name.starts_with("guidance_in.");
    return rules;
  }

 private:
  static constexpr std::uint64_t kModulatorInputs = 64;
  static constexpr std::uint64_t kModulatorLayers = 5;

  bool modulated() const { return flux_.modulator == 0; }

  void Modulator() {
    const std::string name = "distilled_guidance_layer.";
    rules_.Linear(name + "in_proj", flux_.modulator, kModulatorInputs);
    for (std::uint64_t i = 0; i < kModulatorLayers; ++i) {
      const std::string layer = name + "layers." + std::to_string(i);
      rules_.Linear(layer + ".in_layer", flux_.modulator, flux_.modulator);
      rules_.Linear(layer + ".out_layer", flux_.modulator, flux_.modulator);
      rules_.Tensor(name + "norms." + std::to_string(i) + ".scale", {flux_.modulator});
    }
    rules_.Linear(name + "out_proj", width_, flux_.modulator);
  }

  void Embedder(const std::string& name, std::uint64_t in) {
    rules_.Linear(name + ".in_layer", width_, in);
    rules_.Linear(name + ".out_layer", width_, width_);
  }

  void QueryKeyNorm(const std::string& name) {
    rules_.Tensor(name + ".query_norm.scale", {flux_.head});
    rules_.Tensor(name + ".key_norm.scale", {flux_.head});
  }

  void DoubleBlock(std::uint64_t index) {
    for (const char* stream : {".img", ".txt"}) {
      const std::string name = "double_blocks." + std::to_string(index) + stream;
      if (modulated()) rules_.Linear(name + "_mod.lin", 6 * width_, width_);
      rules_.Linear(name + "_attn.qkv", 3 * width_, width_);
      QueryKeyNorm(name + "_attn.norm");
      rules_.Linear(name + "_attn.proj", width_, width_);
      rules_.Linear(name + "_mlp.0", 4 * width_, width_);
      rules_.Linear(name + "_mlp.2", width_, 4 * width_);
    }
  }

  void SingleBlock(std::uint64_t index) {
    const std::string name = "single_blocks." + std::to_string(index);
    rules_.Linear(name + ".linear1", 7 * width_, width_);  // q, k, v and the first mlp layer
    rules_.Linear(name + ".linear2", width_, 5 * width_);
    QueryKeyNorm(name + ".norm");
    if (modulated()) rules_.Linear(name + ".modulation.lin", 3 * width_, width_);
  }

  const FluxTransformer& flux_;
  const std::uint64_t width_;
  RuleList rules_;
};

}  // namespace

std::vector<TensorRule> BuildFluxTransformer(const FluxTransformer& flux) {
  return Builder(flux).Build();
}

}  // namespace weightsmith::internal
