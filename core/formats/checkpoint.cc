#include "core/formats/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/folder.h"
#include "core/formats/safetensors/reader.h"
#include "core/formats/safetensors/sharded.h"
#include "core/formats/torch/other_readings.h"
#include "core/formats/torch/reader.h"
#include "core/io/substitute_source.h"

namespace weightsmith::internal {
namespace {

/// The tensor in a list of files in front of which `count` others were put.
void MoveFiles(CheckpointTensor& tensor, std::uint32_t count) {
  tensor.file += count;
  if (tensor.gather == nullptr) return;
  Gather gather = *tensor.gather;
  for (GatherRun& run : gather) run.file += count;
  tensor.gather = std::make_shared<const Gather>(std::move(gather));
}

}  // namespace

/// What a checkpoint is made of.
struct CheckpointContents {
  std::vector<std::shared_ptr<const ByteSource>> files;
  std::vector<CheckpointTensor> tensors;
  std::optional<Metadata> metadata;
  std::vector<std::string> globals;
  CheckpointFormat format = CheckpointFormat::kSafetensors;

  void Add(std::shared_ptr<const ByteSource> file, std::vector<SafetensorsEntry> entries,
           std::uint64_t data_start) {
    const auto index = static_cast<std::uint32_t>(files.size());
    files.push_back(std::move(file));
    for (SafetensorsEntry& entry : entries) {
      tensors.push_back({.name = std::move(entry.name),
                         .info = std::move(entry.info),
                         .file = index,
                         .offset = data_start + entry.begin});
    }
  }

  /// The files and tensors of `other`, whose names begin with `before` from now on.
  void Append(CheckpointContents other, std::string_view before) {
    const auto first = static_cast<std::uint32_t>(files.size());
    files.insert(files.end(), other.files.begin(), other.files.end());
    for (CheckpointTensor& tensor : other.tensors) {
      tensor.name.insert(0, before);
      MoveFiles(tensor, first);
      tensors.push_back(std::move(tensor));
    }
    globals.insert(globals.end(), other.globals.begin(), other.globals.end());
    std::ranges::sort(globals);
    globals.erase(std::unique(globals.begin(), globals.end()), globals.end());
  }

  void Sort() { std::ranges::sort(tensors, {}, &CheckpointTensor::name); }
};

namespace {

/// How to open.
struct Options {
  std::optional<IoBackend> backend;
  std::string key;
};

CheckpointContents OpenTorch(std::shared_ptr<const ByteSource> file, TorchFormat format,
                             const std::string& key) {
  TorchContents torch = ReadTorch(*file, format, key);
  CheckpointContents contents;
  contents.format =
      format == TorchFormat::kZip ? CheckpointFormat::kTorchZip : CheckpointFormat::kTorchLegacy;
  if (!torch.array_bytes.empty()) {
    const auto bytes = std::as_bytes(std::span(torch.array_bytes));
    contents.files.push_back(file);
    contents.files.push_back(SubstituteFor(*file, {bytes.begin(), bytes.end()}));
  } else {
    contents.files.push_back(std::move(file));
  }
  contents.tensors = std::move(torch.tensors);
  contents.globals = std::move(torch.globals);
  contents.Sort();
  return contents;
}

CheckpointContents OpenWhole(std::shared_ptr<const ByteSource> file) {
  SafetensorsHeader header = ReadHeader(*file);
  WithContext(fmt::format("reading {}", Quote(file->path().string())),
              [&] { ExpectOnlySafetensors(*file); });
  CheckpointContents contents;
  contents.metadata = std::move(header.metadata);
  contents.Add(std::move(file), std::move(header.tensors), header.data_start);
  contents.Sort();
  return contents;
}

ShardIndex ReadIndex(const ByteSource& file) {
  if (file.size() > kMaxIndexSize) {
    throw Error(ErrorCode::kInput,
                fmt::format("an index of shards with {}, and at most {} are read",
                            FormatBytes(file.size()), FormatBytes(kMaxIndexSize)));
  }
  std::string json(file.size(), '\0');
  file.Read(0, std::as_writable_bytes(std::span(json)));
  return ParseShardIndex(json);
}

void ExpectShards(const std::filesystem::path& folder, const std::vector<std::string>& shards) {
  constexpr std::size_t kShown = 10;
  std::size_t missing = 0;
  std::string names;
  for (const std::string& shard : shards) {
    if (IdentifyFile(folder / shard)) continue;
    if (missing++ < kShown) names += (missing > 1 ? ", " : "") + Quote(shard);
  }
  if (missing == 0) return;
  throw Error(ErrorCode::kInput,
              fmt::format("{} of {} shards are missing: {}{}", missing, shards.size(), names,
                          missing > kShown ? ", …" : ""),
              "Put them into the folder of the index.");
}

/// Leaves in `metadata` what `other` agrees to; a shard without any agrees to nothing.
void Intersect(std::optional<Metadata>& metadata, const std::optional<Metadata>& other) {
  if (!metadata) return;
  if (!other) return metadata.reset();
  std::erase_if(*metadata, [&](const auto& item) {
    const auto found = other->find(item.first);
    return found == other->end() || found->second != item.second;
  });
}

/// Checks that the shards hold the tensors that the index promises, each once and in its shard.
void ExpectAsIndexed(const CheckpointContents& contents, const ShardIndex& index) {
  const auto fail = [](std::string message) { throw Error(ErrorCode::kInput, std::move(message)); };
  const auto shard = [&](std::uint32_t number) { return Quote(index.shards[number]); };
  const auto twice = std::ranges::adjacent_find(contents.tensors, {}, &CheckpointTensor::name);
  if (twice != contents.tensors.end()) {
    fail(fmt::format("tensor {} is in two shards, {} and {}", Quote(twice->name),
                     shard(twice->file), shard(std::next(twice)->file)));
  }
  auto entry = index.entries.begin();
  for (const CheckpointTensor& tensor : contents.tensors) {
    if (entry != index.entries.end() && entry->tensor < tensor.name) break;
    if (entry == index.entries.end() || entry->tensor != tensor.name) {
      fail(fmt::format("tensor {} of shard {} is not in the index", Quote(tensor.name),
                       shard(tensor.file)));
    }
    if (entry->shard != tensor.file) {
      fail(fmt::format("tensor {} is in shard {}, and the index says {}", Quote(tensor.name),
                       shard(tensor.file), shard(entry->shard)));
    }
    ++entry;
  }
  if (entry != index.entries.end()) {
    fail(fmt::format("tensor {} should be in shard {}, which does not have it",
                     Quote(entry->tensor), shard(entry->shard)));
  }
}

/// One file, of either kind.
CheckpointContents OpenFile(std::shared_ptr<const ByteSource> file, const Options& options) {
  const auto torch = SniffTorch(ReadHead(*file));
  if (!torch && !options.key.empty()) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("{} is no file of torch.save, in which the key {} could choose",
                            Quote(file->path().string()), Quote(options.key)));
  }
  if (!torch) return OpenWhole(std::move(file));
  // Its headers lie all over the file: to look at them in a mapping would bring much of it along.
  if (file->backend() == IoBackend::kMap) {
    file = OpenByteSource(file->path(), IoBackend::kRead);
  }
  return OpenTorch(std::move(file), *torch, options.key);
}

