#include "core/model/builders/mmdit.h"

#include <string>

#include "core/model/builders/rule_list.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kLatent = 16;
constexpr std::uint64_t kPatch = 2;

class Builder {
 public:
  explicit Builder(const Mmdit& mmdit) : mmdit_(mmdit), width_(mmdit.width()) {}

  std::vector<TensorRule> Build() {
    rules_.Tensor("pos_embed", {1, mmdit_.positions * mmdit_.positions, width_});
    rules_.Conv("x_embedder.proj", width_, kLatent, kPatch);
    rules_.Linear("context_embedder", width_, mmdit_.context);
    Embedder("t_embedder", mmdit_.time);
    Embedder("y_embedder", mmdit_.vector);
    for (std::uint64_t i = 0; i < mmdit_.depth; ++i) {
      const std::string block = "joint_blocks." + std::to_string(i);
      Stream(block + ".context_block", i + 1 == mmdit_.depth, false);
      Stream(block + ".x_block", false, i < mmdit_.dual_attention);
    }
    rules_.Linear("final_layer.linear", kPatch * kPatch * kLatent, width_);
    rules_.Linear("final_layer.adaLN_modulation.1", 2 * width_, width_);
    return rules_.Take();
  }

 private:
  void Embedder(const std::string& name, std::uint64_t in) {
    rules_.Linear(name + ".mlp.0", width_, in);
    rules_.Linear(name + ".mlp.2", width_, width_);
  }

  /// The last block's text is read and not written any more.
  void Stream(const std::string& name, bool last_text, bool dual) {
    const std::uint64_t modulations = last_text ? 2 : dual ? 9 : 6;
    rules_.Linear(name + ".adaLN_modulation.1", modulations * width_, width_);
    Attention(name + ".attn", !last_text);
    if (dual) Attention(name + ".attn2", true);
    if (last_text) return;
    rules_.Linear(name + ".mlp.fc1", 4 * width_, width_);
    rules_.Linear(name + ".mlp.fc2", width_, 4 * width_);
  }

  void Attention(const std::string& name, bool projected) {
    rules_.Linear(name + ".qkv", 3 * width_, width_);
    if (projected) rules_.Linear(name + ".proj", width_, width_);
    if (!mmdit_.qk_norm) return;
    rules_.RmsNorm(name + ".ln_q", mmdit_.head);
    rules_.RmsNorm(name + ".ln_k", mmdit_.head);
  }

  const Mmdit& mmdit_;
  const std::uint64_t width_;
  RuleList rules_;
};

Mmdit Scaled(Mmdit mmdit, Scale scale) {
  mmdit.context = T5XxlWidth(scale);
  mmdit.vector = ClipLWidth(scale) + ClipGWidth(scale);
  if (scale == Scale::kFull) return mmdit;
  mmdit.head = 1;
  mmdit.positions /= 48;
  return mmdit;
}

std::vector<ComponentRule> Components(const Mmdit& mmdit, Scale scale) {
  std::vector<ComponentRule> components = {
      {"transformer", ComponentKind::kBackbone, {"model.diffusion_model."}, BuildMmdit(mmdit), {}},
      ClipL(scale, {"text_encoders.clip_l.transformer."}, PositionIds::kUnusual),
      ClipGHf(scale, {"text_encoders.clip_g.transformer."}),
      T5Xxl(scale, {"text_encoders.t5xxl.transformer."}),
      VaeZ16(scale, {"first_stage_model.", "vae."}, kLatentsOfSd3),
  };
  for (ComponentRule& component : components) {
    if (component.kind != ComponentKind::kText) continue;
    component.published = false;
    component.text.output = ClipOutput::kProjected;
  }
  return components;
}

}  // namespace

std::vector<TensorRule> BuildMmdit(const Mmdit& mmdit) {
  return Builder(mmdit).Build();
}

ArchitectureRow MmditRow(std::string_view synth, Scale scale, const Mmdit& full) {
  const Mmdit mmdit = Scaled(full, scale);
  const std::uint64_t width = mmdit.width();
  const std::string last = "joint_blocks." + std::to_string(mmdit.depth - 1);
  ArchitectureRow row = {
      .variant = "base",
      .scale = ToString(scale),
      .synth = synth,
      .components = [=] { return Components(mmdit, scale); },
      .signature = {{"joint_blocks.0.context_block.attn.qkv.bias", {3 * width}},
                    {last + ".context_block.adaLN_modulation.1.bias", {2 * width}},
                    {"x_embedder.proj.weight", {width, kLatent, kPatch, kPatch}}}};
  const std::string norm = "joint_blocks.0.x_block.attn.ln_q.weight";
  const std::string dual = "joint_blocks.0.x_block.attn2.qkv.bias";
  if (mmdit.qk_norm) row.signature.push_back({norm, {mmdit.head}});
  if (!mmdit.qk_norm) row.absent.push_back(norm);
  if (mmdit.dual_attention > 0) row.signature.push_back({dual, {3 * width}});
  if (mmdit.dual_attention == 0) row.absent.push_back(dual);
  return row;
}

std::vector<std::string_view> MmditKeepPrecision() {
  return {"pos_embed",
          "x_embedder.",
          "context_embedder.",
          "t_embedder.",
          "y_embedder.",
          "final_layer.",
          "shared.",
          "encoder.embed_tokens.",
          "encoder.block.0.layer.0.SelfAttention.relative_attention_bias."};
}

}  // namespace weightsmith::internal
