// Reading checkpoints: names, dtypes and shapes from the header, bytes when they are asked for.
#pragma once

#include <weightsmith/tensor.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith {

namespace internal {
class Checkpoint;
struct OpenTensor;
struct OpenCheckpoint;
}  // namespace internal

/// A tensor of an open checkpoint, or of one in memory. A handle: copies are cheap, and each keeps
/// the file open. Any thread.
class Tensor {
 public:
  explicit Tensor(std::shared_ptr<internal::OpenTensor> tensor) : tensor_(std::move(tensor)) {}

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] const TensorInfo& info() const;
  [[nodiscard]] DType dtype() const { return info().dtype; }
  [[nodiscard]] const Shape& shape() const { return info().shape; }
  [[nodiscard]] std::uint64_t nbytes() const { return info().bytes(); }

  /// Its bytes: row-major, little-endian, of any alignment. They are pages of the file where it is
  /// mapped and the tensor is one run of it, else memory that is filled by the first call; they
  /// live as long as this or a copy of it. If another program truncates a mapped file, to touch a
  /// page that is gone ends the process (SIGBUS): Read has no such risk. Throws as Read.
  [[nodiscard]] std::span<const std::byte> bytes() const;
  /// The same in memory of the caller's. Throws kInput where the file was truncated, kFailed where
  /// the system cannot read.
  [[nodiscard]] std::vector<std::byte> Read() const;
  /// Its elements as floats, in row-major order: f64 is rounded, all others are exact. Throws as
  /// Read, and kUsage for a dtype that is not computed with (DTypeInfo::has_codec).
  [[nodiscard]] std::vector<float> Floats() const;

 private:
  std::shared_ptr<internal::OpenTensor> tensor_;
};

/// The block of a tensor, by which weights may vary.
struct TensorBlock {
  std::string name;   ///< of the tensor
  std::string block;  ///< as rows of weights name it: "unet.in.3"
  /// In a list of numbers in the community's order, "IN03"; nothing for what lists never merge.
  std::optional<std::string> place;
};

/// An open file, set of shards or folder. A handle: copies are cheap and share it. Any thread.
class Checkpoint {
 public:
  /// Opens a .safetensors file, a *.safetensors.index.json, a folder that holds one of them, the
  /// folder of a diffusers pipeline (names of tensors begin with their folder's), or a file of
  /// torch.save, of which nothing is executed. By its content, not by its name; the header alone is
  /// read. `key`: which dict of tensors is meant, where a file of torch.save has several. Throws
  /// kInput, naming what is wrong with the file, and kMismatch for a key that is not there, or
  /// missing.
  [[nodiscard]] static Checkpoint Open(const std::filesystem::path& path,
                                       const std::string& key = {});

  /// A checkpoint of tensors in memory, which are copied; Model::Of makes a model of it. Throws
  /// kUsage for bytes that are more or fewer than dtype and shape take.
  [[nodiscard]] static Checkpoint OfTensors(const std::map<std::string, TensorView>& tensors);

  explicit Checkpoint(std::shared_ptr<const internal::Checkpoint> checkpoint);

  /// As it was given; of what is in memory, a name for messages.
  [[nodiscard]] const std::filesystem::path& path() const;
  /// "safetensors", "sharded", "torch-zip" or "torch-legacy".
  [[nodiscard]] std::string_view format() const;
  /// Of the header; empty where it has none.
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const;

  /// The names of its tensors, sorted byte-wise.
  [[nodiscard]] const std::vector<std::string>& names() const;
  [[nodiscard]] bool Contains(std::string_view name) const;
  /// Throws kMismatch for a name that it does not have. Nothing is read.
  [[nodiscard]] Tensor operator[](std::string_view name) const;

  /// What it is: "sdxl", "flux1" … or "unknown". The header is examined by the first call of these.
  [[nodiscard]] const std::string& architecture() const;
  [[nodiscard]] const std::string& variant() const;  ///< "base", "inpainting", "dev" …
  /// Who names its tensors so: "ldm", "sgm", "comfy", "bfl", "diffusers", "hf", "component".
  [[nodiscard]] const std::string& layout() const;
  /// The names of tensors by component: "unet", "clip_l", "vae" …
  [[nodiscard]] const std::map<std::string, std::vector<std::string>>& components() const;
  /// The block of each tensor that is a weight, in the direction of the computation. Names are
  /// those of the architecture's own files, where this one has others (diffusers).
  [[nodiscard]] std::vector<TensorBlock> Blocks() const;

  /// For the library itself.
  [[nodiscard]] const std::shared_ptr<const internal::Checkpoint>& state() const;

 private:
  std::shared_ptr<internal::OpenCheckpoint> open_;
};

}  // namespace weightsmith
