#include "core/synth/synth_values.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/tensor/codec.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kQuantiles = 65536;
constexpr double kSqrtTwoPi = 2.5066282746310002;

/// e^-t for t >= 0, by the power series of a small part and repeated squaring.
double ExpOfMinus(double t) {
  constexpr int kSquarings = 8;
  constexpr int kTerms = 12;
  const double part = -t / (1 << kSquarings);
  double sum = 1;
  for (int i = kTerms; i > 0; --i) sum = 1 + sum * part / i;
  for (int i = 0; i < kSquarings; ++i) sum *= sum;
  return sum;
}

double Density(double x) {
  return ExpOfMinus(x * x / 2) / kSqrtTwoPi;
}

/// The share of the distribution between 0 and x: density * (x + x^3/3 + x^5/(3*5) + …).
double ShareFromZero(double x, double density) {
  double term = x;
  double sum = 0;
  for (int odd = 3; term > sum * 1e-17; odd += 2) {
    sum += term;
    term *= x * x / odd;
  }
  return density * sum;
}

std::vector<float> MakeQuantiles() {
  std::vector<float> quantiles(kQuantiles);
  double x = 0;
  for (std::size_t i = 0; i < kQuantiles / 2; ++i) {
    const double share = (static_cast<double>(i) + 0.5) / kQuantiles;
    // Newton's steps from the quantile before; they approach from below.
    double step = 1;
    while (step > 1e-9) {
      const double density = Density(x);
      step = (share - ShareFromZero(x, density)) / density;
      x += step;
    }
    quantiles[kQuantiles / 2 + i] = static_cast<float>(x);
    quantiles[kQuantiles / 2 - 1 - i] = static_cast<float>(-x);
  }
  return quantiles;
}

/// How the values of a kind of tensor lie: centre + scale * normal.
struct Spread {
  float centre;
  float scale;
};

enum SpreadKind : std::size_t { kWideMatrix, kMatrix, kNarrowMatrix, kNorm, kBias, kLogitScale };

constexpr std::array<Spread, 6> kSpreads = {{
    {0.0f, 0.02f},  // a matrix with many inputs
    {0.0f, 0.035f},
    {0.0f, 0.05f},  // with few
    {1.0f, 0.05f},
    {0.0f, 0.01f},
    {4.6052f, 0.0f},  // ln 100
}};

constexpr float kFinetuneShare = 0.05f;

SpreadKind KindOf(std::string_view name, std::span<const std::uint64_t> shape) {
  if (name.ends_with("logit_scale")) return kLogitScale;
  if (shape.size() < 2) {
    return name.ends_with(".weight") || name.ends_with(".scale") ? kNorm : kBias;
  }
  const std::uint64_t inputs = ElementCount(shape.subspan(1)).value_or(0);
  if (inputs >= 2048) return kWideMatrix;
  return inputs >= 512 ? kMatrix : kNarrowMatrix;
}

/// Scrambles 64 bits; the output function of SplitMix64.
std::uint64_t Mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15;

std::uint64_t KeyOf(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return Mix(hash ^ Mix(seed + kGamma));
}

/// Elements come in fours: 16 bits each of one scrambled counter.
std::uint64_t BitsOfFour(std::uint64_t key, std::uint64_t four) {
  return Mix(key + four * kGamma);
}

std::size_t Pick(std::uint64_t bits, std::uint64_t index) {
  return static_cast<std::size_t>(bits >> (16 * (index & 3)) & 0xffff);
}

std::size_t PickOne(std::uint64_t key, std::uint64_t index) {
  return Pick(BitsOfFour(key, index >> 2), index);
}

}  // namespace

std::span<const float> NormalQuantiles() {
  static const std::vector<float> quantiles = MakeQuantiles();
  return quantiles;
}

SynthValues::SynthValues(DType dtype, std::uint64_t seed, std::optional<std::uint64_t> finetune_of)
    : dtype_(dtype), width_(Info(dtype).bits / 8u), seed_(seed), base_(finetune_of) {
  std::vector<float> values(kQuantiles);
  for (const Spread& spread : kSpreads) {
    for (std::size_t i = 0; i < kQuantiles; ++i) {
      values[i] = spread.centre + spread.scale * NormalQuantiles()[i];
    }
    Encode(dtype, values, codes_.emplace_back(kQuantiles * width_));
  }
}

template <class Code>
void SynthValues::FillCodes(const Code* codes, std::uint64_t key, std::uint64_t first,
                            std::span<std::byte> out) const {
  const std::uint64_t end = first + out.size() / sizeof(Code);
  std::byte* to = out.data();
  std::uint64_t index = first;
  const auto one = [&] {
    std::memcpy(to, &codes[PickOne(key, index)], sizeof(Code));
    to += sizeof(Code);
    ++index;
  };
  while (index < end && index % 4 != 0) one();
  for (; index + 4 <= end; index += 4, to += 4 * sizeof(Code)) {
    const std::uint64_t bits = BitsOfFour(key, index / 4);
    const Code four[4] = {codes[Pick(bits, 0)], codes[Pick(bits, 1)], codes[Pick(bits, 2)],
                          codes[Pick(bits, 3)]};
    std::memcpy(to, four, sizeof(four));
  }
  while (index < end) one();
}

void SynthValues::FillFinetuned(std::size_t spread, std::string_view name, std::uint64_t first,
                                std::span<std::byte> out) const {
  const std::span<const float> quantiles = NormalQuantiles();
  const auto [centre, scale] = kSpreads[spread];
  const std::uint64_t base_key = KeyOf(*base_, name);
  const std::uint64_t own_key = KeyOf(seed_, name);
  std::array<float, 1024> tile;
  const std::uint64_t elements = out.size() / width_;
  for (std::uint64_t done = 0; done < elements; done += tile.size()) {
    const std::size_t size = std::min<std::uint64_t>(tile.size(), elements - done);
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint64_t index = first + done + i;
      const float base = centre + scale * quantiles[PickOne(base_key, index)];
      tile[i] = base + kFinetuneShare * scale * quantiles[PickOne(own_key, index)];
    }
    Encode(dtype_, std::span<const float>(tile).first(size),
           out.subspan(done * width_, size * width_));
  }
}

void SynthValues::Fill(std::string_view name, std::span<const std::uint64_t> shape,
                       std::uint64_t first, std::span<std::byte> out) const {
  const SpreadKind kind = KindOf(name, shape);
  if (base_) return FillFinetuned(kind, name, first, out);
  const void* codes = codes_[kind].data();
  const std::uint64_t key = KeyOf(seed_, name);
  switch (width_) {
    case 1:
      return FillCodes(static_cast<const std::uint8_t*>(codes), key, first, out);
    case 2:
      return FillCodes(static_cast<const std::uint16_t*>(codes), key, first, out);
    case 4:
      return FillCodes(static_cast<const std::uint32_t*>(codes), key, first, out);
    default:
      return FillCodes(static_cast<const std::uint64_t*>(codes), key, first, out);
  }
}

}  // namespace weightsmith::internal
