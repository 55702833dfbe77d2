#include "core/formats/tensor_digest.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weightsmith::internal {

Digest DigestOf(const Checkpoint& checkpoint, const CheckpointTensor& tensor,
                const std::function<void(std::span<const std::byte>)>& see) {
  const std::uint64_t size = tensor.info.bytes();
  std::vector<std::byte> block(std::min(kDigestBlock, size));
  std::vector<Digest> digests;
  for (std::uint64_t at = 0; at < size; at += kDigestBlock) {
    const std::span<std::byte> bytes = std::span(block).first(std::min(kDigestBlock, size - at));
    checkpoint.Read(tensor, at, bytes);
    digests.push_back(Xxh3(bytes));
    if (see) see(bytes);
    if (tensor.gather == nullptr) {
      checkpoint.files()[tensor.file]->Release(tensor.offset + at, bytes.size());
    }
  }
  return TensorDigest(tensor.info, digests);
}

}  // namespace weightsmith::internal
