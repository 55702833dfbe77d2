#include "recipes/jobs/convert.h"

#include <vector>

#include "cli/command.h"
#include "cli/default_names.h"
#include "cli/merge_flags.h"
#include "cli/rewrite_command.h"
#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

int RunConvert(const ParsedArguments& arguments, Terminal& terminal) {
  ConvertRequest request;
  request.path = arguments.positionals().front();
  if (const auto word = arguments.Text("dtype")) request.dtype = StoredAsByWord(*word);
  if (const auto word = arguments.Text("layout")) request.layout = LayoutNamed(*word);
  request.components = ComponentWords(arguments);
  request.files_from = arguments.Path("files-from");
  request.key = arguments.Text("key").value_or("");
  request.prune = arguments.Has("prune");
  request.fix = arguments.Has("fix");
  const auto output = arguments.Path("output");
  request.output = output ? *output : ConvertedName(request);
  return RunRewrite(ConvertJob(request), arguments, "converting", terminal);
}

std::vector<Flag> FlagsOfConvert() {
  std::vector<Flag> flags = RewriteFlags(
      ValueKind::kFile, "FILE", "Write to this file; with --layout diffusers to this folder",
      "Without it, a name made of the input's and of what is done, such as "
      "`model-f16.safetensors`, in the working directory.");
  flags.push_back({.name = "dtype",
                   .kind = ValueKind::kStorage,
                   .value = "DTYPE",
                   .doc = "Store tensors as f32, f16, bf16, f8_e4m3 or f8_e5m2",
                   .details = "f8_scaled and f8_block128 store f8_e4m3 with scales beside it.",
                   .group = "Result"});
  flags.push_back(KeyFlag("Result"));
  flags.push_back(ComponentsFlag());
  flags.push_back({.name = "layout",
                   .kind = ValueKind::kText,
                   .value = "LAYOUT",
                   .doc = "Names of the tensors: ldm or comfy for a whole model, bfl for a bare "
                          "FLUX transformer, diffusers for a pipeline's folder or one component",
                   .group = "Result"});
  flags.push_back({.name = "files-from",
                   .kind = ValueKind::kFolder,
                   .value = "DIR",
                   .doc = "Copy tokenizers and configurations from this pipeline's folder",
                   .group = "Result"});
  flags.push_back({.name = "prune",
                   .doc = "Leave out EMA copies, training state and what belongs to no component",
                   .group = "Result"});
  flags.push_back({.name = "fix",
                   .doc = "Set position_ids that a merge has damaged to 0, 1, 2 … again",
                   .group = "Result"});
  return flags;
}

}  // namespace

const Command& convert() {
  static const Command command = {
      .name = "convert",
      .summary = "Convert to safetensors, another dtype or layout, pruned",
      .group = CommandGroup::kConvert,
      .doc =
          "Reads a .ckpt, a safetensors file, shards or a diffusers folder and writes one "
          "safetensors file with the tensor names of the model's publisher. `--layout` chooses "
          "other names; `--layout diffusers` writes a pipeline's folder with the configuration "
          "files that diffusers needs. No checkpoint holds tokenizers: `--files-from` copies "
          "them from a pipeline. Values do not change, except by `--dtype`. Pickled files are "
          "read without executing anything.",
      .positionals = {{.name = "FILE", .doc = "a checkpoint, or a folder of diffusers"}},
      .flags = FlagsOfConvert(),
      .examples = {{"weightsmith convert model.ckpt --dtype f16 -o model.safetensors",
                    "From a .ckpt to safetensors in half precision:"},
                   {"weightsmith convert pipeline/ --dtype f16 --prune -o model.safetensors",
                    "A diffusers folder to one file, without EMA copies:"},
                   {"weightsmith convert model.safetensors --layout diffusers -o pipeline",
                    "One file to a diffusers folder:"},
                   {"weightsmith convert model.safetensors --components vae -o vae.safetensors",
                    "The VAE alone:"},
                   {"weightsmith convert merged.safetensors --fix -o repaired.safetensors",
                    "Repair position_ids that another merge has damaged:"}},
      .run = RunConvert,
  };
  return command;
}

}  // namespace weightsmith::internal
