// Every flag of every command is driven once, in the process: it is accepted, the command reads it,
// and the command asks for no flag that its table lacks.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "cli/command.h"
#include "cli/program.h"
#include "core/base/error.h"
#include "core/formats/checkpoint.h"
#include "core/synth/synth.h"
#include "tests/cli/memory_file.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// A complete command line of a command, without its flags that are optional.
const std::map<std::string_view, std::string_view> kBase = {
    {"architectures", ""},
    {"assemble", "--like sdxl --unet xl/unet.safetensors -o out.safetensors -f"},
    {"bake", "a.safetensors --lora lora.safetensors -o out.safetensors -f"},
    {"blocks", "a.safetensors"},
    {"completion", "bash"},
    {"convert", "a.safetensors -o out.safetensors -f"},
    {"hash", "a.safetensors"},
    {"help", "merge"},
    {"info", "a.safetensors"},
    {"lora", "info lora.safetensors"},
    {"man", ""},
    {"merge", "a.safetensors b.safetensors -o out.safetensors -f"},
    {"meta", "meta.safetensors"},
    {"ops", ""},
    {"plan", "a.safetensors b.safetensors -o out.safetensors -f"},
    {"scan", "a.safetensors"},
    {"schema", "recipe"},
    {"show", "mix.yaml"},
    {"split", "a.safetensors -o parts -f"},
    {"synth", "sd15 --scale tiny -o synth.safetensors --force"},
    {"validate", "mix.yaml"},
    {"verify", "mixed.safetensors"},
};

/// What a flag with a value is given; of one command ("assemble --like") before that of all.
const std::map<std::string_view, std::string_view> kValues = {
    {"allow-unmatched", "nothing"},
    {"alpha", "0.25"},
    {"components", "unet,vae"},
    {"dtype", "f32"},
    {"files-from", "pipeline"},
    {"finetune-of", "1"},
    {"get", "title"},
    {"io", "read"},
    {"key", "nets"},
    {"layout", "ldm"},
    {"synth --layout", "bare"},
    {"ops --like", "style"},
    {"lora", "lora.safetensors:0.5"},
    {"lora-blocks", "INALL"},
    {"max-memory", "1G"},
    {"max-shard-size", "1M"},
    {"mbw", "GRAD_V"},
    {"model", "a=a.safetensors"},
    {"models", "."},
    {"op", "average"},
    {"output", "out.safetensors"},
    {"split --output", "parts"},
    {"param", "alpha=0.25"},
    {"part", "1/1"},
    {"validate --output", "fresh.safetensors"},
    {"policy", "missing=keep"},
    {"presets", "presets.txt"},
    {"remove", "title"},
    {"report", "report.json"},
    {"rounding", "stochastic:7"},
    {"scale", "tiny"},
    {"seed", "7"},
    {"set", "w=0.4"},
    {"meta --set", "title=new"},
    {"step", "mix"},
    {"threads", "1"},
    {"vae", "b.safetensors"},
};

