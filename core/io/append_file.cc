#include "core/io/append_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/output_target.h"

namespace weightsmith::internal {
namespace {

constexpr int kFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

}  // namespace

AppendFile::AppendFile(std::filesystem::path path, FileHandle handle)
    : path_(std::move(path)), handle_(std::move(handle)) {}

void AppendFile::Throw(std::string_view doing, int error) const {
  throw Error(IsFull(error) ? ErrorCode::kResources : ErrorCode::kFailed,
              fmt::format("cannot {} {}: {}", doing, Quote(path_.string()),
                          IsFull(error) ? WhyFull(error) : SystemMessage(error)),
              IsFull(error) ? std::string(AdviceOfFull(error)) : "");
}

AppendFile AppendFile::Create(const std::filesystem::path& path) {
  AppendFile file(
      path,
      FileHandle(Retry([&] { return ::open(path.c_str(), kFlags | O_CREAT | O_EXCL, 0666); })));
  if (!file.handle_) file.Throw("make", errno);
  return file;
}

AppendFile AppendFile::Open(const std::filesystem::path& path, std::uint64_t size) {
  AppendFile file(path, FileHandle(Retry([&] { return ::open(path.c_str(), kFlags); })));
  if (!file.handle_) file.Throw("open", errno);
  const auto length = static_cast<off_t>(size);
  if (Retry([&] { return ::ftruncate(file.handle_.get(), length); }) != 0) {
    file.Throw("shorten", errno);
  }
  return file;
}

void AppendFile::Append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = Retry([&] { return ::write(handle_.get(), text.data(), text.size()); });
    if (count < 0) Throw("write", errno);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void AppendFile::Sync() {
  if (Retry([&] { return ::fdatasync(handle_.get()); }) != 0) Throw("sync", errno);
  SyncFolder(path_.has_parent_path() ? path_.parent_path() : ".");
}

}  // namespace weightsmith::internal
