#include "core/base/error.h"

#include <stdexcept>

namespace weightsmith {

Error::Error(ErrorCode code, std::string message, std::string advice, std::vector<Option> options)
    : code_(code),
      message_(std::move(message)),
      advice_(std::move(advice)),
      full_(message_),
      options_(std::move(options)) {}

std::string_view NameOf(Option option) {
  switch (option) {
    case Option::kOverwrite:
      return "RunOptions::overwrite";
    case Option::kMakeFolders:
      return "RunOptions::make_folders";
    case Option::kMaxMemory:
      return "RunOptions::max_memory";
    case Option::kReadInsteadOfMap:
      return "RunOptions::io";
    case Option::kAllowUnmatched:
      return "Adapter::allow_unmatched";
    case Option::kModelFolders:
      return "RecipeOptions::models";
    case Option::kModelPath:
      return "VerifyOptions::model";
    case Option::kSelectOutput:
      return "RecipeOptions::output_step";
    case Option::kMaxShardSize:
      return "SaveOptions::max_shard_size";
    case Option::kTrustPartial:
      return "RunOptions::trust_partial";
    case Option::kCheckFileOnly:
      return "VerifyOptions::recompute";
  }
  throw std::logic_error("an option without a name");
}

void Error::AddContext(std::string_view doing) {
  full_.insert(0, ": ");
  full_.insert(0, doing);
}

}  // namespace weightsmith
