// The declarations against what is published: counts and sizes, and digests of all names and
// shapes, which were computed from the key lists of real checkpoints.
#include "core/model/architecture.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

#include "tests/core/anatomy/declared.h"

namespace weightsmith::internal {
namespace {

/// FNV-1a of "name<TAB>320,4,3,3<LF>" for every tensor, sorted by name.
std::uint64_t Digest(const TensorList& tensors) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  for (const CheckpointTensor& tensor : tensors) {
    add(tensor.name);
    add("\t");
    for (std::size_t i = 0; i < tensor.info.shape.size(); ++i) {
      if (i > 0) add(",");
      add(std::to_string(tensor.info.shape[i]));
    }
    add("\n");
  }
  return hash;
}

std::uint64_t FloatElements(const TensorList& tensors) {
  std::uint64_t sum = 0;
  for (const CheckpointTensor& tensor : tensors) {
    if (tensor.info.dtype != DType::kI64) sum += tensor.info.elements();
  }
  return sum;
}

TEST(Architecture, StableDiffusion15HasThePublishedTensors) {
  const TensorList tensors = Monolithic("sd1", "base", "full");
  EXPECT_EQ(tensors.size(), 1131u);
  EXPECT_EQ(FloatElements(tensors), 1'066'235'307u);
  EXPECT_EQ(Digest(tensors), 0x93b43d3dad6c8b83u);
}

TEST(Architecture, SdxlHasThePublishedTensors) {
  const TensorList tensors = Monolithic("sdxl", "base", "full");
  EXPECT_EQ(tensors.size(), 2515u);
  EXPECT_EQ(FloatElements(tensors), 3'468'837'945u - 77u);
  EXPECT_EQ(Digest(tensors), 0xc5836f45240c6483u);
}

TEST(Architecture, FluxDevHasThePublishedTensors) {
  const TensorList transformer = Bare("flux1", "dev", "full");
  EXPECT_EQ(transformer.size(), 780u);
  EXPECT_EQ(FloatElements(transformer), 11'901'408'320u);
  EXPECT_EQ(Digest(transformer), 0xd15e8793fae25135u);
  const TensorList monolithic = Monolithic("flux1", "dev", "full");
  EXPECT_EQ(monolithic.size(), 1439u);
  EXPECT_EQ(FloatElements(monolithic), 16'870'599'139u);
  EXPECT_EQ(Digest(monolithic), 0xbcc9a72cf38a9fdeu);
}

TEST(Architecture, FluxSchnellLacksTheGuidance) {
  const TensorList transformer = Bare("flux1", "schnell", "full");
  EXPECT_EQ(transformer.size(), 776u);
  EXPECT_EQ(FloatElements(transformer), 11'891'178'560u);
  EXPECT_EQ(Monolithic("flux1", "schnell", "full").size(), 1435u);
}

TEST(Architecture, VariantsHaveAWiderInputAndNothingElse) {
  const struct {
    std::string_view id, variant;
    std::uint64_t parameters;
  } kCases[] = {
      {"sd1", "inpainting", 859'520'964u + 14'400u}, {"sd1", "pix2pix", 859'532'484u},
      {"sdxl", "inpainting", 2'567'478'084u},        {"flux1", "fill", 11'902'391'360u},
      {"flux1", "control", 11'901'604'928u},
  };
  for (const auto& [id, variant, parameters] : kCases) {
    EXPECT_EQ(FloatElements(Bare(id, variant, "full")), parameters) << id << ' ' << variant;
  }
}

/// Counts and sums of published files; where all names and shapes were at hand, they were compared.
TEST(Architecture, OthersHaveThePublishedCounts) {
  const struct {
    std::string_view id, variant;
    std::size_t tensors;
    std::uint64_t parameters;
  } kCases[] = {
      {"sd2", "base", 686, 865'910'724},           {"sd2", "depth", 686, 865'913'604},
      {"sd2", "inpainting", 686, 865'925'124},     {"sdxl-refiner", "base", 1220, 2'259'526'660},
      {"sd3", "base", 491, 2'084'951'104},         {"sd3.5-medium", "base", 665, 2'469'663'936},
      {"sd3.5-large", "base", 923, 8'146'280'768}, {"chroma", "base", 643, 8'899'983'424},
      {"z-image", "base", 453, 6'154'908'736},     {"qwen-image", "base", 1933, 20'430'401'088},
      {"wan", "t2v-1.3b", 825, 1'418'996'800},     {"wan", "t2v-14b", 1095, 14'288'491'584},
      {"wan", "i2v-14b", 1303, 16'394'878'784},    {"wan", "ti2v-5b", 825, 4'999'787'712},
      {"auraflow", "base", 331, 6'858'605'568},    {"pixart", "sigma", 436, 612'084'896},
      {"pixart", "alpha", 444, 611'840'672},       {"lumina2", "base", 399, 2'609'769'152},
  };
  for (const auto& [id, variant, count, parameters] : kCases) {
    const TensorList tensors = Bare(id, variant, "full");
    EXPECT_EQ(tensors.size(), count) << id << ' ' << variant;
    EXPECT_EQ(FloatElements(tensors), parameters) << id << ' ' << variant;
  }
  EXPECT_EQ(Monolithic("sd2", "base", "full").size(), 1228u);
  EXPECT_EQ(FloatElements(Monolithic("sd2", "base", "full")), 1'303'597'228u);
  EXPECT_EQ(Monolithic("sdxl-refiner", "base", "full").size(), 1858u);
  EXPECT_EQ(FloatElements(Monolithic("sdxl-refiner", "base", "full")), 3'037'840'364u);
}

TEST(Part, HasThePublishedTensors) {
  const struct {
    std::string_view id;
    std::size_t row, tensors;
    std::uint64_t digest;
  } kCases[] = {
      {"clip_l", 0, 196, 0x283cf9a4190e81a7}, {"clip_g", 1, 517, 0x579fce0b2dcc762b},
      {"t5xxl", 0, 219, 0xf164edf515e04760},  {"vae", 0, 248, 0x18fb994111171bc7},
      {"vae", 1, 244, 0xbd64f03ae3ad8b36},
  };
  for (const auto& [id, row, count, digest] : kCases) {
    const TensorList tensors = PartAlone(id, row);
    EXPECT_EQ(tensors.size(), count) << id << ' ' << row;
    EXPECT_EQ(Digest(tensors), digest) << id << ' ' << row;
  }
  EXPECT_EQ(PartAlone("clip_h", 0).size(), 294u);
  EXPECT_EQ(FloatElements(PartAlone("clip_h", 0)), 354'032'641u);
}

TEST(Architecture, TinyHasTheNamesOfFullInLittleSpace) {
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      if (row.scale != "tiny") continue;
      const TensorList tiny = Monolithic(architecture->id, row.variant, "tiny");
      const TensorList full = Monolithic(architecture->id, row.variant, "full");
      ASSERT_EQ(tiny.size(), full.size());
      for (std::size_t i = 0; i < tiny.size(); ++i) EXPECT_EQ(tiny[i].name, full[i].name);
      EXPECT_LT(2 * FloatElements(tiny), architecture->id == "sd1" ? 5'000'000u : 10'000'000u)
          << architecture->id;
    }
  }
}

TEST(Architecture, IdsVariantsAndNamesForSynthAreUnique) {
  std::set<std::string> seen;
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      EXPECT_TRUE(seen.insert(std::string(row.synth) + "/" + std::string(row.scale)).second);
    }
  }
  for (const Part* part : Parts()) {
    for (const PartRow& row : part->rows) {
      EXPECT_TRUE(seen.insert(std::string(row.synth) + "/" + std::string(row.scale)).second);
    }
  }
}

}  // namespace
}  // namespace weightsmith::internal