/// Whole command lines, where a flag needs others than the base has.
const std::map<std::string_view, std::string_view> kLines = {
    {"merge --base",
     "b.safetensors --op ties --base a.safetensors --density 0.5 -o out.safetensors -f"},
    {"merge --density",
     "a.safetensors b.safetensors --op ties --density 0.5 -o out.safetensors -f"},
    {"merge --weights",
     "a.safetensors b.safetensors --op linear --weights 0.5,0.5 -o out.safetensors -f"},
    {"plan --base",
     "b.safetensors --op ties --base a.safetensors --density 0.5 -o out.safetensors -f"},
    {"plan --density", "a.safetensors b.safetensors --op ties --density 0.5 -o out.safetensors -f"},
    {"plan --weights",
     "a.safetensors b.safetensors --op linear --weights 0.5,0.5 -o out.safetensors -f"},
    {"assemble --like", "--like sdxl --unet xl/unet.safetensors -o out.safetensors -f"},
    {"assemble --unet", "--like sdxl --unet xl/unet.safetensors -o out.safetensors -f"},
    {"assemble --vae", "--like sdxl --vae xl/vae.safetensors -o out.safetensors -f"},
    {"assemble --clip-l", "--like sdxl --clip-l xl/clip_l.safetensors -o out.safetensors -f"},
    {"assemble --clip-g", "--like sdxl --clip-g xl/clip_g.safetensors -o out.safetensors -f"},
    {"assemble --clip-h", "--like sd2 --clip-h sd2/clip_h.safetensors -o out.safetensors -f"},
    {"assemble --t5xxl", "--like flux1 --t5xxl flux/t5xxl.safetensors -o out.safetensors -f"},
    {"assemble --umt5xxl", "--like wan --umt5xxl wan/umt5xxl.safetensors -o out.safetensors -f"},
    {"assemble --transformer",
     "--like flux1 --transformer flux/transformer.safetensors -o out.safetensors -f"},
    {"assemble --te1", "--like sdxl --te1 xl/clip_l.safetensors -o out.safetensors -f"},
    {"assemble --te2", "--like sdxl --te2 xl/clip_g.safetensors -o out.safetensors -f"},
    {"assemble --te3", "--like sd3 --te3 sd3/t5xxl.safetensors -o out.safetensors -f"},
    {"assemble --other",
     "--like sdxl --vae xl/vae.safetensors --other loose.safetensors -o out.safetensors -f"},
    {"assemble --ema",
     "--like sdxl --vae xl/vae.safetensors --ema loose.safetensors -o out.safetensors -f"},
    {"assemble --output", "--like sdxl --vae xl/vae.safetensors -o out.safetensors -f"},
    {"bake --lora", "a.safetensors --lora lora.safetensors:0.5 -o out.safetensors -f"},
    {"convert --files-from",
     "a.safetensors --layout diffusers --files-from pipeline -o converted -f"},
    {"convert --key", "nets.pt --key nets -o out.safetensors -f"},
    {"info --key", "nets.pt --key nets"},
    {"convert --output", "a.safetensors -o out.safetensors -f"},
    {"merge --output", "a.safetensors b.safetensors -o out.safetensors -f"},
    {"plan --output", "a.safetensors b.safetensors -o out.safetensors -f"},
    {"bake --output", "a.safetensors --lora lora.safetensors -o out.safetensors -f"},
    {"split --output", "a.safetensors -o parts -f"},
    {"synth --output", "sd15 --scale tiny -o synth.safetensors --force"},
    {"synth --scale", "sd15 --scale tiny -o synth.safetensors --force"},
};

/// Flags that need a recipe file, and those that need none.
bool NeedsRecipe(std::string_view command, std::string_view flag) {
  return (command == "merge" || command == "plan") && (flag == "set" || flag == "step");
}

std::optional<std::vector<std::string>> LineOf(const Command& command, const Flag& flag) {
  const std::string key = fmt::format("{} --{}", command.name, flag.name);
  if (const auto line = kLines.find(key); line != kLines.end()) return Words(line->second);
  const auto base = kBase.find(command.name);
  if (base == kBase.end()) return std::nullopt;
  std::vector<std::string> words = NeedsRecipe(command.name, flag.name)
                                       ? Words("mix.yaml -o out.safetensors -f")
                                       : Words(base->second);
  const std::string spelled = fmt::format("--{}", flag.name);
  const auto given = [&](const std::string& word) {
    return word == spelled || (flag.letter != 0 && word == fmt::format("-{}", flag.letter));
  };
  if (std::ranges::any_of(words, given)) return words;
  words.push_back(spelled);
  if (flag.kind == ValueKind::kNone) return words;
  auto value = kValues.find(key);
  if (value == kValues.end()) value = kValues.find(flag.name);
  if (value == kValues.end()) return std::nullopt;
  words.emplace_back(value->second);
  return words;
}

