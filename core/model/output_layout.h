// The layouts in which files are written: what their tensors are called, and which file has which.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/model/anatomy.h"

namespace weightsmith::internal {

enum class OutputLayout : std::uint8_t {
  kKeep,       ///< the names that the tensors have
  kLdm,        ///< Stable Diffusion's monolithic names
  kSgm,        ///< the same, as SDXL has them
  kComfy,      ///< ComfyUI's monolithic names
  kBfl,        ///< FLUX.1's transformer from the root
  kDiffusers,  ///< diffusers' and transformers'
};

struct OutputLayoutWord {
  std::string_view word;
  OutputLayout layout;
};
/// All of them, "keep" first.
std::span<const OutputLayoutWord> OutputLayoutWords();
std::optional<OutputLayout> OutputLayoutByWord(std::string_view word);
std::string_view ToString(OutputLayout layout);

enum class FileForm : std::uint8_t {
  kOne,       ///< one file
  kSplit,     ///< a folder of COMPONENT.safetensors, as loaders take them
  kPipeline,  ///< the folder of a diffusers pipeline, or of one component
};
/// The layout of diffusers is a pipeline, unless the path is that of a file.
FileForm FormOf(OutputLayout layout, bool split, const std::filesystem::path& path);

/// A checkpoint as the files that it becomes.
struct FileSet {
  struct Weights {
    std::string component;
    std::filesystem::path path;  ///< "unet/diffusion_pytorch_model.safetensors"; empty: one file
    std::shared_ptr<const Checkpoint> checkpoint;
  };
  struct Text {
    std::filesystem::path path;  ///< "unet/config.json"
    std::string text;
  };
  std::vector<Weights> weights;
  std::vector<Text> texts;  ///< of a pipeline; the last, model_index.json, makes the folder one
  std::vector<std::string> notes;  ///< what is left out, or not known, a sentence each
};

/// Throws kMismatch where the architecture has no such layout, or none is known.
void ExpectLayout(OutputLayout layout, const Anatomy& anatomy);

/// The checkpoint under the names of a layout. Throws kMismatch as ExpectLayout, and where a layout
/// that has one component in a file meets several. `in_pipeline`: a diffusion model alone is
/// written as a pipeline too, for configurations of another to go with it.
FileSet FilesIn(const std::shared_ptr<const Checkpoint>& checkpoint, const Anatomy& anatomy,
                OutputLayout layout, FileForm form, bool in_pipeline = false);

}  // namespace weightsmith::internal