CheckpointContents OpenShards(const ByteSource& index_file, const Options& options) {
  const ShardIndex index = ReadIndex(index_file);
  const std::filesystem::path folder = index_file.path().parent_path();
  ExpectShards(folder, index.shards);
  CheckpointContents contents;
  contents.format = CheckpointFormat::kSharded;
  for (const std::string& shard : index.shards) {
    CheckpointContents part = OpenFile(OpenByteSource(folder / shard, options.backend), options);
    if (contents.files.empty()) {
      contents.metadata = std::move(part.metadata);
    } else {
      Intersect(contents.metadata, part.metadata);
    }
    contents.Append(std::move(part), "");
  }
  contents.Sort();
  ExpectAsIndexed(contents, index);
  return contents;
}

/// By what the file holds, whatever it is called.
CheckpointContents OpenContents(const std::filesystem::path& path, const Options& options) {
  auto file = OpenByteSource(path, options.backend);
  if (!LooksLikeShardIndex(ReadHead(*file))) return OpenFile(std::move(file), options);
  return WithContext(fmt::format("reading {}", Quote(file->path().string())),
                     [&] { return OpenShards(*file, options); });
}

/// The components in those folders of `names` that there are, and beside them what belongs to no
/// component.
CheckpointContents OpenComponents(const std::filesystem::path& folder,
                                  std::span<const std::string> names, const Options& options) {
  CheckpointContents all;
  all.format = CheckpointFormat::kSharded;
  const auto add = [&](const std::filesystem::path& file, const std::string& before) {
    all.Append(OpenContents(file, options), before);
  };
  std::error_code ignored;
  for (const std::string& name : names) {
    const std::filesystem::path inside = folder / name;
    if (!std::filesystem::is_directory(inside, ignored)) continue;
    add(FindCheckpointFile(inside), name + ".");
  }
  if (all.files.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("the pipeline {} has none of the folders {}",
                                               Quote(folder.string()), fmt::join(names, ", ")));
  }
  for (const std::string_view name : {"ema.safetensors", "other.safetensors"}) {
    if (std::filesystem::is_regular_file(folder / name, ignored)) add(folder / name, "");
  }
  all.Sort();
  const auto twice = std::ranges::adjacent_find(all.tensors, {}, &CheckpointTensor::name);
  if (twice != all.tensors.end()) {
    throw Error(ErrorCode::kInput, fmt::format("the pipeline {} has the tensor {} twice",
                                               Quote(folder.string()), Quote(twice->name)));
  }
  return all;
}

}  // namespace

