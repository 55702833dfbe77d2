#include "cli/flags/completions/completion.h"

#include "core/tensor/dtype.h"
#include "core/tensor/encoding.h"
#include "merge/operator.h"

namespace weightsmith::internal {

std::vector<std::string> ValueWords(ValueKind kind, std::span<const std::string_view> choices) {
  std::vector<std::string> words(choices.begin(), choices.end());
  if (!words.empty()) return words;
  if (kind == ValueKind::kOperator) {
    for (const Operator* op : Operators()) words.emplace_back(op->name);
  } else if (kind == ValueKind::kCommand) {
    for (const Command* command : Commands()) words.emplace_back(command->name);
  } else if (kind == ValueKind::kDType) {
    for (const DTypeInfo& dtype : DTypes()) {
      if (dtype.has_codec) words.emplace_back(dtype.word);
    }
  } else if (kind == ValueKind::kStorage) {
    for (const std::string_view word : StorableWords()) words.emplace_back(word);
  }
  return words;
}

std::vector<Flag> CompletedFlags(const Command& command) {
  std::vector<Flag> flags(command.flags.begin(), command.flags.end());
  std::erase_if(flags, [](const Flag& flag) { return flag.hidden; });
  flags.insert(flags.end(), CommonFlags().begin(), CommonFlags().end());
  return flags;
}

}  // namespace weightsmith::internal
