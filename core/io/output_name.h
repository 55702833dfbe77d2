// What an output is by its name: a safetensors file, or a folder of files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace weightsmith::internal {

enum class OutputKind : bool { kFile, kFolder };

/// What is wrong with a name, and what to write instead.
struct NameFault {
  std::string problem;
  std::string advice;
};

/// Whether the name ends in .safetensors or .sft, in any case.
bool IsSafetensorsName(const std::filesystem::path& path);

/// Nothing for a name that promises what is written. A file has a safetensors name; a folder may
/// have any that is not that of a file of models.
std::optional<NameFault> FaultOfOutputName(const std::filesystem::path& path, OutputKind kind);

/// Throws kUsage for a name with a fault.
void ExpectOutputName(const std::filesystem::path& path, OutputKind kind);

}  // namespace weightsmith::internal
