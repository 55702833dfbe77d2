#include "merge/run/memory_destination.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/aligned_vector.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/safetensors/layout.h"
#include "core/io/memory_source.h"

namespace weightsmith::internal {
namespace {

std::shared_ptr<std::byte[]> Allocate(std::uint64_t size) {
  return {CacheLineAllocator<std::byte>().allocate(size),
          [](std::byte* bytes) { CacheLineAllocator<std::byte>().deallocate(bytes, 0); }};
}

}  // namespace

MemoryDestination::MemoryDestination(const Plan& plan) : path_(plan.outputs.front().spec.path) {
  std::set<std::string_view> names;
  for (std::uint32_t f = 0; f < plan.output_files.size(); ++f) {
    const HeaderLayout& layout = plan.output_files[f].layout;
    for (const SafetensorsEntry& entry : layout.tensors) {
      if (!names.insert(entry.name).second) {
        throw Error(ErrorCode::kMismatch,
                    fmt::format("several outputs have a tensor {}, and memory has room for one",
                                Quote(entry.name)),
                    "Choose one output.");
      }
      Add(f, layout.data_start, entry);
    }
  }
}

MemoryDestination::MemoryDestination(const Plan& plan, std::uint32_t file,
                                     const SafetensorsEntry& entry)
    : path_(plan.outputs.front().spec.path) {
  Add(file, plan.output_files[file].layout.data_start, entry);
}

void MemoryDestination::Add(std::uint32_t file, std::uint64_t data_start,
                            const SafetensorsEntry& entry) {
  Tensor tensor{entry.name, entry.info, Allocate(entry.info.bytes())};
  if (entry.info.bytes() == 0) {
    empty_.push_back(std::move(tensor));
    return;
  }
  const std::uint64_t end = data_start + entry.begin + entry.info.bytes();
  tensors_.emplace(std::pair(file, end), std::move(tensor));
}

void MemoryDestination::Write(std::uint32_t file, std::uint64_t offset,
                              std::span<const std::byte> bytes) {
  for (auto at = tensors_.upper_bound({file, offset}); !bytes.empty() && at != tensors_.end();
       ++at) {
    const std::uint64_t end = at->first.second;
    const std::uint64_t begin = end - at->second.info.bytes();
    // What is of no tensor here was not asked for.
    if (at->first.first != file || begin >= offset + bytes.size()) return;
    const std::uint64_t skipped = begin > offset ? begin - offset : 0;
    const std::uint64_t count = std::min(bytes.size() - skipped, end - offset - skipped);
    std::ranges::copy(bytes.subspan(skipped, count),
                      at->second.bytes.get() + (offset + skipped - begin));
    bytes = bytes.subspan(skipped + count);
    offset = end;
  }
}

std::shared_ptr<const Checkpoint> MemoryDestination::Take() && {
  std::vector<CheckpointTensor> tensors;
  std::vector<std::shared_ptr<const ByteSource>> files;
  const auto take = [&](Tensor&& tensor) {
    const std::span<const std::byte> bytes(tensor.bytes.get(), tensor.info.bytes());
    tensors.push_back({.name = std::move(tensor.name),
                       .info = std::move(tensor.info),
                       .file = static_cast<std::uint32_t>(files.size())});
    files.push_back(std::make_shared<MemorySource>(path_, bytes, std::move(tensor.bytes)));
  };
  for (auto& [place, tensor] : tensors_) take(std::move(tensor));
  for (Tensor& tensor : empty_) take(std::move(tensor));
  return Checkpoint::OfTensors(std::move(tensors), path_, std::move(files));
}

}  // namespace weightsmith::internal