std::string_view ToString(CheckpointFormat format) {
  switch (format) {
    case CheckpointFormat::kSharded:
      return "sharded";
    case CheckpointFormat::kTorchZip:
      return "torch-zip";
    case CheckpointFormat::kTorchLegacy:
      return "torch-legacy";
    case CheckpointFormat::kSafetensors:
      break;
  }
  return "safetensors";
}

std::shared_ptr<const Checkpoint> Checkpoint::Of(CheckpointContents contents,
                                                 const std::filesystem::path& path,
                                                 const std::string& key) {
  const std::shared_ptr<Checkpoint> checkpoint(new Checkpoint);
  checkpoint->format_ = contents.format;
  checkpoint->path_ = path;
  checkpoint->key_ = key;
  checkpoint->files_ = std::move(contents.files);
  checkpoint->tensors_ = std::move(contents.tensors);
  checkpoint->metadata_ = std::move(contents.metadata);
  checkpoint->globals_ = std::move(contents.globals);
  return checkpoint;
}

std::shared_ptr<const Checkpoint> Checkpoint::Open(const std::filesystem::path& path,
                                                   std::optional<IoBackend> backend,
                                                   const std::string& key) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  return Of(OpenContents(is_folder ? FindCheckpointFile(path) : path, {backend, key}), path, key);
}

std::shared_ptr<const Checkpoint> Checkpoint::OpenFolders(const std::filesystem::path& folder,
                                                          std::span<const std::string> names,
                                                          std::optional<IoBackend> backend,
                                                          const std::string& key) {
  return Of(OpenComponents(folder, names, {backend, key}), folder, key);
}

const CheckpointTensor* Checkpoint::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      tensors_, name, {},
      [](const CheckpointTensor& tensor) { return std::string_view(tensor.name); });
  return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

std::shared_ptr<const Checkpoint> Checkpoint::Join(
    std::span<const std::shared_ptr<const Checkpoint>> parts) {
  const std::shared_ptr<Checkpoint> joined(new Checkpoint);
  joined->format_ = CheckpointFormat::kSharded;
  for (const auto& part : parts) {
    if (joined->path_.empty()) joined->path_ = part->path_;
    const auto first = static_cast<std::uint32_t>(joined->files_.size());
    joined->files_.insert(joined->files_.end(), part->files_.begin(), part->files_.end());
    for (CheckpointTensor tensor : part->tensors_) {
      MoveFiles(tensor, first);
      joined->tensors_.push_back(std::move(tensor));
    }
  }
  std::ranges::sort(joined->tensors_, {}, &CheckpointTensor::name);
  const auto twice = std::ranges::adjacent_find(joined->tensors_, {}, &CheckpointTensor::name);
  if (twice != joined->tensors_.end()) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("two of the files have the tensor {}", Quote(twice->name)));
  }
  return joined;
}

std::shared_ptr<const Checkpoint> Checkpoint::OfTensors(
    std::vector<CheckpointTensor> tensors, std::filesystem::path path,
    std::vector<std::shared_ptr<const ByteSource>> files) {
  const std::shared_ptr<Checkpoint> checkpoint(new Checkpoint);
  checkpoint->path_ = std::move(path);
  checkpoint->tensors_ = std::move(tensors);
  checkpoint->files_ = std::move(files);
  std::ranges::sort(checkpoint->tensors_, {}, &CheckpointTensor::name);
  return checkpoint;
}

std::shared_ptr<const Checkpoint> Checkpoint::View(
    std::vector<CheckpointTensor> tensors, std::string layout,
    std::vector<std::shared_ptr<const ByteSource>> more) const {
  const std::shared_ptr<Checkpoint> view(new Checkpoint(*this));
  view->tensors_ = std::move(tensors);
  view->layout_ = std::move(layout);
  view->files_.insert(view->files_.end(), more.begin(), more.end());
  return view;
}

std::uint64_t Checkpoint::size() const {
  std::uint64_t size = 0;
  for (const auto& file : files_) size += file->size();
  return size;
}

void Checkpoint::Read(const CheckpointTensor& tensor, std::uint64_t offset,
                      std::span<std::byte> out) const {
  try {
    if (tensor.gather == nullptr) return files_[tensor.file]->Read(tensor.offset + offset, out);
    const std::uint64_t size = Info(tensor.info.dtype).bits / 8;
    ReadGathered(*tensor.gather, files_, size, offset / size, out);
  } catch (Error& error) {
    error.AddContext(fmt::format("reading tensor {}", Quote(tensor.name)));
    throw;
  }
}

std::vector<std::byte> Checkpoint::Read(const CheckpointTensor& tensor) const {
  std::vector<std::byte> bytes(tensor.info.bytes());
  Read(tensor, 0, bytes);
  return bytes;
}

}  // namespace weightsmith::internal
