// A file of adapters (LoRA and its relatives) as modules: what each is, whatever trainer wrote it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/checkpoint.h"
#include "merge/adapters/adapter_family.h"
#include "merge/adapters/peft_config.h"

namespace weightsmith::internal {

/// What changes one weight of a model.
struct AdapterModule {
  std::string
      stem;  ///< the module in the naming of the file: "lora_unet_mid_block_resnets_0_conv1"
  std::string name;                       ///< of the adapter, where a file of PEFT has several
  const AdapterFamily* family = nullptr;  ///< never null
  std::map<AdapterRole, std::uint32_t> tensors;  ///< index in the checkpoint's tensors()
  AdapterShapes shapes{};
  std::uint64_t read_bytes = 0;   ///< what reading its largest tensor takes beside the values
  std::uint64_t rank = 0;         ///< 0: the family has none
  std::optional<double> alpha{};  ///< as stored, or of the configuration
  double scale = 1;               ///< what the product of the factors is multiplied by
  bool on_bias = false;           ///< of a tensor by itself: it is a bias
  PeftNumbers peft{};             ///< what a configuration says of it
  std::string problem{};          ///< why it cannot be applied; empty: it can

  bool dora() const {
    return shapes.contains(AdapterRole::kDoraScale) || shapes.contains(AdapterRole::kMagnitude);
  }
};

/// Who names modules so, and what the prefix of a name says of the component.
struct StemNaming {
  std::string_view id;  ///< "kohya", "peft", "diffusers" …
  /// "unet", a text encoder by its number ("te1", "te2", "te3") or name ("clip_l"); empty: not
  /// said.
  std::string_view component;
  std::string_view prefix;
};

/// By the prefix of the stem.
StemNaming StemNamingOf(std::string_view stem);

/// A tensor that adapters carry and that changes no weight.
struct IgnoredTensor {
  std::string name;
  std::string_view reason;
};

struct Adapter {
  std::vector<AdapterModule> modules;  ///< by stem
  std::vector<IgnoredTensor> ignored;
  /// Tensors of no role, by name: they stand in the place of the model's.
  std::vector<AdapterModule> plain;
  std::set<std::string> names;  ///< of PEFT's adapters in the file
  PeftConfig peft;
  std::vector<std::string> warnings;
};

/// Takes a file apart by its header, the few numbers beside the factors and PEFT's configuration.
/// Throws kInput for a file without any module, or of a kind that cannot be baked.
Adapter ReadAdapter(const Checkpoint& checkpoint);
/// The same with this configuration, whatever lies beside the file or in its metadata.
Adapter ReadAdapter(const Checkpoint& checkpoint, PeftConfig config);

}  // namespace weightsmith::internal
