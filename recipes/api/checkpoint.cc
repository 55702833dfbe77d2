#include <weightsmith/checkpoint.h>

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/checkpoint.h"
#include "core/io/memory_source.h"
#include "core/model/anatomy.h"
#include "core/model/open_as_stored.h"
#include "core/model/views/canonical_view.h"
#include "core/tensor/codec.h"
#include "merge/run/tensor_blocks.h"
#include "recipes/api/guarded.h"

namespace weightsmith {
namespace internal {

struct OpenTensor {
  std::shared_ptr<const Checkpoint> checkpoint;
  const CheckpointTensor* stored = nullptr;
  std::mutex mutex;
  std::optional<std::vector<std::byte>> read;  ///< where its bytes are not mapped
};

struct ExaminedCheckpoint {
  Anatomy anatomy;
  std::map<std::string, std::vector<std::string>> components;
};

struct OpenCheckpoint {
  std::shared_ptr<const Checkpoint> checkpoint;
  std::vector<std::string> names;
  std::mutex mutex;
  std::optional<ExaminedCheckpoint> examined;

  const ExaminedCheckpoint& Examined() {
    const std::scoped_lock lock(mutex);
    if (examined) return *examined;
    ExaminedCheckpoint made{Examine(*checkpoint), {}};
    for (const ComponentAnatomy& component : made.anatomy.components) {
      made.components[component.name];
    }
    for (std::size_t i = 0; i < made.anatomy.tensors.size(); ++i) {
      const std::uint32_t component = made.anatomy.tensors[i].component;
      made.components[made.anatomy.components[component].name].push_back(names[i]);
    }
    return examined.emplace(std::move(made));
  }
};

}  // namespace internal

namespace {

/// What messages call the file of tensors in memory.
constexpr const char* kMemory = "memory";

}  // namespace

const std::string& Tensor::name() const {
  return tensor_->stored->name;
}
const TensorInfo& Tensor::info() const {
  return tensor_->stored->info;
}

std::span<const std::byte> Tensor::bytes() const {
  const internal::CheckpointTensor& stored = *tensor_->stored;
  const std::span<const std::byte> mapped = tensor_->checkpoint->files()[stored.file]->Mapping();
  if (stored.gather == nullptr && !mapped.empty()) return mapped.subspan(stored.offset, nbytes());
  const std::scoped_lock lock(tensor_->mutex);
  if (!tensor_->read) tensor_->read = Read();
  return *tensor_->read;
}

std::vector<std::byte> Tensor::Read() const {
  return internal::Guarded([&] { return tensor_->checkpoint->Read(*tensor_->stored); });
}

std::vector<float> Tensor::Floats() const {
  const DTypeInfo& dtype = Info(this->dtype());
  if (!dtype.has_codec) {
    throw Error(ErrorCode::kUsage, fmt::format("tensor {} is {}, which has no values as floats",
                                               internal::Quote(name()), dtype.name));
  }
  constexpr std::uint64_t kPiece = 1 << 18;
  std::vector<float> floats(info().elements());
  std::vector<std::byte> piece;
  for (std::uint64_t first = 0; first < floats.size(); first += kPiece) {
    const std::span<float> values =
        std::span(floats).subspan(first, std::min<std::uint64_t>(kPiece, floats.size() - first));
    piece.resize(values.size() * dtype.bits / 8);
    tensor_->checkpoint->Read(*tensor_->stored, first * dtype.bits / 8, piece);
    internal::Decode(dtype.dtype, piece, values);
  }
  return floats;
}

Checkpoint::Checkpoint(std::shared_ptr<const internal::Checkpoint> checkpoint)
    : open_(std::make_shared<internal::OpenCheckpoint>()) {
  open_->checkpoint = std::move(checkpoint);
  for (const auto& tensor : open_->checkpoint->tensors()) open_->names.push_back(tensor.name);
}

Checkpoint Checkpoint::Open(const std::filesystem::path& path, const std::string& key) {
  return internal::Guarded(
      [&] { return Checkpoint(internal::OpenAsStored(path, std::nullopt, key)); });
}

Checkpoint Checkpoint::OfTensors(const std::map<std::string, TensorView>& tensors) {
  std::vector<internal::CheckpointTensor> stored;
  std::vector<std::shared_ptr<const internal::ByteSource>> files;
  for (const auto& [name, view] : tensors) {
    TensorInfo info{view.dtype, Shape(view.shape.begin(), view.shape.end())};
    if (!ElementCount(info.shape) || info.bytes() != view.bytes.size()) {
      throw Error(ErrorCode::kUsage, fmt::format("tensor {}: {} of shape {} does not take {} bytes",
                                                 internal::Quote(name), Info(view.dtype).name,
                                                 ToString(view.shape), view.bytes.size()));
    }
    const auto bytes =
        std::make_shared<std::vector<std::byte>>(view.bytes.begin(), view.bytes.end());
    stored.push_back(
        {.name = name, .info = std::move(info), .file = static_cast<std::uint32_t>(files.size())});
    files.push_back(std::make_shared<internal::MemorySource>(kMemory, *bytes, bytes));
  }
  return Checkpoint(internal::Checkpoint::OfTensors(std::move(stored), kMemory, std::move(files)));
}

const std::filesystem::path& Checkpoint::path() const {
  return state()->path();
}
std::string_view Checkpoint::format() const {
  return internal::ToString(state()->format());
}

const std::map<std::string, std::string>& Checkpoint::metadata() const {
  static const std::map<std::string, std::string> kNone;
  const auto& metadata = state()->metadata();
  return metadata ? *metadata : kNone;
}

const std::vector<std::string>& Checkpoint::names() const {
  return open_->names;
}
bool Checkpoint::Contains(std::string_view name) const {
  return state()->Find(name) != nullptr;
}

Tensor Checkpoint::operator[](std::string_view name) const {
  const internal::CheckpointTensor* const stored = state()->Find(name);
  if (stored == nullptr) {
    throw Error(ErrorCode::kMismatch, internal::Quote(path().string()) + " has no tensor " +
                                          internal::Quote(name) + "." +
                                          internal::DidYouMean(name, names()));
  }
  auto tensor = std::make_shared<internal::OpenTensor>();
  tensor->checkpoint = state();
  tensor->stored = stored;
  return Tensor(std::move(tensor));
}

const std::string& Checkpoint::architecture() const {
  return open_->Examined().anatomy.id;
}
const std::string& Checkpoint::variant() const {
  return open_->Examined().anatomy.variant;
}
const std::string& Checkpoint::layout() const {
  return open_->Examined().anatomy.layout;
}
const std::map<std::string, std::vector<std::string>>& Checkpoint::components() const {
  return open_->Examined().components;
}

std::vector<TensorBlock> Checkpoint::Blocks() const {
  internal::Model model;
  const auto canonical = internal::CanonicalView(state());
  model.parts.push_back({canonical, internal::Examine(*canonical), std::nullopt});
  std::vector<TensorBlock> blocks;
  for (internal::TensorBlock& block : internal::BlocksOfTensors(model)) {
    TensorBlock& made = blocks.emplace_back(
        TensorBlock{std::move(block.name), std::move(block.block), std::nullopt});
    if (!block.place.empty()) made.place = std::move(block.place);
  }
  return blocks;
}

const std::shared_ptr<const internal::Checkpoint>& Checkpoint::state() const {
  return open_->checkpoint;
}

}  // namespace weightsmith
