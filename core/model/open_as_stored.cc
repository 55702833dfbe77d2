#include "core/model/open_as_stored.h"

#include <system_error>

#include "core/model/pipeline_folders.h"

namespace weightsmith::internal {

std::shared_ptr<const Checkpoint> OpenAsStored(const std::filesystem::path& path,
                                               std::optional<IoBackend> backend,
                                               const std::string& key) {
  std::error_code ignored;
  const bool pipeline = std::filesystem::is_regular_file(path / "model_index.json", ignored);
  return pipeline ? Checkpoint::OpenFolders(path, PipelineFolders(), backend, key)
                  : Checkpoint::Open(path, backend, key);
}

}  // namespace weightsmith::internal