/// A file of torch before 1.6: {"nets": {"w": four numbers}}.
std::string TorchFile() {
  using std::string_view_literals::operator""sv;
  std::string file("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv);
  file += "\x80\x02M\xe9\x03.\x80\x02}."sv;
  file += "\x80\x02}X\x04\0\0\0nets}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n("sv;
  file +=
      "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"
      "0X\x03\0\0\0cpuK\x04NtQ"sv;
  file += "K\0K\x04\x85K\x01\x85\x89}tRss."sv;
  file +=
      "\x80\x02]X\x01\0\0\0"
      "0a.\x04\0\0\0\0\0\0\0"sv;
  file.resize(file.size() + 16);
  return file;
}

struct Outcome {
  int status = 0;
  std::string said;
};

Outcome RunLine(const std::vector<std::string>& words) {
  const File out(std::tmpfile());
  const File err(std::tmpfile());
  Terminal terminal(out.get(), err.get());
  const int status = RunProgram(words, terminal);
  return {status, Contents(out.get()) + Contents(err.get())};
}

void WriteText(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// A safetensors file of F32 tensors that hold 0.5.
void WriteTensors(const fs::path& path,
                  const std::vector<std::pair<std::string, std::vector<std::uint64_t>>>& tensors) {
  nlohmann::ordered_json header;
  header["__metadata__"]["title"] = "old";
  std::uint64_t end = 0;
  for (const auto& [name, shape] : tensors) {
    std::uint64_t size = 4;
    for (const std::uint64_t extent : shape) size *= extent;
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {end, end + size}}};
    end += size;
  }
  std::string text = header.dump();
  text.resize((text.size() + 64) / 8 * 8, ' ');
  std::ofstream file(path, std::ios::binary);
  const std::uint64_t length = text.size();
  file.write(reinterpret_cast<const char*>(&length), sizeof(length));
  file << text;
  const float half = 0.5F;
  for (std::uint64_t i = 0; i < end; i += 4) {
    file.write(reinterpret_cast<const char*>(&half), sizeof(half));
  }
}

void WriteModel(const std::string& architecture, std::uint64_t seed, const fs::path& path,
                SynthLayout layout = SynthLayout::kPublished) {
  SynthOptions options;
  options.name = architecture;
  options.scale = "tiny";
  options.seed = seed;
  options.layout = layout;
  Synthesise(options, path, {.sync = false}, {});
}

class EveryFlag : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    before_ = fs::current_path();
    scratch_ = std::make_unique<Scratch>();
    fs::current_path(scratch_->folder());
    WriteModel("sd15", 1, "a.safetensors");
    WriteModel("sd15", 2, "b.safetensors");
    WriteText("nets.pt", TorchFile());
    WriteTensors("meta.safetensors", {{"w", {2}}});
    WriteTensors("loose.safetensors", {{"loose.weight", {4}}});
    WriteText("mix.yaml",
              "weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors}\nvars: {w: 0.3}\n"
              "steps: {mix: {op: weighted_sum, a: a, b: b, alpha: $w}}\n"
              "output: {model: mix, path: recipe.safetensors}\n");
    WriteText("presets.txt", "MINE\t0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1\n");
    WriteLora();
    for (const auto& [architecture, parts] :
         std::map<std::string, std::string>{{"sdxl", "xl"},
                                            {"sd21", "sd2"},
                                            {"flux1-dev", "flux"},
                                            {"sd3", "sd3"},
                                            {"wan-t2v-1.3b", "wan"}}) {
      WriteModel(architecture, 1, architecture + ".safetensors", SynthLayout::kMonolithic);
      Expect({"split", architecture + ".safetensors", "-o", parts});
    }
    Expect({"convert", "a.safetensors", "--layout", "diffusers", "-o", "pipeline"});
    Expect({"merge", "a.safetensors", "b.safetensors", "-o", "mixed.safetensors"});
  }

  static void TearDownTestSuite() {
    fs::current_path(before_);
    scratch_.reset();
  }

  static void Expect(const std::vector<std::string>& words) {
    const Outcome outcome = RunLine(words);
    EXPECT_EQ(outcome.status, 0) << outcome.said;
  }

  // Of a layer that every SD 1.5 has, as wide as it is here.
  static void WriteLora() {
    const auto model = Checkpoint::Open("a.safetensors");
    for (const auto& tensor : model->tensors()) {
      if (tensor.name != "model.diffusion_model.middle_block.1.proj_in.weight") continue;
      const std::uint64_t out = tensor.info.shape[0];
      const std::uint64_t in = tensor.info.shape[1];
      const std::string stem = "lora_unet_mid_block_attentions_0_proj_in";
      WriteTensors("lora.safetensors", {{stem + ".lora_down.weight", {2, in, 1, 1}},
                                        {stem + ".lora_up.weight", {out, 2, 1, 1}}});
    }
    ASSERT_TRUE(fs::exists("lora.safetensors"));
  }

 private:
  static inline fs::path before_;
  static inline std::unique_ptr<Scratch> scratch_;
};

