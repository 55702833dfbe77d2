// What does not fit, collected while a plan is made, so that a user sees all of it at once.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace weightsmith::internal {

class Problems {
 public:
  /// One tensor of a group: "step 'mix': missing in 'b'" with the tensors that it befalls.
  void Add(const std::string& group, const std::string& tensor, const std::string& advice = {},
           std::vector<Option> options = {});
  /// The same of a block of tensors, which counts once.
  void AddBlock(const std::string& group, const std::string& block, const std::string& advice);
  /// A weight that a model stores in a scheme that is not computed with; `weight` names the codes
  /// and a companion.
  void AddQuantised(const std::string& model, const std::string& scheme, const std::string& weight);
  /// A problem by itself.
  void Add(const std::string& sentence);
  void AddSentence(const std::string& sentence, const std::string& advice);

  bool empty() const { return groups_.empty(); }
  /// Throws kMismatch with every group, a few tensors of each by name.
  void ThrowIfAny() const;

 private:
  struct Group {
    std::uint64_t count = 0;
    std::vector<std::string> first;
    std::set<std::string> blocks;
    std::string advice;
    std::vector<Option> options;
  };
  std::map<std::string, Group> groups_;
};

/// "x, y, z and 12 more".
std::string ListSome(const std::vector<std::string>& names, std::uint64_t count);

}  // namespace weightsmith::internal
