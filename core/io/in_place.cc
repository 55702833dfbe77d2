#include "core/io/in_place.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/hash.h"
#include "core/io/output_target.h"
#include "core/io/system.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "weightsmith-header-1";
/// Two headers of the largest legal size, and the line before them.
constexpr std::uint64_t kMostBytes = 201'000'000;

using Bytes = std::span<const std::byte>;

[[noreturn]] void Fail(const fs::path& path, std::string_view what) {
  throw Error(ErrorCode::kFailed, fmt::format("changing {}: {}", Quote(path.string()), what));
}

[[noreturn]] void FailWith(const fs::path& path, int error, std::string advice = {}) {
  const bool full = IsFull(error);
  if (advice.empty() && full) advice = AdviceOfFull(error);
  throw Error(full ? ErrorCode::kResources : ErrorCode::kFailed,
              fmt::format("changing {}: {}", Quote(path.string()),
                          full ? std::string(WhyFull(error)) : SystemMessage(error)),
              std::move(advice));
}

/// Returns 0, or an errno.
int WriteAll(int file, Bytes bytes) {
  off_t at = 0;
  while (!bytes.empty()) {
    const ssize_t count = Retry([&] { return ::pwrite(file, bytes.data(), bytes.size(), at); });
    if (count < 0) return errno;
    at += count;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

int WriteAndSync(int file, Bytes bytes) {
  if (const int error = WriteAll(file, bytes)) return error;
  return Retry([&] { return ::fsync(file); }) == 0 ? 0 : errno;
}

/// Opens the file for writing and keeps others from doing so.
FileHandle OpenToChange(const fs::path& path) {
  FileHandle file(Retry([&] { return ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK); }));
  if (!file) FailWith(path, errno);
  if (Retry([&] { return ::flock(file.get(), LOCK_EX | LOCK_NB); }) != 0 && errno == EWOULDBLOCK) {
    Fail(path, "another process is changing it");
  }
  return file;
}

std::string ReadStart(int file, const fs::path& path, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size;) {
    const ssize_t count =
        Retry([&] { return ::pread(file, bytes.data() + at, size - at, static_cast<off_t>(at)); });
    if (count < 0) FailWith(path, errno);
    if (count == 0) Fail(path, "the file is shorter than it was");
    at += static_cast<std::size_t>(count);
  }
  return bytes;
}

/// What NAME.header holds.
struct Replacement {
  std::uint64_t file_size = 0;
  std::string before;
  std::string after;

  std::string Check() const {
    Xxh3Stream stream;
    const std::uint64_t numbers[] = {file_size, before.size()};
    stream.Update(std::as_bytes(std::span(numbers)));
    stream.Update(std::as_bytes(std::span(before)));
    stream.Update(std::as_bytes(std::span(after)));
    return stream.Finish().ToHex();
  }
  std::string Text() const {
    return fmt::format("{} {} {} {}\n", kMagic, file_size, before.size(), Check()) + before + after;
  }
};

/// Nothing for a text that was cut off.
std::optional<Replacement> ParseReplacement(const std::string& text) {
  Replacement parsed;
  const std::size_t line = text.find('\n');
  if (line == std::string::npos) return std::nullopt;
  std::istringstream words(text.substr(kMagic.size(), line - kMagic.size()));
  std::size_t length = 0;
  std::string check;
  words >> parsed.file_size >> length >> check;
  if (!words || (text.size() - line - 1) % 2 != 0 || (text.size() - line - 1) / 2 != length) {
    return std::nullopt;
  }
  parsed.before = text.substr(line + 1, length);
  parsed.after = text.substr(line + 1 + length);
  if (parsed.Check() != check) return std::nullopt;
  return parsed;
}

/// Whether every byte is the one from before or the one from after: a write, and the one that puts
/// the old header back, can stop at any byte.
bool IsBetween(std::string_view found, const Replacement& replacement) {
  for (std::size_t at = 0; at < found.size(); ++at) {
    if (found[at] != replacement.before[at] && found[at] != replacement.after[at]) return false;
  }
  return true;
}

/// The text of NAME.header; nothing where there is none, or another kind of file of that name.
std::optional<std::string> ReadReplacement(const fs::path& side) {
  std::error_code ignored;
  if (!fs::is_regular_file(fs::symlink_status(side, ignored))) return std::nullopt;
  const auto file = OpenByteSource(side, IoBackend::kRead);
  std::string text = ReadText(*file, 0, std::min<std::uint64_t>(file->size(), kMostBytes));
  if (!kMagic.starts_with(std::string_view(text).substr(0, kMagic.size()))) return std::nullopt;
  return text;
}

/// Makes NAME.header and waits until it is on disk.
void KeepBoth(const fs::path& side, const Replacement& replacement) {
  FileHandle file(Retry([&] {
    return ::open(side.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  }));
  if (!file && errno == EEXIST) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} exists, and the old header is to be kept there while it is changed",
                            Quote(side.string())),
                "Move it away.");
  }
  if (!file) FailWith(side, errno);
  const std::string text = replacement.Text();
  if (const int error = WriteAndSync(file.get(), std::as_bytes(std::span(text)))) {
    ::unlink(side.c_str());
    FailWith(side, error);
  }
  try {
    SyncFolder(FolderOf(side));
  } catch (const Error&) {
    // The file itself is not yet touched: nothing may be left that a later run would complete.
    ::unlink(side.c_str());
    throw;
  }
}

}  // namespace

fs::path ReplacementOf(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return fs::path(error ? path : real).concat(".header");
}

void ReplaceStart(const fs::path& path, const FileIdentity& expected, Bytes bytes) {
  const FileHandle file = OpenToChange(path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) FailWith(path, errno);
  if (Identify(status) != expected || bytes.size() > expected.size) {
    Fail(path, "the file has changed since it was read");
  }
  const fs::path side = ReplacementOf(path);
  if (ReadReplacement(side)) RemoveFile(side, true);
  Replacement both{expected.size, ReadStart(file.get(), path, bytes.size()),
                   std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
  KeepBoth(side, both);
  if (const int error = WriteAndSync(file.get(), bytes)) {
    if (WriteAndSync(file.get(), std::as_bytes(std::span(both.before))) != 0) {
      FailWith(path, error,
               fmt::format("Its header may be damaged: {} holds the old and the new one, and the "
                           "same command writes it from there.",
                           Quote(side.string())));
    }
    // Unsynced: the first error is the one to tell, and the old header is there either way.
    ::unlink(side.c_str());
    FailWith(path, error);
  }
  RemoveFile(side, true);
}

bool FinishReplacement(const fs::path& path) {
  const fs::path side = ReplacementOf(path);
  const std::optional<std::string> text = ReadReplacement(side);
  if (!text) return false;
  const FileHandle file = OpenToChange(path);
  const std::optional<Replacement> both = ParseReplacement(*text);
  if (!both) {
    // Cut off while it was written: the file itself was not yet touched.
    RemoveFile(side, true);
    return false;
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) FailWith(path, errno);
  if (Identify(status).size != both->file_size ||
      !IsBetween(ReadStart(file.get(), path, both->before.size()), *both)) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} is of an interrupted change of {}, which is another file by now",
                            Quote(side.string()), Quote(path.string())),
                fmt::format("Remove {} if the file is as it should be.", Quote(side.string())));
  }
  if (const int error = WriteAndSync(file.get(), std::as_bytes(std::span(both->after)))) {
    FailWith(path, error);
  }
  RemoveFile(side, true);
  return true;
}

}  // namespace weightsmith::internal
