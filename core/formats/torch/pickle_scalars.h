// The bytes of a pickle, and the opcodes that read numbers and texts. Private to core/torch/pickle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/formats/torch/pickle_builder.h"

namespace weightsmith::internal {

/// Longer than any file, so that no reader goes on behind a value of more.
inline constexpr std::uint64_t kMostPickleBytes = std::uint64_t{1} << 48;

class PickleScalars : protected PickleBuilder {
 protected:
  explicit PickleScalars(std::string_view bytes) : bytes_(bytes) {}

  std::size_t at() const { return at_; }
  std::size_t size() const { return bytes_.size(); }
  /// Whether an opcode wanted more bytes than there are.
  bool ran_out() const { return ran_out_; }
  [[noreturn]] void RunOut(const std::string& problem);
  std::string_view Take(std::uint64_t size);
  std::uint64_t Little(std::size_t size);
  std::string_view Line();
  /// A line that is to be a whole number. A lenient reader takes it up to a NUL, as one in C does,
  /// and refuses a line that no reader takes without looking for its end.
  std::string_view NumberLine();
  /// A line with the name of a module, which has no NUL in it.
  std::string_view ModuleLine();

  /// Whether the opcode is one of theirs; it is then carried out.
  bool Number(unsigned char opcode);
  bool String(unsigned char opcode);

 private:
  void PushInteger(std::int64_t value) { Push(Add({PickleType::kInteger, 0, value, 0})); }
  void PushBool(bool value) { Push(Add({PickleType::kBool, 0, value ? 1 : 0, 0})); }
  void PushFloat(double value) { Push(Add({PickleType::kFloat, 0, 0, value})); }
  void PushLong(std::string_view bytes);
  void PushNumberLine(std::string_view line);
  void PushFloatLine(std::string_view line);
  void PushText(PickleType type, std::uint64_t size);
  void PushUnescaped(std::optional<std::string> text);

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ran_out_ = false;
};

}  // namespace weightsmith::internal
