// What a kind of checkpoint consists of, as declarations: one file each in architectures/ and
// parts/, whose rows of parameters expand to every tensor's name and shape.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/block_list.h"
#include "core/tensor/tensor.h"

namespace weightsmith::internal {

struct CheckpointTensor;

/// What a tensor is for. Only weights enter arithmetic; the rest is copied from the leftmost input.
enum class Role : std::uint8_t {
  kWeight,
  kPositionIds,   ///< CLIP's 0..76
  kMarker,        ///< v_pred, ztsnr, edm_vpred.*: says how the model predicts
  kBuffer,        ///< noise schedules and other training buffers
  kEma,           ///< averaged copies of weights, and their counters
  kTokenizer,     ///< vocabulary bytes
  kQuantization,  ///< scales and codes that belong to a quantised weight
};
std::string_view ToString(Role role);

enum class ComponentKind : std::uint8_t {
  kBackbone,  ///< the network that the model is: its UNet or transformer, of a language model all
  kText,      ///< an encoder of texts
  kVae,
  kOther,
};

/// What models of an architecture are: what messages call them, and what they may advise.
enum class ModelKind : std::uint8_t { kDiffusion, kLanguage };

/// How a model was trained to predict; models of different kinds do not mix.
enum class Prediction : std::uint8_t { kUnknown, kEpsilon, kV, kFlow };
std::string_view ToString(Prediction prediction);

/// One tensor that the architecture has, by its name inside its component.
struct TensorRule {
  std::string name;
  Shape shape;
  Role role = Role::kWeight;
  bool optional = false;  ///< a complete component may lack it
  bool usual = true;      ///< published files have it; always so where it is not optional
  bool variant = false;   ///< a variant that merges with this one lacks it
  /// In monolithic files it stands beside the module, not in it: "text_encoders.clip_l." and not
  /// "text_encoders.clip_l.transformer." goes in front of it.
  bool beside = false;
};

/// Another spelling of local names: a name that no rule has and that begins (or ends) with `from`
/// is tried with `to` in its place.
struct NameAlias {
  enum class Where : std::uint8_t { kPrefix, kSuffix };
  Where where = Where::kPrefix;
  std::string_view from;
  std::string_view to;
};

/// What the config.json of a VAE says of its latents.
struct Latents {
  double scale = 1;     ///< latents are multiplied by it
  double shift = 0;     ///< that is subtracted before; 0: none
  bool upcast = false;  ///< decodes in f32 alone
};

/// Which result of a CLIP its diffusion model takes: its configuration says so.
enum class ClipOutput : std::uint8_t {
  kAsStored,     ///< the projection, where the file has it
  kHidden,       ///< the last layer's, without the projection
  kProjected,    ///< the projection
  kPenultimate,  ///< the last layer's but one; the configuration leaves the last one out
};

/// A text encoder as transformers knows it.
struct TextModel {
  std::string_view class_name;  ///< "CLIPTextModel"
  std::string_view model_type;  ///< "clip_text_model"
  std::string_view activation;  ///< "quick_gelu"
  std::string_view tokenizer;   ///< class of the tokenizer beside it
  ClipOutput output = ClipOutput::kAsStored;
};

/// Beginnings of a component's modules in adapters, beside those that its number and its name give.
struct AdapterPrefixes {
  std::vector<std::string_view> dotted = {};  ///< in front of dotted paths: "t5."
  std::vector<std::string_view> flat = {};    ///< in front of flattened ones: "lora_te3_"
};

struct ComponentRule {
  std::string name;  ///< "unet", "clip_l": as info and places name it
  ComponentKind kind = ComponentKind::kOther;
  std::vector<std::string> prefixes;  ///< in monolithic files; the first is canonical
  std::vector<TensorRule> tensors;
  std::vector<NameAlias> aliases;
  bool published = true;  ///< published monolithic files have it
  /// Enters arithmetic unless a step says otherwise; else it is the leftmost model's.
  bool merged_by_default = true;
  /// Of a text encoder: its number, where that is not the next one in the order of declaration.
  std::uint32_t text_encoder = 0;
  TextModel text = {};  ///< of a text encoder
  AdapterPrefixes adapters = {};
  Latents latents = {};    ///< of a VAE
  bool reducible = false;  ///< large enough for an fp8 target, as diffusion models always are
};

/// A tensor that tells a row from all others by its presence and shape.
struct SignatureTensor {
  std::string tensor;  ///< name inside the diffusion model, or inside the part
  Shape shape;
};

/// What the scheduler of a pipeline is configured with: of models that predict a flow the shift, of
/// others the betas.
struct NoiseSchedule {
  double beta_start = 0.00085;
  double beta_end = 0.012;
  std::string_view betas = "scaled_linear";
  double shift = 3;
  bool dynamic_shift = false;  ///< grows with the size of the picture
};

/// What the four channels of a model's latents are to the eye, as what is added to each for one of
/// contrast, brightness, cyan to red, magenta to green and yellow to blue, in this order.
using LatentTones = std::array<std::array<double, 5>, 4>;

/// One buildable form of an architecture: a variant at a scale.
struct ArchitectureRow {
  std::string_view variant;  ///< "base", "dev", "schnell"
  std::string_view scale;    ///< "full", or "tiny" for tests
  std::string_view synth;    ///< the name `synth` knows it by: "sd15"
  std::function<std::vector<ComponentRule>()> components;
  std::vector<SignatureTensor>
      signature;  ///< a file is of the first row whose whole signature fits
  /// Value of modelspec.architecture; empty: the architecture's.
  std::string_view modelspec = {};
  /// Beginnings of names inside the diffusion model, or in the file, whose presence says that it is
  /// another architecture.
  std::vector<std::string> absent = {};
  std::string_view pipeline = {};              ///< class of its pipeline; empty: the architecture's
  std::optional<NoiseSchedule> schedule = {};  ///< nothing: the architecture's
  /// It was distilled to draw in a few steps: how that is called, and what in its file says so.
  std::string_view distilled = {};
  std::string_view distilled_by = {};
};

/// What people call a row, where no other name of its declaration says it.
struct Nickname {
  std::string_view name;   ///< "pony"
  std::string_view synth;  ///< the row's: "sdxl"
};

/// The row that a header is of, for a family whose sizes are the header's own; nothing where it is
/// not of the family. The tensors are sorted by name.
using FitRow = std::function<std::optional<ArchitectureRow>(std::span<const CheckpointTensor>)>;

struct Architecture {
  std::string_view id;         ///< "sd1", "sdxl", "flux1"
  std::string_view title;      ///< "Stable Diffusion 1.x"
  std::string_view modelspec;  ///< "stable-diffusion-v1"; a row may have its own
  ModelKind kind = ModelKind::kDiffusion;
  std::string_view layout;                       ///< of its monolithic files: "ldm", "sgm", "comfy"
  Prediction prediction = Prediction::kUnknown;  ///< where nothing in a file says otherwise
  DType dtype = DType::kF16;                     ///< that published files usually have
  /// Name prefixes inside the diffusion model and T5 whose matrices an fp8 target leaves as they
  /// are: embeddings, first and last layers.
  std::vector<std::string_view> keep_precision;
  /// The weight of its diffusion model whose columns are the input channels: wider in models for
  /// inpainting and control. Empty: none.
  std::string_view input_weight = {};
  std::vector<ArchitectureRow> rows;
  std::string_view bare_layout = "component";  ///< of its diffusion model alone, without prefix
  bool published_bare = false;  ///< published files hold the diffusion model alone, bare
  /// Where it is set, `rows` are examples for `synth`, and files have the row that it gives.
  FitRow fit = {};
  /// Architectures of one form differ by sizes and training alone: they mix where shapes agree.
  std::string_view form = id;
  std::string_view pipeline = {};        ///< class of its pipeline in diffusers; empty: none
  NoiseSchedule schedule = {};           ///< of that pipeline
  std::string_view implementation = {};  ///< value of modelspec.implementation; empty: none
  std::vector<Nickname> nicknames = {};
  std::optional<LatentTones> tones = {};  ///< where they are known
  /// Lists of block weights that it takes, of merges and of strengths of adapters; the first are
  /// those that `blocks` shows.
  std::vector<BlockList> merge_lists = {};
  std::vector<BlockList> adapter_lists = {};
};

/// Tiny: the same tensors by name, narrow; for tests.
enum class Scale : std::uint8_t { kFull, kTiny };
std::string_view ToString(Scale scale);

/// One of two numbers.
constexpr std::uint64_t At(Scale scale, std::uint64_t full, std::uint64_t tiny) {
  return scale == Scale::kFull ? full : tiny;
}

/// Every architecture that is declared, sorted by file name.
std::span<const Architecture* const> Architectures();

/// One form of a component that several architectures share and that is found as a file of its
/// own.
struct PartRow {
  std::string_view variant;  ///< "base"; of a VAE its channels: "z4", "z16"
  std::string_view scale;
  std::string_view layout;  ///< "component", or "hf" where the canonical names are others
  std::string_view synth;   ///< empty: `synth` does not make it
  std::function<ComponentRule()> component;
  std::vector<SignatureTensor> signature;
  /// What a config.json of it cannot know, a sentence; empty: nothing.
  std::string_view note = {};
};

struct Part {
  std::string_view id;  ///< also the component's name: "clip_l"
  std::string_view title;
  DType dtype = DType::kF16;  ///< that published files usually have
  /// As Architecture::keep_precision, for the part as a file of its own.
  std::vector<std::string_view> keep_precision;
  /// Under which such files hold it; "" for bare names.
  std::vector<std::string_view> prefixes;
  std::vector<PartRow> rows;
};

/// Every part that is declared, sorted by file name.
std::span<const Part* const> Parts();

}  // namespace weightsmith::internal
