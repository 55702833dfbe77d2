#include "core/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/safetensors/reader.h"
#include "core/text.h"

namespace weightsmith {

std::string_view ToString(CheckpointFormat format) {
  return format == CheckpointFormat::kSharded ? "sharded" : "safetensors";
}

std::shared_ptr<const Checkpoint> Checkpoint::Open(const std::filesystem::path& path,
                                                   std::optional<IoBackend> backend) {
  const std::shared_ptr<Checkpoint> checkpoint(new Checkpoint);
  checkpoint->path_ = path;
  const auto add_file = [&](std::shared_ptr<const ByteSource> file, SafetensorsHeader header) {
    const auto index = static_cast<std::uint32_t>(checkpoint->files_.size());
    checkpoint->files_.push_back(std::move(file));
    for (SafetensorsEntry& entry : header.tensors) {
      checkpoint->tensors_.push_back({.name = std::move(entry.name),
                                      .info = std::move(entry.info),
                                      .file = index,
                                      .offset = header.data_start + entry.begin});
    }
  };
  std::shared_ptr<const ByteSource> file = OpenByteSource(path, backend);
  SafetensorsHeader header = ReadHeader(*file);
  checkpoint->metadata_ = std::move(header.metadata);
  add_file(std::move(file), std::move(header));
  std::ranges::sort(checkpoint->tensors_, {}, &CheckpointTensor::name);
  return checkpoint;
}

const CheckpointTensor* Checkpoint::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      tensors_, name, {},
      [](const CheckpointTensor& tensor) { return std::string_view(tensor.name); });
  return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

std::uint64_t Checkpoint::size() const {
  std::uint64_t size = 0;
  for (const auto& file : files_) size += file->size();
  return size;
}

void Checkpoint::Read(const CheckpointTensor& tensor, std::uint64_t offset,
                      std::span<std::byte> out) const {
  try {
    files_[tensor.file]->Read(tensor.offset + offset, out);
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

}  // namespace weightsmith