void Drive(const Command& command, const Flag& flag, const std::vector<std::string>& words) {
  const File out(std::tmpfile());
  const File err(std::tmpfile());
  Terminal terminal(out.get(), err.get());
  const ParsedArguments arguments = ParseArguments(command, words);
  try {
    EXPECT_EQ(command.run(arguments, terminal), 0) << Contents(err.get());
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what() << '\n' << Contents(err.get());
  }
  EXPECT_TRUE(arguments.asked().contains(flag.name)) << "the flag was given and not read";
  for (const std::string& asked : arguments.asked()) {
    const auto same = [&](const Flag& known) { return known.name == asked; };
    EXPECT_TRUE(std::ranges::any_of(command.flags, same))
        << "the command asks for --" << asked << ", which its table lacks";
  }
}

TEST_F(EveryFlag, IsAcceptedAndRead) {
  for (const Command* command : Commands()) {
    for (const Flag& flag : command->flags) {
      const auto words = LineOf(*command, flag);
      SCOPED_TRACE(fmt::format("{} --{}", command->name, flag.name));
      if (!words) {
        ADD_FAILURE() << "this flag has no case: give it a value in this file";
        continue;
      }
      fs::remove("report.json");
      WriteTensors("meta.safetensors", {{"w", {2}}});
      Drive(*command, flag, *words);
    }
  }
}

TEST_F(EveryFlag, OfAllCommandsIsAcceptedByEach) {
  for (const Command* command : Commands()) {
    for (const std::string_view flags :
         {"", "--quiet", "-v", "--progress json", "--progress off", "-h", "--help", "--version"}) {
      const auto base = kBase.find(command->name);
      ASSERT_NE(base, kBase.end()) << command->name;
      std::vector<std::string> words = {std::string(command->name)};
      for (const std::string_view part : {base->second, flags}) {
        for (std::string& word : Words(part)) words.push_back(std::move(word));
      }
      const Outcome outcome = RunLine(words);
      EXPECT_EQ(outcome.status, 0) << command->name << ' ' << flags << '\n' << outcome.said;
      EXPECT_EQ(outcome.said.find("unexpected:"), std::string::npos) << outcome.said;
    }
  }
}

TEST(FlagNames, AreThoseOfTheTablesAndNoOthers) {
  std::vector<std::string_view> declared;
  for (const Command* command : Commands()) {
    for (const Flag& flag : command->flags) {
      if (command->name != "assemble" || flag.group != "Parts") declared.push_back(flag.name);
    }
  }
  for (const Flag& flag : CommonFlags()) declared.push_back(flag.name);
  declared.emplace_back("like");  // a flag of assemble that is no part
  for (const std::string_view flag : declared) {
    EXPECT_NE(std::ranges::find(kFlagNames, flag), std::end(kFlagNames)) << flag;
  }
  for (const std::string_view flag : kFlagNames) {
    EXPECT_NE(std::ranges::find(declared, flag), declared.end()) << flag << " is no flag";
  }
}

}  // namespace
}  // namespace weightsmith::internal
