#include "core/io/in_place.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/error.h"
#include "core/io/system.h"
#include "core/text.h"

namespace weightsmith {

void OverwriteStart(const std::filesystem::path& path, const FileIdentity& expected,
                    std::span<const std::byte> bytes) {
  const auto fail = [&](std::string_view what) {
    throw Error(ErrorCode::kFailed, fmt::format("changing {}: {}", Quote(path.string()), what));
  };
  const FileHandle file(Retry([&] { return open(path.c_str(), O_WRONLY | O_CLOEXEC); }));
  if (!file) fail(SystemMessage(errno));
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fail(SystemMessage(errno));
  if (Identify(status) != expected || bytes.size() > expected.size) {
    fail("the file has changed since it was read");
  }
  const ssize_t written = Retry([&] { return pwrite(file.get(), bytes.data(), bytes.size(), 0); });
  if (written < 0) fail(SystemMessage(errno));
  if (static_cast<std::size_t>(written) != bytes.size()) fail("only a part could be written");
  if (fsync(file.get()) != 0) fail(SystemMessage(errno));
}

}  // namespace weightsmith
