#include "core/formats/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"
#include "core/io/byte_source.h"
#include "tests/core/caught.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;
using std::string_literals::operator""s;

const char kTwoTensors[] =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
    R"("a":{"dtype":"F16","shape":[1,2],"data_offsets":[3,7]}})";

std::string Text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class CheckpointBackends : public ::testing::TestWithParam<IoBackend> {
 protected:
  Scratch scratch_;
};
INSTANTIATE_TEST_SUITE_P(Io, CheckpointBackends,
                         ::testing::Values(IoBackend::kMap, IoBackend::kRead),
                         [](const auto& backend) {
                           return backend.param == IoBackend::kMap ? "Map" : "Read";
                         });

TEST_P(CheckpointBackends, OpensOneFile) {
  const auto path = scratch_.Make("x.bin", FileOf(kTwoTensors, "xyzABCD"));
  const auto checkpoint = Checkpoint::Open(path, GetParam());
  EXPECT_EQ(checkpoint->format(), CheckpointFormat::kSafetensors);
  EXPECT_EQ(checkpoint->path(), path);
  EXPECT_EQ(checkpoint->size(), std::filesystem::file_size(path));
  EXPECT_EQ(checkpoint->metadata(), (Metadata{{"format", "pt"}}));
  ASSERT_EQ(checkpoint->tensors().size(), 2u);
  EXPECT_EQ(checkpoint->tensors()[0].name, "a");
  EXPECT_EQ(checkpoint->tensors()[1].name, "b");
  EXPECT_EQ(checkpoint->Find("c"), nullptr);
  EXPECT_EQ(checkpoint->Find(""), nullptr);
  const CheckpointTensor* a = checkpoint->Find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->info, (TensorInfo{DType::kF16, {1, 2}}));
  EXPECT_EQ(Text(checkpoint->Read(*a)), "ABCD");
  std::vector<std::byte> part(2);
  checkpoint->Read(*a, 1, part);
  EXPECT_EQ(Text(part), "BC");
  EXPECT_EQ(checkpoint->files()[0]->backend(), GetParam());
}

