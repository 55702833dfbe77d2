#include "cli/merge_flags.h"

#include <string>
#include <vector>

#include "merge/expression/list_words.h"

namespace weightsmith::internal {
namespace {

void Append(std::vector<Flag>& flags, const std::vector<Flag>& more) {
  flags.insert(flags.end(), more.begin(), more.end());
}

}  // namespace

std::vector<Positional> MergePositionals() {
  return {{.name = "RECIPE|MODEL",
           .doc = "two or three models (more with --op), one with --lora; a recipe",
           .repeatable = true}};
}

std::vector<Flag> RecipeFlags() {
  return {
      {.name = "set",
       .kind = ValueKind::kAssignment,
       .value = "K=V",
       .doc = "Set a variable of the recipe",
       .details = "The value is read as in the recipe's `vars`: a number, a text or a list.",
       .group = "Recipe",
       .repeatable = true},
      {.name = "policy",
       .kind = ValueKind::kAssignment,
       .value = "K=V",
       .doc = "Set a policy, over the recipe's own",
       .details = "Such as `missing=keep` or `non_finite=saturate`.",
       .group = "Recipe",
       .repeatable = true},
      {.name = "step",
       .kind = ValueKind::kText,
       .value = "NAME",
       .doc = "Write this step instead of the recipe's output",
       .group = "Recipe"},
      {.name = "output",
       .letter = 'o',
       .kind = ValueKind::kFile,
       .value = "FILE",
       .doc = "Write to this file or folder",
       .group = "Recipe"},
      {.name = "dtype",
       .kind = ValueKind::kStorage,
       .value = "DTYPE",
       .doc = "Store tensors as f32, f16, bf16, f8_e4m3 or f8_e5m2",
       .details = "f8_scaled and f8_block128 store f8_e4m3 with scales beside it. Without it every "
                  "tensor keeps the dtype that it has in the leftmost model.",
       .group = "Recipe"},
      {.name = "rounding",
       .kind = ValueKind::kText,
       .value = "WAY",
       .doc = "nearest, stochastic or stochastic:SEED",
       .details =
           "Stochastic rounding goes up or down by chance: small changes to f16, bf16 and fp8 "
           "are kept on average. The same seed gives the same bytes.",
       .group = "Recipe"},
      {.name = "max-shard-size",
       .kind = ValueKind::kBytes,
       .value = "SIZE",
       .doc = "Write shards of at most this size and their index",
       .details = "Such as 5GB. A tensor that is larger has a shard of its own.",
       .group = "Recipe"},
      {.name = "models",
       .kind = ValueKind::kFolder,
       .value = "DIR",
       .doc = "Look here for models named by hash",
       .details = "After it the folders in $WEIGHTSMITH_MODELS.",
       .group = "Recipe",
       .repeatable = true},
      {.name = "presets",
       .kind = ValueKind::kFile,
       .value = "FILE",
       .doc = "Read named block weights from this file",
       .details = "Lines of NAME, a tab and numbers with commas, as people exchange them.",
       .group = "Recipe"},
      {.name = "private", .doc = "Leave recipe and inputs out of the metadata", .group = "Recipe"},
  };
}

std::vector<Flag> EverydayFlags() {
  static const std::string lists =
      "As many numbers as the architecture has places, in the community's order: " +
      ListLengthsInWords(false) +
      "; `weightsmith blocks` shows the places. BASE is the weight of the text encoders and, as in "
      "SuperMerger, of the VAE where the list has no number of its own for it.";
  return {
      {.name = "op",
       .kind = ValueKind::kOperator,
       .value = "NAME",
       .doc = "Operator (weighted_sum; of three add_difference)",
       .details = "`weightsmith ops` lists them, `weightsmith ops --like \"style transfer\"` finds "
                  "one. Models are its operands in their order, then those of its list.",
       .group = "Models without a recipe"},
      {.name = "base",
       .kind = ValueKind::kFile,
       .value = "FILE",
       .doc = "The model that the others were trained from",
       .details = "Without it, the first model is the base of an operator that has one.",
       .group = "Models without a recipe"},
      {.name = "alpha",
       .kind = ValueKind::kText,
       .value = "V",
       .doc = "Share of the second model (0.5), or factor of B - C (1)",
       .details =
           "The VAE stays that of the first model, unless a row names vae or a list has BASE. "
           "A number; the name of a preset (GRAD_V); a number and rows, such as "
           "0.3,IN00=0,te=0; weights as a recipe writes them on one line, such as "
           "'{default: 0.3, te: 0}'; or @FILE that holds one of these.",
       .group = "Models without a recipe"},
      {.name = "mbw",
       .kind = ValueKind::kText,
       .value = "LIST",
       .doc = "Block weights instead of alpha: a list of numbers, or a preset",
       .details = lists,
       .group = "Models without a recipe"},
      {.name = "weights",
       .kind = ValueKind::kText,
       .value = "LIST",
       .doc = "Weights of the models of an operator that takes a list",
       .details = "Such as 0.6,0.4, in the order of the models, without the base. Without it they "
                  "have equal shares.",
       .group = "Models without a recipe"},
      {.name = "density",
       .kind = ValueKind::kText,
       .value = "V",
       .doc = "Share of each difference that ties and its like keep",
       .details = "One number, or one for each model of the list: 0.3,0.5.",
       .group = "Models without a recipe"},
      {.name = "param",
       .kind = ValueKind::kAssignment,
       .value = "K=V",
       .doc = "Set another parameter of the operator",
       .details =
           "Such as lambda=0.8 or sign=frequency; `weightsmith ops NAME` lists them. What "
           "an entry of a list may have of its own takes a number for each: density=0.3,0.5.",
       .group = "Models without a recipe",
       .repeatable = true},
      {.name = "vae",
       .kind = ValueKind::kFile,
       .value = "FILE",
       .doc = "Take the VAE from this file",
       .group = "Models without a recipe"},
      KeyFlag("Models without a recipe"),
      {.name = "print-recipe",
       .doc = "Print the recipe of this merge; write nothing",
       .group = "Running"},
  };
}

Flag KeyFlag(std::string_view group) {
  return {.name = "key",
          .kind = ValueKind::kText,
          .value = "KEY",
          .doc = "Which dict of tensors of a .ckpt or .pt file to take",
          .group = group};
}

std::vector<Flag> LoraFlags() {
  static const std::string lists =
      "As many numbers as the architecture has places, in the order of LoRA block weights: " +
      ListLengthsInWords(true) +
      "; INS, IND, INALL, MIDD, OUTD, OUTS, OUTALL; or rows, such as 1,IN04=0.5,te=0.";
  return {
      {.name = "lora",
       .kind = ValueKind::kText,
       .value = "FILE[:S[:TE]]",
       .doc = "Bake in this LoRA or adapter with strength S",
       .details =
           "Such as style.safetensors:0.7 or style.safetensors:0.7:0.3. S is 1 by default; TE is "
           "the strength in the text encoders, by default S. With a "
           "colon in the path, give the strength as well.",
       .group = "Adapters",
       .repeatable = true},
      {.name = "lora-blocks",
       .kind = ValueKind::kText,
       .value = "LIST",
       .doc = "Strengths by block: numbers, a preset, rows",
       .details = lists,
       .group = "Adapters"},
      {.name = "allow-unmatched",
       .kind = ValueKind::kText,
       .value = "REGEX",
       .doc = "Allow matching modules to change nothing",
       .group = "Adapters"},
  };
}

std::vector<Flag> RunFlags() {
  return {
      {.name = "force", .letter = 'f', .doc = "Overwrite an existing output", .group = "Running"},
      {.name = "mkdir", .doc = "Make missing folders of the output", .group = "Running"},
      {.name = "threads",
       .kind = ValueKind::kInteger,
       .value = "N",
       .doc = "Compute with N threads; default: the physical cores",
       .details = "The bytes of the output do not depend on it.",
       .group = "Running"},
      {.name = "max-memory",
       .kind = ValueKind::kBytes,
       .value = "SIZE",
       .doc = "Hold at most this in memory, or refuse to start",
       .details = "A size such as 512M or 1.5GiB.",
       .group = "Running"},
      {.name = "io",
       .kind = ValueKind::kText,
       .value = "WAY",
       .doc = "Read inputs by mapping (map) or by system calls (read)",
       .details = "By default the faster way for the file system.",
       .group = "Running",
       .choices = {"map", "read"}},
      {.name = "no-sync",
       .doc = "Do not wait until the output is safe on disk",
       .details = "For scratch results: faster, but a power cut may lose the file.",
       .group = "Running"},
      {.name = "no-cache",
       .doc = "Keep inputs and outputs out of the page cache",
       .details =
           "For machines where other programs need that memory; a second run reads the disk again.",
       .group = "Running"},
      {.name = "no-digest",
       .doc = "Compute no digests of inputs and outputs",
       .details = "Saves little time; `verify` can then not find the inputs by their digests, and "
                  "an interrupted run starts again from the beginning.",
       .group = "Running"},
      {.name = "trust-partial",
       .doc = "Resume without reading back what was written",
       .details = "Otherwise finished tensors are read from the disk and compared with their "
                  "digests.",
       .group = "Running"},
      {.name = "sha256", .doc = "Compute SHA-256 of inputs and outputs (slow)", .group = "Running"},
      {.name = "report",
       .kind = ValueKind::kFile,
       .value = "FILE",
       .doc = "Write a JSON report of every input, step and tensor",
       .details =
           "inputs[] has the tensors that were read of each input, how many of the result it "
           "was copied to or computed into, how many of those changed and in which steps; "
           "steps[] and tensors[].effects the changes of each step; adapters[].applied[] "
           "those of each module. `weightsmith schema report` describes it. A report that "
           "exists is refused without --force.",
       .group = "Running"},
  };
}

std::vector<Flag> MergeFlags() {
  std::vector<Flag> flags = RecipeFlags();
  Append(flags, EverydayFlags());
  Append(flags, LoraFlags());
  Append(flags, RunFlags());
  return flags;
}

}  // namespace weightsmith::internal
