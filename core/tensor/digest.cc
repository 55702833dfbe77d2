#include "core/tensor/digest.h"

#include <algorithm>
#include <vector>

namespace weightsmith::internal {

Digest TensorDigest(const TensorInfo& info, std::span<const Digest> blocks) {
  constexpr std::byte kNul{0};
  const std::uint64_t rank = info.shape.size();
  Xxh3Stream stream;
  stream.Update(std::as_bytes(std::span(Info(info.dtype).name)));
  stream.Update(std::span(&kNul, 1));
  stream.Update(std::as_bytes(std::span(&rank, 1)));
  stream.Update(std::as_bytes(std::span(info.shape)));
  stream.Update(std::as_bytes(blocks));
  return stream.Finish();
}

Digest DigestOf(const TensorInfo& info, std::span<const std::byte> bytes) {
  std::vector<Digest> digests;
  for (std::uint64_t at = 0; at < bytes.size(); at += kDigestBlock) {
    digests.push_back(Xxh3(bytes.subspan(at, std::min(kDigestBlock, bytes.size() - at))));
  }
  return TensorDigest(info, digests);
}

}  // namespace weightsmith::internal
