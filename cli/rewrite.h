// Commands that write tensors anew and compute nothing: split, assemble, convert.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "cli/terminal.h"
#include "core/checkpoint.h"
#include "merge/expression.h"

namespace weightsmith {

/// A checkpoint, or a view, and the file that it becomes.
struct Rewrite {
  std::string name;
  std::shared_ptr<const Checkpoint> checkpoint;
  std::filesystem::path path;
  PlaceMap<std::optional<DType>> dtype{};
  bool folder = false;  ///< the path's folder is made
};

/// Writes all of them in one run, as the flags of RunFlags() say, and prints their paths.
void RunRewrites(const std::vector<Rewrite>& rewrites, const ParsedArguments& arguments,
                 const std::string& verb, Terminal& terminal);

}  // namespace weightsmith
