// What to write instead: corrections of the mistakes that people make in numbers, paths and names.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "recipes/source/source_node.h"

namespace weightsmith::internal {

/// "Write 0.3." for "30%"; empty where nothing is known to be meant.
std::string NumberAdvice(const SourceNode& node);

/// What keeps a path from naming a file here, and what to write.
struct PathFault {
  std::string problem;
  std::string advice;
};

/// Of a web address, `~`, a variable of the shell, a path of Windows.
std::optional<PathFault> FaultOfPath(std::string_view path);

/// `path` as it is written in a file of `folder`; the same where it is not below that.
std::filesystem::path WithoutFolder(const std::filesystem::path& path,
                                    const std::filesystem::path& folder);

/// The same error with advice, where there is no such file: the file beside it with nearly that
/// name, or how to get what the path looks like. Paths are as the file writes them that names it at
/// `place`, if there is one.
Error WithFileAdvice(const Error& error, const std::filesystem::path& path,
                     const SourcePlace& place = {});

/// The key of `known` that others call `key`, "alpha" for "mbw": the first that is free, or any.
std::optional<std::string> KeyMeant(std::string_view key, std::span<const std::string> known,
                                    const std::function<bool(const std::string&)>& is_free);

/// Whether `key` is `name`, or what others call it.
bool IsCalled(std::string_view key, const std::string& name);

/// What others call a component, a place or an operator: "te" for "text_encoder".
std::optional<std::string> ComponentMeant(std::string_view word);
std::optional<std::string> OperatorMeant(std::string_view word);

}  // namespace weightsmith::internal
