// Speed of the conversions on tiles that stay in the first-level cache, per element type and
// instruction set, beside memcpy on the same tiles in the same run.
//
//   codec_bench [ROUNDS]     GB/s: medians of the rounds, and in brackets the slowest of them
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/base/simd.h"
#include "core/tensor/codec.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kTile = 1024;
constexpr std::size_t kTiles = 2048;  // in one measurement

struct Workload {
  std::string name;
  std::size_t bytes_per_tile;  // that count: what is read and written
  std::function<void()> run_tile;
};

double GigabytesPerSecond(const Workload& workload) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kTiles; ++i) workload.run_tile();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return static_cast<double>(workload.bytes_per_tile * kTiles) / seconds.count() / 1e9;
}

class Tiles {
 public:
  Tiles() {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 0.03f);
    for (std::size_t i = 0; i < kTile; ++i) {
      floats_[i] = normal(random);
      doubles_[i] = static_cast<double>(floats_[i]);
    }
  }

  // The workloads refer to this object.
  std::vector<Workload> Workloads() {
    std::vector<Workload> workloads = {
        {"memcpy", kTile * 8, [this] { std::memcpy(out_.data(), floats_.data(), kTile * 4); }}};
    for (const DTypeInfo& info : DTypes()) {
      if (info.has_codec) AddConversions(info, &workloads);
    }
    return workloads;
  }

 private:
  void AddConversions(const DTypeInfo& info, std::vector<Workload>* workloads) {
    const std::size_t bytes = kTile * info.bits / 8;
    const DType dtype = info.dtype;
    std::vector<std::byte>& codes = codes_[dtype];
    codes.resize(bytes);
    Encode(dtype, std::span<const float>(floats_), codes);
    const auto add = [&](std::string_view what, std::size_t counted, std::function<void()> run) {
      workloads->push_back({fmt::format("{} {}", info.word, what), counted, std::move(run)});
    };
    add("decode to f32", bytes + kTile * 4,
        [this, dtype, &codes] { Decode(dtype, codes, std::span(decoded_)); });
    add("encode from f32", bytes + kTile * 4, [this, dtype, bytes] {
      Encode(dtype, std::span<const float>(floats_), std::span(out_).first(bytes));
    });
    add("a blend of two", bytes * 3, [this, dtype, bytes, &codes] {
      Decode(dtype, codes, std::span(decoded_));
      Decode(dtype, codes, std::span(second_));
      for (std::size_t i = 0; i < kTile; ++i) {
        decoded_[i] = 0.7f * decoded_[i] + 0.3f * second_[i];
      }
      Encode(dtype, std::span<const float>(decoded_), std::span(out_).first(bytes));
    });
    add("decode to f64", bytes + kTile * 8,
        [this, dtype, &codes] { Decode(dtype, codes, std::span(decoded64_)); });
    add("encode from f64", bytes + kTile * 8, [this, dtype, bytes] {
      Encode(dtype, std::span<const double>(doubles_), std::span(out_).first(bytes));
    });
  }

  std::vector<float> floats_ = std::vector<float>(kTile);
  std::vector<float> decoded_ = std::vector<float>(kTile);
  std::vector<float> second_ = std::vector<float>(kTile);
  std::vector<double> doubles_ = std::vector<double>(kTile);
  std::vector<double> decoded64_ = std::vector<double>(kTile);
  std::vector<std::byte> out_ = std::vector<std::byte>(kTile * 8);
  std::map<DType, std::vector<std::byte>> codes_;
};

void Run(std::size_t rounds) {
  Tiles tiles;
  const std::vector<Workload> workloads = tiles.Workloads();
  for (const std::string& target : SimdTargets()) {
    ForceSimdTarget(target);
    std::vector<std::vector<double>> speeds(workloads.size());
    // Rounds outside, so that a slow moment of the machine meets all workloads alike.
    for (std::size_t round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < workloads.size(); ++i) {
        speeds[i].push_back(GigabytesPerSecond(workloads[i]));
      }
    }
    fmt::print("{}\n", target);
    for (std::size_t i = 0; i < workloads.size(); ++i) {
      std::sort(speeds[i].begin(), speeds[i].end());
      fmt::print("  {:26} {:7.1f}  [{:.1f}]\n", workloads[i].name, speeds[i][rounds / 2],
                 speeds[i].front());
    }
  }
}

}  // namespace
}  // namespace weightsmith::internal

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 11;
  weightsmith::internal::Run(static_cast<std::size_t>(std::max(rounds, 1)));
}
