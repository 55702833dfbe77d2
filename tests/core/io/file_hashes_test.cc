#include "core/io/file_hashes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/io/hash_cache.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

std::string SquaresPattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(i * i * 7 + i * 131 + (i >> 8) * 17);
  }
  return bytes;
}

std::string NineMebibytes() {
  return FileOf(R"({"x":{"dtype":"U8","shape":[9437184],"data_offsets":[0,9437184]}})",
                SquaresPattern(9 << 20));
}

const std::string kEmptySha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// Expected values here were computed with Python's hashlib.
TEST(HashFile, GivesTheHashesPeopleNameASafetensorsFileBy) {
  const Scratch scratch;
  const auto path = scratch.Make("a.safetensors", NineMebibytes());
  for (const IoBackend backend : {IoBackend::kMap, IoBackend::kRead}) {
    const FileHashes hashes = HashFile(*OpenByteSource(path, backend));
    EXPECT_EQ(hashes.sha256, "81561f30e0b294cfdcaf83cf3e97e34f182824fce3e45616e3f6fc3638db570d");
    EXPECT_EQ(hashes.autov1, "0a4f0430");
    EXPECT_EQ(hashes.autov2, "81561f30e0");
    EXPECT_EQ(hashes.autov3, "0f8e6510550c");
  }
}

TEST(HashFile, TakesTheShortRestForAutoV1AndHasNoAutoV3WithoutAHeader) {
  const Scratch scratch;
  const FileHashes hashes =
      HashFile(*OpenByteSource(scratch.Make("a.ckpt", SquaresPattern(1100000))));
  EXPECT_EQ(hashes.sha256, "60e136f0a124ecf7a544fc0da02ea684346a1eb325db62f74bcc8195396dc2ad");
  EXPECT_EQ(hashes.autov1, "e4b75cb7");
  EXPECT_EQ(hashes.autov3, "");
}

