#include "core/synth/synth.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/byte_source.h"
#include "core/model/architecture_names.h"
#include "core/tensor/dtype.h"

namespace weightsmith::internal {
namespace {

SynthOptions ReadOptions(const ParsedArguments& arguments) {
  SynthOptions options;
  const std::string& words = arguments.positionals().front();
  options.name = SynthNameOf(words).value_or(words);
  options.scale = arguments.Text("scale").value_or("full");
  options.seed = arguments.Integer("seed").value_or(0);
  options.finetune_of = arguments.Integer("finetune-of");
  if (const auto layout = arguments.Text("layout")) {
    options.layout = *layout == "bare" ? SynthLayout::kBare : SynthLayout::kMonolithic;
  }
  if (const auto word = arguments.Text("dtype")) {
    options.dtype = DTypeByWord(*word);
    if (!options.dtype) {
      throw Error(ErrorCode::kUsage, fmt::format("synth: unknown dtype {}", Quote(*word)),
                  "f32, f16, bf16, f8_e4m3 and f8_e5m2 can be made.");
    }
  }
  options.sparse = arguments.Has("sparse");
  return options;
}

int RunSynth(const ParsedArguments& arguments, Terminal& terminal) {
  const SynthOptions options = ReadOptions(arguments);
  const auto path = arguments.Path("output").value_or(options.name + ".safetensors");
  const OutputOptions output = {.overwrite = arguments.Has("force"),
                                .make_folders = arguments.Has("mkdir"),
                                .sync = !arguments.Has("no-sync")};
  ProgressMeter meter(terminal, fmt::format("writing {}", path.filename().string()));
  const std::atomic<bool>& interrupted = CatchInterrupts();
  Synthesise(options, path, output, [&](std::uint64_t done, std::uint64_t total) {
    meter.Update(done, total);
    return !interrupted;
  });
  meter.Finish();
  const std::uint64_t size = IdentifyFile(path).value_or(FileIdentity()).size;
  terminal.Detail(fmt::format("{} in {:.2f} s", FormatBytes(size), meter.seconds()));
  terminal.PrintValue(path.string());
  return 0;
}

}  // namespace

const Command& synth() {
  static const std::string doc = fmt::format(
      "Writes a checkpoint with the names, shapes and dtypes of a published one and random values: "
      "normal, of plausible size, and the same for the same seed on every machine. For tests, "
      "demonstrations and measurements; it makes no images.\n\n"
      "ARCH is one of {}, or what people call it, such as \"sd 1.5\" or \"flux dev\".",
      fmt::join(SynthNames(), ", "));
  static const Command command = {
      .name = "synth",
      .summary = "Write a synthetic model, for tests",
      .group = CommandGroup::kConvert,
      .doc = doc,
      .positionals = {{.name = "ARCH",
                       .doc = "what to make: sd15, sdxl, flux1-dev …",
                       .kind = ValueKind::kText}},
      .flags = {{.name = "output",
                 .letter = 'o',
                 .kind = ValueKind::kFile,
                 .value = "FILE",
                 .doc = "Where to write it",
                 .details = "Without it, ARCH.safetensors in the working directory."},
                {.name = "seed",
                 .kind = ValueKind::kInteger,
                 .value = "N",
                 .doc = "Seed of the values (default 0)"},
                {.name = "finetune-of",
                 .kind = ValueKind::kInteger,
                 .value = "N",
                 .doc = "Take the values of seed N and change them a little by --seed",
                 .details = "Two of one N are related as fine-tunes of one model are."},
                {.name = "scale",
                 .kind = ValueKind::kText,
                 .value = "SCALE",
                 .doc = "full (the default), or tiny: the same names, but narrow",
                 .choices = {"full", "tiny"}},
                {.name = "layout",
                 .kind = ValueKind::kText,
                 .value = "LAYOUT",
                 .doc = "All components in one file, or the diffusion model alone",
                 .details =
                     "Without it, as the publisher does: FLUX.1 bare, the others monolithic.",
                 .choices = {"monolithic", "bare"}},
                {.name = "dtype",
                 .kind = ValueKind::kDType,
                 .value = "DTYPE",
                 .doc = "Of the weights, instead of the publisher's"},
                {.name = "sparse", .doc = "A true header, and zeros that take no space on disk"},
                {.name = "force", .letter = 'f', .doc = "Overwrite an existing file"},
                {.name = "mkdir", .doc = "Make the folders that are missing"},
                {.name = "no-sync", .doc = "Do not wait until the data is on disk"}},
      .examples = {{"weightsmith synth sd15 --seed 1 -o a.safetensors", "2.13 GB to merge:"},
                   {"weightsmith synth flux1-dev --sparse",
                    "The header of a FLUX.1 transformer, without its 23.8 GB:"}},
      .run = RunSynth,
  };
  return command;
}

}  // namespace weightsmith::internal
