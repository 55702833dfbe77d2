// The cache is a text file of lines, one for each file that was hashed:
//
//   1 DEVICE INODE SIZE MODIFIED CHANGED SHA256 AUTOV1 AUTOV3 CHECK
//
// in decimal and hexadecimal digits, a '-' for no AutoV3. CHECK, digits of the XXH3-128 of what
// stands before it, tells a damaged line. New lines are appended; the last of a file counts.
#include "core/io/hash_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <system_error>

#include "core/io/hash.h"
#include "core/io/system.h"

namespace weightsmith::internal {
namespace {

// Above this the older half goes: some thousand files.
constexpr std::size_t kMaxSize = 1 << 20;

std::optional<std::filesystem::path> UserCache() {
  const std::filesystem::path inside = std::filesystem::path("weightsmith") / "hashes";
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return cache / inside;
  const char* const home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return home / (".cache" / inside);
  return std::nullopt;
}

// Opens and locks the cache; no handle where that cannot be.
FileHandle OpenCache(const std::filesystem::path& path, int flags, int lock) {
  FileHandle file(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
  struct stat status = {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  if (Retry([&] { return ::flock(file.get(), lock); }) != 0) return {};
  return file;
}

// At most the last 2·kMaxSize bytes, whatever has become of the file.
std::string ReadEnd(const FileHandle& file) {
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return {};
  const auto size = static_cast<std::size_t>(status.st_size);
  std::string text(std::min(size, 2 * kMaxSize), '\0');
  const auto from = static_cast<off_t>(size - text.size());
  const auto got = Retry([&] { return ::pread(file.get(), text.data(), text.size(), from); });
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

void Write(const FileHandle& file, std::string_view text) {
  while (!text.empty()) {
    const auto put = Retry([&] { return ::write(file.get(), text.data(), text.size()); });
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::string Key(const FileIdentity& file) {
  return fmt::format("1 {} {} {} {} {} ", file.device, file.inode, file.size, file.modified_ns,
                     file.changed_ns);
}

std::string Check(std::string_view text) {
  return Xxh3(std::as_bytes(std::span(text))).ToHex().substr(0, 16);
}

// The hashes in a line that begins with `key`; nothing for another or a damaged line.
std::optional<FileHashes> ParseLine(std::string_view line, std::string_view key) {
  const std::size_t check = line.rfind(' ') + 1;
  if (!line.starts_with(key) || Check(line.substr(0, check)) != line.substr(check)) {
    return std::nullopt;
  }
  std::string_view rest = line.substr(key.size());
  const auto take_word = [&rest] {
    const std::size_t end = rest.find(' ');
    const std::string word(rest.substr(0, end));
    rest.remove_prefix(std::min(end, rest.size() - 1) + 1);
    return word;
  };
  FileHashes hashes;
  hashes.sha256 = take_word();
  hashes.autov1 = take_word();
  hashes.autov2 = hashes.sha256.substr(0, 10);
  hashes.autov3 = take_word();
  if (hashes.autov3 == "-") hashes.autov3.clear();
  return hashes;
}

}  // namespace

HashCache::HashCache(std::optional<std::filesystem::path> path)
    : path_(path ? std::move(path) : UserCache()) {}

std::optional<FileHashes> HashCache::Find(const FileIdentity& file) const {
  if (!path_) return std::nullopt;
  const FileHandle cache = OpenCache(*path_, O_RDONLY, LOCK_SH);
  if (!cache) return std::nullopt;
  const std::string text = ReadEnd(cache);
  const std::string key = Key(file);
  std::optional<FileHashes> found;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (std::optional<FileHashes> hashes = ParseLine(line, key)) found = std::move(hashes);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return found;
}

void HashCache::Remember(const FileIdentity& file, const FileHashes& hashes) {
  if (!path_) return;
  std::error_code ignored;
  std::filesystem::create_directories(path_->parent_path(), ignored);
  const FileHandle cache = OpenCache(*path_, O_RDWR | O_CREAT | O_APPEND, LOCK_EX);
  if (!cache) return;
  std::string line = fmt::format("{}{} {} {} ", Key(file), hashes.sha256, hashes.autov1,
                                 hashes.autov3.empty() ? "-" : hashes.autov3);
  line += Check(line) + "\n";
  std::string text = ReadEnd(cache);
  if (text.size() > kMaxSize) {
    text.erase(0, text.find('\n', text.size() - kMaxSize / 2) + 1);
    if (::ftruncate(cache.get(), 0) != 0) return;
    line.insert(0, text);
  } else if (!text.empty() && text.back() != '\n') {
    line.insert(0, 1, '\n');  // ends a line whose writer was killed
  }
  Write(cache, line);
}

FileHashes HashCache::Hash(const ByteSource& source, const HashProgress& progress) {
  if (std::optional<FileHashes> known = Find(source.identity())) return *std::move(known);
  FileHashes hashes = HashFile(source, progress);
  source.ExpectUnchanged();
  Remember(source.identity(), hashes);
  return hashes;
}

}  // namespace weightsmith::internal
