#include "core/model/positions.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <utility>

#include "core/base/text.h"
#include "core/formats/numbers.h"
#include "core/io/substitute_source.h"

namespace weightsmith::internal {
namespace {

static_assert(std::endian::native == std::endian::little);

std::vector<std::byte> Positions(std::uint64_t count) {
  std::vector<std::int64_t> positions(count);
  for (std::uint64_t i = 0; i < count; ++i) positions[i] = static_cast<std::int64_t>(i);
  std::vector<std::byte> bytes(count * sizeof(std::int64_t));
  if (!bytes.empty()) std::memcpy(bytes.data(), positions.data(), bytes.size());
  return bytes;
}

}  // namespace

std::optional<std::string> DamageOfPositions(const Checkpoint& checkpoint,
                                             const CheckpointTensor& tensor) {
  constexpr std::size_t kMostBytes = 4096;
  if (tensor.info.bytes() > kMostBytes) return std::nullopt;
  const std::vector<double> found = ReadNumbers(checkpoint, tensor);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] == static_cast<double>(i)) continue;
    return fmt::format(
        "{} has {} at place {}, not 0, 1, 2 …; convert repairs it with the option 'fix'",
        Quote(tensor.name), found[i], i);
  }
  return std::nullopt;
}

Repaired WithRightPositions(const Checkpoint& checkpoint, const Anatomy& anatomy) {
  constexpr std::uint64_t kMostPositions = 4096;
  Repaired repaired;
  std::vector<CheckpointTensor> tensors(checkpoint.tensors().begin(), checkpoint.tensors().end());
  std::vector<std::shared_ptr<const ByteSource>> files;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CheckpointTensor& tensor = tensors[i];
    const std::uint64_t count = tensor.info.elements();
    if (anatomy.tensors[i].role != Role::kPositionIds || count > kMostPositions) continue;
    std::vector<std::byte> right = Positions(count);
    if (tensor.info.dtype == DType::kI64 && checkpoint.Read(tensor) == right) continue;
    repaired.tensors.push_back(tensor.name);
    const ByteSource& file = *checkpoint.files()[tensor.file];
    tensor.file = static_cast<std::uint32_t>(checkpoint.files().size() + files.size());
    tensor.offset = 0;
    tensor.info.dtype = DType::kI64;
    // Gathered, so that nobody takes the file's own bytes for these.
    tensor.gather = std::make_shared<const Gather>(Gather{ContiguousRun(tensor.file, 0, count)});
    files.push_back(SubstituteFor(file, std::move(right)));
  }
  repaired.checkpoint = checkpoint.View(std::move(tensors), checkpoint.layout(), std::move(files));
  return repaired;
}

}  // namespace weightsmith::internal
