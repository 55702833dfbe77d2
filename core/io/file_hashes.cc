#include "core/io/file_hashes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <future>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/hash.h"

namespace weightsmith::internal {
namespace {

// Large enough that the tasks of a chunk cost nothing beside it, small enough to stay in a cache.
constexpr std::uint64_t kHashedAtOnce = 4 << 20;

constexpr std::uint64_t kAutoV1Begin = 0x100000;
constexpr std::uint64_t kAutoV1Size = 0x10000;

// Where the data of a file that begins like a safetensors file starts.
std::optional<std::uint64_t> SafetensorsDataStart(const ByteSource& source) {
  std::array<std::byte, 9> first;
  if (source.size() < first.size()) return std::nullopt;
  source.Read(0, first);
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, first.data(), sizeof(header_size));
  if (first[8] != std::byte{'{'} || header_size > source.size() - 8) return std::nullopt;
  return 8 + header_size;
}

std::string AutoV1(const ByteSource& source) {
  const std::uint64_t begin = std::min(kAutoV1Begin, source.size());
  std::vector<std::byte> bytes(std::min(kAutoV1Size, source.size() - begin));
  source.Read(begin, bytes);
  Sha256 sha;
  sha.Update(bytes);
  return sha.Finish().substr(0, 8);
}

void Report(const HashProgress& progress, const ByteSource& source, std::uint64_t done) {
  if (!progress || progress(done, source.size())) return;
  throw Error(ErrorCode::kInterrupted,
              fmt::format("hashing {} was stopped", Quote(source.path().string())));
}

}  // namespace

FileHashes HashFile(const ByteSource& source, const HashProgress& progress) {
  const std::uint64_t total = source.size();
  const std::optional<std::uint64_t> data_start = SafetensorsDataStart(source);
  Sha256 whole, data;
  std::vector<std::byte> chunk, next;
  const auto read = [&](std::uint64_t offset, std::vector<std::byte>& into) {
    into.resize(std::min(kHashedAtOnce, total - offset));
    if (into.empty()) return;
    source.Read(offset, into);
    source.Release(offset, into.size());
  };
  Report(progress, source, 0);
  read(0, chunk);
  for (std::uint64_t done = 0; done < total;) {
    const std::uint64_t end = done + chunk.size();
    const std::size_t skipped = std::clamp(data_start.value_or(end), done, end) - done;
    const auto of_data = std::span<const std::byte>(chunk).subspan(skipped);
    // Hashing costs ten times what reading does; the two hashes and the next chunk run abreast.
    auto reading = std::async(std::launch::async, [&] { read(end, next); });
    auto hashing = std::async(std::launch::async, [&] { data.Update(of_data); });
    whole.Update(chunk);
    hashing.get();
    reading.get();
    std::swap(chunk, next);
    done = end;
    Report(progress, source, done);
  }
  FileHashes hashes;
  hashes.sha256 = whole.Finish();
  hashes.autov1 = AutoV1(source);
  hashes.autov2 = hashes.sha256.substr(0, 10);
  if (data_start) hashes.autov3 = data.Finish().substr(0, 12);
  return hashes;
}

std::string HashShardSet(const std::vector<std::pair<std::string, std::string>>& name_and_sha256) {
  auto sorted = name_and_sha256;
  std::ranges::sort(sorted);
  Sha256 sha;
  for (const auto& [name, sha256] : sorted) {
    const std::string line = fmt::format("{}  {}\n", sha256, name);
    sha.Update(std::as_bytes(std::span(line)));
  }
  return sha.Finish();
}

}  // namespace weightsmith::internal
