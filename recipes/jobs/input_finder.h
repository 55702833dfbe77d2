// Finds the files that a checkpoint was made from, by size and digest.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "recipes/jobs/provenance.h"

namespace weightsmith {

class InputFinder {
 public:
  /// Looks in `folders`, each with all below it; a model that `named` has is taken from there.
  InputFinder(std::vector<std::filesystem::path> folders,
              std::map<std::string, std::filesystem::path> named);

  /// Files that may be the input: those of its size, of its name first. Throws kInput when there
  /// is none.
  std::vector<std::filesystem::path> Candidates(const RecordedInput& input) const;

 private:
  std::vector<std::filesystem::path> folders_;
  std::map<std::string, std::filesystem::path> named_;
  std::multimap<std::uint64_t, std::filesystem::path> by_size_;
};

}  // namespace weightsmith
