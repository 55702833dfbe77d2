// Looks for the recorded inputs of a file: by name and size, wherever they are by now.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/io/missing_file.h"
#include "recipes/jobs/provenance.h"

namespace weightsmith::internal {

class InputFinder {
 public:
  /// Looks in `folders` and all below them. `named` are files by the recipe's name of the input,
  /// or of a part of it ("style.unet"), and are not looked for.
  InputFinder(std::vector<std::filesystem::path> folders,
              std::map<std::string, std::filesystem::path> named)
      : folders_(std::move(folders)), named_(std::move(named)) {}

  /// The file that was named for the input, if any.
  std::optional<std::filesystem::path> Named(const RecordedInput& input) const;

  /// What could be the input by its size, each file once; of its name first.
  std::vector<std::filesystem::path> Candidates(const RecordedInput& input);

  /// That the input is not there; `seen` are files of its size that are others.
  MissingFile NotFound(const RecordedInput& input,
                       const std::vector<std::filesystem::path>& seen) const;

  /// Throws kUsage for a named file whose name is none of the inputs.
  void ExpectKnown(const std::vector<RecordedInput>& inputs) const;

 private:
  std::vector<std::filesystem::path> folders_;
  std::map<std::string, std::filesystem::path> named_;
  std::optional<std::multimap<std::uint64_t, std::filesystem::path>> by_size_;
};

}  // namespace weightsmith::internal