TEST(HashFile, TakesSmallFiles) {
  const Scratch scratch;
  const FileHashes hello = HashFile(*OpenByteSource(scratch.Make("hello", "hello")));
  EXPECT_EQ(hello.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  EXPECT_EQ(hello.autov1, "e3b0c442");
  EXPECT_EQ(hello.autov3, "");
  EXPECT_EQ(HashFile(*OpenByteSource(scratch.Make("empty", ""))).sha256, kEmptySha);
}

TEST(HashFile, OfASafetensorsFileWithoutDataHasTheAutoV3OfNothing) {
  const Scratch scratch;
  const FileHashes hashes = HashFile(*OpenByteSource(scratch.Make("a", FileOf("{}      "))));
  EXPECT_EQ(hashes.sha256, "9bbcbf73561f6bc5d0a17ea6a2081feed2d1304e87602d8c502d9a5c4bd85576");
  EXPECT_EQ(hashes.autov3, kEmptySha.substr(0, 12));
}

TEST(HashFile, TellsProgressToTheEnd) {
  const Scratch scratch;
  const auto source = OpenByteSource(scratch.Make("a", NineMebibytes()));
  std::vector<std::uint64_t> done;
  HashFile(*source, [&](std::uint64_t now, std::uint64_t total) {
    EXPECT_EQ(total, source->size());
    done.push_back(now);
    return true;
  });
  EXPECT_TRUE(std::ranges::is_sorted(done));
  EXPECT_GT(done.size(), 2u);
  EXPECT_EQ(done.back(), source->size());
}

TEST(HashFile, StopsWhenItIsReported) {
  const Scratch scratch;
  const auto source = OpenByteSource(scratch.Make("model.bin", NineMebibytes()));
  try {
    HashFile(*source, [](std::uint64_t done, std::uint64_t) { return done == 0; });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
    EXPECT_THAT(error.what(), testing::HasSubstr("model.bin"));
  }
}

TEST(HashFile, OfAFileThatShrinksIsAnError) {
  const Scratch scratch;
  const auto path = scratch.Make("a", NineMebibytes());
  for (const IoBackend backend : {IoBackend::kMap, IoBackend::kRead}) {
    scratch.Make("a", NineMebibytes());
    const auto source = OpenByteSource(path, backend);
    std::filesystem::resize_file(path, 1 << 20);
    EXPECT_THROW(HashFile(*source), Error);
  }
}

TEST(HashShardSet, HashesTheListThatSha256sumWouldPrintSortedByName) {
  const std::string hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  EXPECT_EQ(HashShardSet({{"b.safetensors", kEmptySha}, {"a.safetensors", hello}}),
            "9be083363458282075a1c217bbf2cabd85cab8ea246754bb2609eccbd91d120f");
}

FileHashes SomeHashes(char digit) {
  const std::string sha256(64, digit);
  return {sha256, std::string(8, digit), sha256.substr(0, 10), std::string(12, digit)};
}

std::string Sha(const std::optional<FileHashes>& hashes) {
  return hashes ? hashes->sha256 : "none";
}

constexpr FileIdentity kFile = {
    .device = 1, .inode = 2, .size = 3, .modified_ns = 4, .changed_ns = -5};

TEST(HashCache, RemembersAllHashesAcrossInstances) {
  const Scratch scratch;
  const auto path = scratch / "deep/er/hashes";
  HashCache(path).Remember(kFile, SomeHashes('a'));
  FileHashes no_autov3 = SomeHashes('b');
  no_autov3.autov3.clear();
  FileIdentity other = kFile;
  other.inode = 22;
  HashCache(path).Remember(other, no_autov3);
  const FileHashes found = HashCache(path).Find(kFile).value();
  EXPECT_EQ(found.sha256, SomeHashes('a').sha256);
  EXPECT_EQ(found.autov1, "aaaaaaaa");
  EXPECT_EQ(found.autov2, "aaaaaaaaaa");
  EXPECT_EQ(found.autov3, "aaaaaaaaaaaa");
  EXPECT_EQ(HashCache(path).Find(other).value().autov3, "");
}

TEST(HashCache, ForgetsAFileWhoseStateDiffers) {
  const Scratch scratch;
  HashCache cache(scratch / "hashes");
  cache.Remember(kFile, SomeHashes('a'));
  for (const auto change :
       {+[](FileIdentity& file) { ++file.device; }, +[](FileIdentity& file) { ++file.inode; },
        +[](FileIdentity& file) { ++file.size; }, +[](FileIdentity& file) { ++file.modified_ns; },
        +[](FileIdentity& file) { ++file.changed_ns; }}) {
    FileIdentity changed = kFile;
    change(changed);
    EXPECT_EQ(Sha(cache.Find(changed)), "none");
  }
}

TEST(HashCache, TheLastWordCounts) {
  const Scratch scratch;
  HashCache cache(scratch / "hashes");
  cache.Remember(kFile, SomeHashes('a'));
  cache.Remember(kFile, SomeHashes('b'));
  EXPECT_EQ(Sha(cache.Find(kFile)), std::string(64, 'b'));
}

TEST(HashCache, AnyDamagedByteIsAForgottenFileAndNeverAWrongHash) {
  const Scratch scratch;
  const auto path = scratch / "hashes";
  HashCache cache(path);
  cache.Remember(kFile, SomeHashes('a'));
  const std::string sound = Slurp(path);
  for (std::size_t i = 0; i + 1 < sound.size(); ++i) {
    for (const char byte : {'b', ' ', '\n', '\0'}) {
      std::string damaged = sound;
      damaged[i] = byte;
      scratch.Make("hashes", damaged);
      const std::string found = Sha(cache.Find(kFile));
      EXPECT_TRUE(found == "none" || found == std::string(64, 'a')) << i;
    }
    scratch.Make("hashes", sound.substr(0, i));
    EXPECT_EQ(Sha(cache.Find(kFile)), "none") << i;
  }
}

TEST(HashCache, GoesOnAfterALineThatWasCutShort) {
  const Scratch scratch;
  const auto path = scratch.Make("hashes", "1 7 8 9");
  HashCache cache(path);
  cache.Remember(kFile, SomeHashes('a'));
  EXPECT_EQ(Sha(cache.Find(kFile)), std::string(64, 'a'));
}

TEST(HashCache, StaysSmallAndKeepsTheNewest) {
  const Scratch scratch;
  const auto path = scratch / "hashes";
  HashCache cache(path);
  cache.Remember(kFile, SomeHashes('a'));
  const std::string line = Slurp(path);
  std::string lines;
  while (lines.size() < 3 << 20) lines += line;
  scratch.Make("hashes", lines);
  FileIdentity newest = kFile;
  newest.inode = 77;
  cache.Remember(newest, SomeHashes('c'));
  EXPECT_LT(std::filesystem::file_size(path), 1u << 20);
  EXPECT_EQ(Sha(cache.Find(kFile)), std::string(64, 'a'));
  EXPECT_EQ(Sha(cache.Find(newest)), std::string(64, 'c'));
}

TEST(HashCache, ThatCannotBeWrittenRemembersNothing) {
  const Scratch scratch;
  scratch.Make("file", "x");
  std::filesystem::create_directory(scratch / "folder");
  for (const auto& path :
       {scratch / "file/hashes", scratch / "folder", std::filesystem::path("/proc/no/hashes")}) {
    HashCache cache(path);
    cache.Remember(kFile, SomeHashes('a'));
    EXPECT_EQ(Sha(cache.Find(kFile)), "none") << path;
  }
}

TEST(HashCache, HashesAFileOnceUntilItChanges) {
  const Scratch scratch;
  const auto path = scratch.Make("model", "hello");
  HashCache cache(scratch / "hashes");
  int readings = 0;
  const auto hash = [&] {
    return cache
        .Hash(*OpenByteSource(path),
              [&](std::uint64_t done, std::uint64_t) {
                readings += done == 0;
                return true;
              })
        .sha256;
  };
  const std::string hello = hash();
  EXPECT_EQ(hash(), hello);
  EXPECT_EQ(readings, 1);
  std::ofstream(path, std::ios::app) << " world";
  EXPECT_EQ(hash(), "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
  EXPECT_EQ(readings, 2);
}

TEST(HashCache, TakesWritersAtTheSameTime) {
  const Scratch scratch;
  const auto path = scratch / "hashes";
  const auto remember = [&](std::uint64_t first) {
    for (std::uint64_t inode = first; inode < first + 50; ++inode) {
      HashCache(path).Remember({.inode = inode}, SomeHashes('a'));
    }
  };
  std::thread one(remember, 100), two(remember, 200);
  one.join();
  two.join();
  for (const std::uint64_t first : {100u, 200u}) {
    for (std::uint64_t inode = first; inode < first + 50; ++inode) {
      EXPECT_EQ(Sha(HashCache(path).Find({.inode = inode})), std::string(64, 'a'));
    }
  }
}

TEST(HashCache, LivesWhereTheUserKeepsCaches) {
  const Scratch scratch;
  const char* const home = std::getenv("HOME");
  const std::string saved = home == nullptr ? "" : home;
  ::setenv("XDG_CACHE_HOME", (scratch / "cache").c_str(), 1);
  HashCache().Remember(kFile, SomeHashes('a'));
  EXPECT_TRUE(std::filesystem::exists(scratch / "cache/weightsmith/hashes"));
  ::setenv("XDG_CACHE_HOME", "relative", 1);  // to be ignored, says the XDG specification
  ::setenv("HOME", scratch.folder().c_str(), 1);
  HashCache().Remember(kFile, SomeHashes('b'));
  EXPECT_TRUE(std::filesystem::exists(scratch / ".cache/weightsmith/hashes"));
  ::unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(Sha(HashCache().Find(kFile)), std::string(64, 'b'));
  ::setenv("HOME", saved.c_str(), 1);
}

}  // namespace
}  // namespace weightsmith::internal
