// A checkpoint as it lies on disk: one file or a set of shards, opened by content and not by
// extension. Names, infos and places of tensors; reading their bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/safetensors/header.h"
#include "core/io/byte_source.h"
#include "core/tensor/gather.h"
#include "core/tensor/tensor.h"

namespace weightsmith::internal {

enum class CheckpointFormat { kSafetensors, kSharded, kTorchZip, kTorchLegacy };

/// "safetensors", "sharded", "torch-zip", "torch-legacy": as `info --json` says it.
std::string_view ToString(CheckpointFormat format);

struct CheckpointTensor {
  std::string name;
  TensorInfo info;
  std::uint32_t file = 0;    ///< index in files()
  std::uint64_t offset = 0;  ///< of the first byte, in that file
  /// Where its elements lie, where they are not one run of bytes; its runs name files of files().
  std::shared_ptr<const Gather> gather = nullptr;
};

struct CheckpointContents;

class Checkpoint {
 public:
  /// Opens a .safetensors file, a *.safetensors.index.json, a folder that holds one of them, or a
  /// file of torch.save (.ckpt, .pt, .bin), of which nothing is executed. A folder of folders is
  /// opened by core/model/open_as_stored. Throws kInput, naming the file and what is wrong with it:
  /// missing, empty, of another format (GGUF, a bare pickle, text: by name), malformed, shards that
  /// do not fit their index.
  /// Of a file of torch.save with several dicts of tensors, `key` says which is meant. Throws
  /// kMismatch, naming them, where there is no key, or none of that name.
  static std::shared_ptr<const Checkpoint> Open(const std::filesystem::path& path,
                                                std::optional<IoBackend> backend = std::nullopt,
                                                const std::string& key = {});

  /// Opens a folder of components as one: of `names` the folders that it has, whose tensors get the
  /// folder's name in front of theirs ("unet."), and what belongs to no component,
  /// "ema.safetensors" and "other.safetensors". Throws as Open does, and kInput where it has none
  /// of the folders, or a tensor twice.
  static std::shared_ptr<const Checkpoint> OpenFolders(const std::filesystem::path& folder,
                                                       std::span<const std::string> names,
                                                       std::optional<IoBackend> backend,
                                                       const std::string& key);

  /// Several as one: every tensor of each, under its name. Throws kMismatch for a name twice.
  static std::shared_ptr<const Checkpoint> Join(
      std::span<const std::shared_ptr<const Checkpoint>> parts);

  /// Tensors of no checkpoint file; `path` is for messages. Without `files` they are there to be
  /// examined and named. REQUIRES: none is read that lies in no file.
  static std::shared_ptr<const Checkpoint> OfTensors(
      std::vector<CheckpointTensor> tensors, std::filesystem::path path,
      std::vector<std::shared_ptr<const ByteSource>> files = {});

  CheckpointFormat format() const { return format_; }
  /// As it was given.
  const std::filesystem::path& path() const { return path_; }
  /// Sorted by name, byte-wise.
  std::span<const CheckpointTensor> tensors() const { return tensors_; }
  const CheckpointTensor* Find(std::string_view name) const;
  /// Of the file; of shards, what they agree on. Nothing where a header has none.
  const std::optional<Metadata>& metadata() const { return metadata_; }
  std::span<const std::shared_ptr<const ByteSource>> files() const { return files_; }
  /// The same files, and `more` behind them, with other names and places of tensors, and what the
  /// naming is called.
  std::shared_ptr<const Checkpoint> View(
      std::vector<CheckpointTensor> tensors, std::string layout,
      std::vector<std::shared_ptr<const ByteSource>> more = {}) const;
  /// By which it was opened.
  const std::string& key() const { return key_; }
  /// Of a view: "diffusers"; empty where the names are the file's own.
  const std::string& layout() const { return layout_; }
  /// Of a file of torch.save: what loading it with pickle would import or call, "os.system".
  const std::vector<std::string>& globals() const { return globals_; }
  /// Bytes on disk, headers included.
  std::uint64_t size() const;

  /// Fills `out` with bytes [offset, offset + out.size()) of the tensor's contiguous form.
  /// REQUIRES: whole elements, where it is gathered.
  void Read(const CheckpointTensor& tensor, std::uint64_t offset, std::span<std::byte> out) const;
  /// All bytes of a tensor.
  std::vector<std::byte> Read(const CheckpointTensor& tensor) const;

 private:
  Checkpoint() = default;
  static std::shared_ptr<const Checkpoint> Of(CheckpointContents contents,
                                              const std::filesystem::path& path,
                                              const std::string& key);

  CheckpointFormat format_ = CheckpointFormat::kSafetensors;
  std::filesystem::path path_;
  std::vector<std::shared_ptr<const ByteSource>> files_;
  std::vector<CheckpointTensor> tensors_;
  std::optional<Metadata> metadata_;
  std::vector<std::string> globals_;
  std::string layout_;
  std::string key_;
};

}  // namespace weightsmith::internal