TEST_P(CheckpointBackends, TurnTruncationIntoAnErrorWithTheTensor) {
  const auto path = scratch_.Make("x", FileOf(kTwoTensors, "xyzABCD"));
  const auto checkpoint = Checkpoint::Open(path, GetParam());
  std::filesystem::resize_file(path, checkpoint->size() - 2);
  const Error error = Caught([&] { checkpoint->Read(*checkpoint->Find("a")); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.what(), HasSubstr("reading tensor 'a'"));
  EXPECT_THAT(error.what(), HasSubstr(path.string()));
  EXPECT_THAT(error.what(), HasSubstr("truncated"));
  EXPECT_EQ(Text(checkpoint->Read(*checkpoint->Find("b"))), "xyz");
}

struct Foreign {
  std::string bytes;
  const char* what;
  const char* advice;
};

TEST(Checkpoint, NamesTheFormatsThatItDoesNotRead) {
  const std::string zeros(300, '\0');
  const std::vector<Foreign> cases = {
      {"", "the file is empty", ""},
      {"\1\0\0"s, "the file has 3 bytes", ""},
      {"PK\3\4\0\0\10\10"s + zeros, "zip archive", "again"},
      {"PYTORCH1" + zeros, "preview", "torch.save"},
      {"\x80\2\x8a\n" + zeros, "pickle", "torch.save"},
      {"\x80\4\x95" + zeros, "pickle", "torch.save"},
      {"GGUF\3\0\0\0"s + zeros, "GGUF", ""},
      {"7z\xBC\xAF\x27\x1C" + zeros, "7z", "Unpack"},
      {"\x1F\x8B\b\0"s + zeros, "gzip", "Unpack"},
      {std::string(257, '\0') + "ustar" + zeros, "tar", ""},
      {"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "a web page (HTML)", "login"},
      {"\n <HTML lang=\"en\">\n", "a web page (HTML)", "login"},
      {"Invalid username or password.", "a text file", "server"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n", "Git LFS", "git lfs"},
      {"weightsmith: 1\nmodels:\n", "a text file", ""},
      {"{\"a\": 1, \"b\": 2}", "JSON file without a 'weight_map'", "index"},
      {zeros, "the header is malformed: expected an object", ""},
      {std::string(300, '\xFF'), "header's length at byte 0", "not a safetensors file"},
  };
  const Scratch scratch;
  for (const Foreign& foreign : cases) {
    const auto path = scratch.Make("x.bin", foreign.bytes);
    const Error error = Caught([&] { Checkpoint::Open(path); });
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.what(), HasSubstr(foreign.what));
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    EXPECT_THAT(error.advice(), HasSubstr(foreign.advice)) << foreign.what;
  }
}

TEST(Checkpoint, TakesALengthThatLooksLikeLetters) {
  const Scratch scratch;
  const std::string json = "{}" + std::string(0x7B - 2, ' ');  // the length is the code of '{'
  EXPECT_TRUE(Checkpoint::Open(scratch.Make("x", FileOf(json)))->tensors().empty());
  // A length of 0x04034B50, "PK\3\4": a zip archive for programs that look at four bytes.
  const auto path = scratch.Make("y", FileOf(" {}" + std::string(0x04034B50 - 3, ' ')));
  EXPECT_THAT(Caught([&] { Checkpoint::Open(path); }).what(), HasSubstr("ambiguous"));
}

TEST(Checkpoint, SaysWhatIsMissing) {
  const Scratch scratch;
  const Error error = Caught([&] { Checkpoint::Open(scratch / "none"); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.what(), HasSubstr("no such file"));
}

/// The header of one tensor of `size` bytes.
std::string OneTensor(const std::string& name, std::size_t size, const std::string& metadata = "") {
  const std::string n = std::to_string(size);
  return "{" + metadata + "\"" + name + R"(":{"dtype":"U8","shape":[)" + n +
         R"(],"data_offsets":[0,)" + n + "]}}";
}

class Shards : public ::testing::Test {
 protected:
  Shards() {
    scratch_.Make("m-2.safetensors",
                  FileOf(OneTensor("a", 2, R"("__metadata__":{"format":"pt","n":"2"},)"), "A2"));
    scratch_.Make("m-1.safetensors",
                  FileOf(OneTensor("b", 1, R"("__metadata__":{"format":"pt","n":"1"},)"), "B"));
  }
  std::filesystem::path Index(const std::string& map) {
    return scratch_.Make("m.safetensors.index.json",
                         R"({"metadata":{"total_size":3},"weight_map":{)" + map + "}}\n");
  }
  std::string Refusal(const std::filesystem::path& path) {
    const Error error = Caught([&] { Checkpoint::Open(path); });
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    return error.what();
  }
  const std::string good_ = R"("a":"m-2.safetensors","b":"m-1.safetensors")";
  Scratch scratch_;
};

TEST_F(Shards, AreReadAsOne) {
  Index(good_);
  for (const auto& path : {scratch_ / "m.safetensors.index.json", scratch_.folder()}) {
    const auto checkpoint = Checkpoint::Open(path);
    EXPECT_EQ(checkpoint->format(), CheckpointFormat::kSharded);
    EXPECT_EQ(ToString(checkpoint->format()), "sharded");
    EXPECT_EQ(checkpoint->path(), path);
    ASSERT_EQ(checkpoint->files().size(), 2u);
    ASSERT_EQ(checkpoint->tensors().size(), 2u);
    EXPECT_EQ(Text(checkpoint->Read(*checkpoint->Find("a"))), "A2");
    EXPECT_EQ(Text(checkpoint->Read(*checkpoint->Find("b"))), "B");
    EXPECT_EQ(checkpoint->metadata(), (Metadata{{"format", "pt"}}));
    EXPECT_EQ(checkpoint->size(), std::filesystem::file_size(scratch_ / "m-1.safetensors") +
                                      std::filesystem::file_size(scratch_ / "m-2.safetensors"));
  }
}

TEST_F(Shards, AreFoundThroughARelativePathAndLinks) {
  Index(good_);
  std::filesystem::create_directory(scratch_ / "snapshot");
  for (const char* name : {"m-1.safetensors", "m-2.safetensors", "m.safetensors.index.json"}) {
    std::filesystem::create_symlink(std::filesystem::path("..") / name,
                                    scratch_ / "snapshot" / name);
  }
  EXPECT_EQ(Checkpoint::Open(scratch_ / "snapshot")->tensors().size(), 2u);
  EXPECT_EQ(Checkpoint::Open(std::filesystem::relative(scratch_ / "m.safetensors.index.json"))
                ->tensors()
                .size(),
            2u);
}

TEST_F(Shards, MustAllBeThere) {
  const auto path = Index(good_ + R"(,"c":"m-3.safetensors","d":"m-4.safetensors")");
  const std::string message = Refusal(path);
  EXPECT_THAT(message,
              HasSubstr("2 of 4 shards are missing: 'm-3.safetensors', 'm-4.safetensors'"));
  EXPECT_THAT(message, HasSubstr(path.string()));
}

TEST_F(Shards, MustFitTheirIndex) {
  EXPECT_THAT(Refusal(Index(good_ + R"(,"c":"m-1.safetensors")")),
              HasSubstr("tensor 'c' should be in shard 'm-1.safetensors', which does not have it"));
  EXPECT_THAT(Refusal(Index(good_ + R"(,"A":"m-1.safetensors")")),
              HasSubstr("tensor 'A' should be in shard 'm-1.safetensors', which does not have it"));
  EXPECT_THAT(Refusal(Index(R"("a":"m-2.safetensors","c":"m-1.safetensors")")),
              HasSubstr("tensor 'b' of shard 'm-1.safetensors' is not in the index"));
  EXPECT_THAT(Refusal(Index(R"("a":"m-1.safetensors","b":"m-2.safetensors")")),
              HasSubstr("tensor 'a' is in shard 'm-2.safetensors', and the index says 'm-1"));
  scratch_.Make("m-3.safetensors", FileOf(OneTensor("a", 2), "A3"));
  EXPECT_THAT(Refusal(Index(good_ + R"(,"c":"m-3.safetensors")")),
              HasSubstr("tensor 'a' is in two shards"));
}

TEST_F(Shards, AreNamedWhenTheyAreBroken) {
  scratch_.Make("m-1.safetensors", "PK\3\4 something else");
  const std::string message = Refusal(Index(good_));
  EXPECT_THAT(message, HasSubstr("m.safetensors.index.json"));
  EXPECT_THAT(message, HasSubstr((scratch_ / "m-1.safetensors").string()));
  EXPECT_THAT(message, HasSubstr("holds a file of torch.save"));
}

TEST_F(Shards, DoNotLeaveTheirFolder) {
  EXPECT_THAT(Refusal(Index(R"("a":"../m-2.safetensors")")), HasSubstr("path traversal refused"));
}

TEST(CheckpointFolder, IsOpenedByTheOneCheckpointInIt) {
  for (const char* name :
       {"model.safetensors", "diffusion_pytorch_model.safetensors", "anything.safetensors"}) {
    const Scratch scratch;
    scratch.Make(name, FileOf(OneTensor("t", 1), "x"));
    scratch.Make("config.json", "{}");
    EXPECT_NE(Checkpoint::Open(scratch.folder())->Find("t"), nullptr) << name;
  }
}

TEST(CheckpointFolder, PrefersTheUsualName) {
  const Scratch scratch;
  scratch.Make("model.safetensors", FileOf(OneTensor("right", 1), "x"));
  scratch.Make("model.fp16.safetensors", FileOf(OneTensor("wrong", 1), "x"));
  EXPECT_NE(Checkpoint::Open(scratch.folder())->Find("right"), nullptr);
}

TEST(CheckpointFolder, RefusesToGuess) {
  const Scratch scratch;
  Error error = Caught([&] { Checkpoint::Open(scratch.folder()); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.what(), HasSubstr("holds no .safetensors file"));
  std::filesystem::create_directory(scratch / "unet");
  error = Caught([&] { Checkpoint::Open(scratch.folder()); });
  EXPECT_THAT(error.advice(), HasSubstr("'unet'"));
  scratch.Make("a.safetensors", FileOf("{}"));
  scratch.Make("b.safetensors", FileOf("{}"));
  error = Caught([&] { Checkpoint::Open(scratch.folder()); });
  EXPECT_THAT(error.what(), HasSubstr("holds 2 checkpoints: 'a.safetensors', 'b.safetensors'"));
  scratch.Make("a.safetensors.index.json", R"({"weight_map":{}})");
  scratch.Make("b.safetensors.index.json", R"({"weight_map":{}})");
  error = Caught([&] { Checkpoint::Open(scratch.folder()); });
  EXPECT_THAT(error.what(), HasSubstr("'a.safetensors.index.json', 'b.safetensors.index.json'"));
}

}  // namespace
}  // namespace weightsmith::internal
