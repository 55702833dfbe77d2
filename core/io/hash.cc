#include "core/io/hash.h"

// The functions of SHA-256 itself: those of the EVP interface bring all of the library into a
// program that is linked with its archive.
#define OPENSSL_API_COMPAT 10100
#include <openssl/sha.h>

#include <bit>

#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/io/xxh3/xxh3.h"

namespace weightsmith::internal {
namespace {

static_assert(std::endian::native == std::endian::little);

const Xxh3Functions& ChosenXxh3() {
#ifdef WEIGHTSMITH_XXH3_X86
  const std::string target = SimdTarget();
  if (target.starts_with("AVX3")) return kXxh3Avx512;
  if (target == "AVX2") return kXxh3Avx2;
#endif
  return kXxh3Baseline;
}

std::string ToDigits(std::span<const std::uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<unsigned> DigitValue(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::string Digest::ToHex() const {
  return ToDigits(bytes);
}

std::optional<Digest> Digest::FromHex(std::string_view hex) {
  Digest digest;
  if (hex.size() != 2 * digest.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    const std::optional<unsigned> high = DigitValue(hex[2 * i]);
    const std::optional<unsigned> low = DigitValue(hex[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    digest.bytes[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return digest;
}

Digest Xxh3(std::span<const std::byte> bytes) {
  Digest digest;
  ChosenXxh3().hash(bytes.data(), bytes.size(), digest.bytes.data());
  return digest;
}

struct Xxh3Stream::State {
  alignas(kXxh3StateAlignment) std::byte bytes[kXxh3StateSize] = {};
};

Xxh3Stream::Xxh3Stream() : state_(std::make_unique<State>()) {
  Reset();
}
Xxh3Stream::~Xxh3Stream() = default;
Xxh3Stream::Xxh3Stream(Xxh3Stream&&) noexcept = default;
Xxh3Stream& Xxh3Stream::operator=(Xxh3Stream&&) noexcept = default;

void Xxh3Stream::Reset() {
  ChosenXxh3().reset(state_->bytes);
}

void Xxh3Stream::Update(std::span<const std::byte> bytes) {
  ChosenXxh3().update(state_->bytes, bytes.data(), bytes.size());
}

Digest Xxh3Stream::Finish() const {
  Digest digest;
  ChosenXxh3().finish(state_->bytes, digest.bytes.data());
  return digest;
}

void SetDigest::Add(std::string_view name, const Digest& digest) {
  constexpr std::byte kNul{0};
  stream_.Update(std::as_bytes(std::span(name)));
  stream_.Update(std::span(&kNul, 1));
  stream_.Update(std::as_bytes(std::span(digest.bytes)));
}

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  SHA256_Init(&state_->context);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(std::span<const std::byte> bytes) {
  SHA256_Update(&state_->context, bytes.data(), bytes.size());
}

std::string Sha256::Finish() {
  std::array<std::uint8_t, 32> digest{};
  SHA256_Final(digest.data(), &state_->context);
  return ToDigits(digest);
}

}  // namespace weightsmith::internal
