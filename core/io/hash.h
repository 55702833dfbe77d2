// Digests. XXH3-128 says that bytes are the same and runs at the speed of memory; SHA-256 is what
// people and sites exchange, and is computed only where asked.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weightsmith::internal {

/// An XXH3-128, seed 0, in canonical (big-endian) byte order.
struct Digest {
  std::array<std::uint8_t, 16> bytes{};

  /// 32 lowercase hexadecimal digits.
  std::string ToHex() const;
  static std::optional<Digest> FromHex(std::string_view hex);
  auto operator<=>(const Digest&) const = default;
};

Digest Xxh3(std::span<const std::byte> bytes);

/// An XXH3-128 of bytes that come in pieces.
class Xxh3Stream {
 public:
  Xxh3Stream();
  ~Xxh3Stream();
  Xxh3Stream(Xxh3Stream&&) noexcept;
  Xxh3Stream& operator=(Xxh3Stream&&) noexcept;
  void Reset();
  void Update(std::span<const std::byte> bytes);
  Digest Finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The digest of a set of tensors: XXH3 over (name, 0 byte, digest) in the order given, which is
/// byte-wise by name.
class SetDigest {
 public:
  void Add(std::string_view name, const Digest& digest);
  Digest Finish() const { return stream_.Finish(); }

 private:
  Xxh3Stream stream_;
};

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void Update(std::span<const std::byte> bytes);
  /// 64 lowercase hexadecimal digits; ends the stream.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weightsmith::internal
