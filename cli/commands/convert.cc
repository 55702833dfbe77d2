#include "recipes/jobs/convert.h"

#include <algorithm>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/merge_request.h"
#include "cli/rewrite_command.h"
#include "core/error.h"

namespace weightsmith {
namespace {

/// "unet,vae"
std::vector<std::string> Names(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const auto output = arguments.Path("out");
  if (!output) throw Error(ErrorCode::kUsage, "convert: -o FILE is needed.");
  ConvertRequest request;
  request.path = arguments.positionals().front();
  request.output = *output;
  if (const auto word = arguments.Text("dtype")) request.dtype = DTypeByWord(*word);
  if (const auto word = arguments.Text("layout")) request.layout = LayoutNamed(*word);
  request.components = Names(arguments.Text("components").value_or(""));
  request.files_from = arguments.Path("files-from");
  request.prune = arguments.Has("prune");
  request.fix = arguments.Has("fix");
  request.overwrite = arguments.Has("force");
  const RewriteJob job = ConvertJob(request);
  for (const std::string& note : job.notes) terminal.Say(note);
  RunRewrite(job, arguments, "converting", terminal);
  return 0;
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = RunFlags();
  flags.push_back({.name = "out",
                   .letter = 'o',
                   .kind = ValueKind::kFile,
                   .value = "FILE",
                   .doc = "Write to this file; with --layout diffusers to this folder",
                   .group = "Running"});
  flags.push_back({.name = "dtype",
                   .kind = ValueKind::kDType,
                   .value = "DTYPE",
                   .doc = "Store tensors as f32, f16, bf16, f8_e4m3 or f8_e5m2",
                   .group = "Result"});
  flags.push_back({.name = "components",
                   .kind = ValueKind::kText,
                   .value = "LIST",
                   .doc = "Only these components: unet,vae",
                   .group = "Result"});
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
      .summary = "Write a checkpoint anew: as safetensors, in another dtype or layout, pruned",
      .doc =
          "Reads a .ckpt, a safetensors file, shards or a folder of diffusers and writes one "
          "safetensors file under the names of the model's publisher, or with --layout under "
          "others: of a pipeline that -o names as a folder, with the configurations that diffusers "
          "loads it by. Tokenizers are in no checkpoint: --files-from copies them from a pipeline. "
          "Values are the same, but for --dtype.",
      .positionals = {{.name = "FILE", .doc = "a checkpoint, or a folder of diffusers"}},
      .flags = Flags(),
      .examples = {{"weightsmith convert model.ckpt -o model.safetensors", "From a pickle:"},
                   {"weightsmith convert pipeline/ --dtype f16 --prune -o model.safetensors",
                    "A folder of diffusers as one file of half the size:"},
                   {"weightsmith convert model.safetensors --layout diffusers -o pipeline",
                    "And the reverse:"},
                   {"weightsmith convert merged.safetensors --fix -o mended.safetensors",
                    "After another program averaged the position_ids:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
