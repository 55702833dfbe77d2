// A file that a plan is made from and that is no model.
#pragma once

#include <filesystem>
#include <string>

namespace weightsmith::internal {

struct SideFile {
  std::filesystem::path path;
  std::string role;  ///< "recipe", as messages call it
};

}  // namespace weightsmith::internal
