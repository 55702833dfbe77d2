// A library that is loaded in front of the C library (LD_PRELOAD) and stands between a program and
// the files of one folder. It counts the program's changes there, makes a chosen one fail, be cut
// short or be interrupted, and keeps a log from which states of the disk after a power cut can be
// made. The environment says what to do:
//
//   FAULTS_FOLDER=DIR     the folder, by its real path; what is outside is left alone
//   FAULTS_LOG=FILE       every change, in order: see Log below
//   FAULTS_AT=N:ACTION    the Nth change (from 1) meets ACTION:
//                           kill        SIGKILL before it
//                           killed      SIGKILL after it
//                           int         SIGINT before it
//                           enospc …    it fails with that error: enospc, edquot, eio, erofs, eintr
//                           short       a write writes a part of its bytes
//   FAULTS_FROM=N:ACTION  that one and all that follow
//   FAULTS_BOOT_ID=FILE   is read in the place of the machine's boot id
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// The real function of the name of the enclosing one.
#define NEXT(function)                                             \
  (*[] {                                                           \
    static auto* const next = Next<decltype(function)>(#function); \
    return next;                                                   \
  }())

struct Rule {
  long number = 0;
  std::string action;
};

Rule RuleOf(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return {};
  const std::string_view whole(text);
  const std::size_t colon = whole.find(':');
  return {std::atol(text), std::string(whole.substr(colon + 1))};
}

struct ErrorName {
  std::string_view name;
  int number;
};
constexpr std::array kErrors{ErrorName{"enospc", ENOSPC}, ErrorName{"edquot", EDQUOT},
                             ErrorName{"eio", EIO},       ErrorName{"erofs", EROFS},
                             ErrorName{"eintr", EINTR},   ErrorName{"emfile", EMFILE}};

/// Made by the first change, and never unmade: the program may write until it ends.
class Recorder {
 public:
  static Recorder& Get() {
    static auto* const recorder = new Recorder;
    return *recorder;
  }

  bool Watches(std::string_view path) const {
    return !folder_.empty() && path.starts_with(folder_) &&
           (path.size() == folder_.size() || path[folder_.size()] == '/');
  }

  /// What is to happen to the next change. It is counted.
  std::string_view Meet() {
    const long number = count_.fetch_add(1) + 1;
    std::string_view action;
    if (at_.number == number) action = at_.action;
    if (from_.number > 0 && number >= from_.number) action = from_.action;
    if (action == "kill") Kill();
    if (action == "int") ::kill(::getpid(), SIGINT);
    return action;
  }

  static void Kill() {
    ::kill(::getpid(), SIGKILL);
    while (true) ::pause();
  }

  /// One line, its fields apart by tabs, and behind it as many bytes as its last field says.
  void Log(const std::string& line, const void* bytes = nullptr, std::size_t size = 0) {
    if (log_ < 0) return;
    std::string text = line + "\t" + std::to_string(size) + "\n";
    text.append(static_cast<const char*>(bytes), size);
    for (std::string_view rest = text; !rest.empty();) {
      const ssize_t written = NEXT(write)(log_, rest.data(), rest.size());
      if (written <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  std::mutex& mutex() { return mutex_; }
  const std::string& boot_id() const { return boot_id_; }
  std::string_view Inside(std::string_view path) const {
    return path.size() > folder_.size() ? path.substr(folder_.size() + 1) : std::string_view(".");
  }

 private:
  Recorder() : at_(RuleOf("FAULTS_AT")), from_(RuleOf("FAULTS_FROM")) {
    if (const char* const folder = std::getenv("FAULTS_FOLDER")) folder_ = folder;
    if (const char* const boot_id = std::getenv("FAULTS_BOOT_ID")) boot_id_ = boot_id;
    if (const char* const log = std::getenv("FAULTS_LOG")) {
      log_ = NEXT(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
  }

  std::string folder_;
  std::string boot_id_;
  Rule at_;
  Rule from_;
  int log_ = -1;
  std::atomic<long> count_{0};
  std::mutex mutex_;
};

/// The real path of a name, the name itself not followed; empty where it has none.
std::string RealPath(int folder, const char* name) {
  std::string path(name == nullptr ? "" : name);
  if (path.empty()) return {};
  if (path.front() != '/') {
    std::array<char, PATH_MAX> base{};
    if (folder == AT_FDCWD) {
      if (::getcwd(base.data(), base.size()) == nullptr) return {};
    } else {
      const std::string link = "/proc/self/fd/" + std::to_string(folder);
      if (::readlink(link.c_str(), base.data(), base.size() - 1) <= 0) return {};
    }
    path = std::string(base.data()) + "/" + path;
  }
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.rfind('/');
  std::array<char, PATH_MAX> real{};
  const std::string parent = slash == 0 ? "/" : path.substr(0, slash);
  if (::realpath(parent.c_str(), real.data()) == nullptr) return path;
  const std::string_view last = std::string_view(path).substr(slash + 1);
  if (last == "." || last.empty()) return real.data();
  return std::string(real.data()) + "/" + std::string(last);
}

std::string PathOf(int descriptor) {
  std::array<char, PATH_MAX> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  if (::readlink(link.c_str(), path.data(), path.size() - 1) <= 0) return {};
  return path.data();
}

bool IsWatched(int descriptor) {
  std::string path = PathOf(descriptor);
  constexpr std::string_view kDeleted = " (deleted)";
  if (std::string_view(path).ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return Recorder::Get().Watches(path);
}

std::string NumberOf(int descriptor) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) return "0";
  return std::to_string(status.st_ino);
}

int ErrorOf(std::string_view action) {
  for (const ErrorName& error : kErrors) {
    if (error.name == action) return error.number;
  }
  return 0;
}

/// A change that is one call: `make` returns what the system call does; a result below 0 is a
/// failure. What happened is logged as `line` and the result.
template <class Make>
auto Change(const std::string& line, const Make& make) -> decltype(make()) {
  Recorder& recorder = Recorder::Get();
  const std::scoped_lock lock(recorder.mutex());
  const std::string_view action = recorder.Meet();
  if (const int error = ErrorOf(action)) {
    recorder.Log(line + "\t-1");
    errno = error;
    return -1;
  }
  const auto result = make();
  const int error = errno;
  recorder.Log(line + "\t" + (result < 0 ? "-1" : "0"));
  if (action == "killed") Recorder::Kill();
  errno = error;
  return result;
}

template <class Make>
ssize_t Written(int descriptor, const void* bytes, std::size_t size, off_t offset,
                const Make& make) {
  Recorder& recorder = Recorder::Get();
  const std::scoped_lock lock(recorder.mutex());
  const std::string_view action = recorder.Meet();
  if (const int error = ErrorOf(action)) {
    errno = error;
    return -1;
  }
  const std::size_t wanted = action == "short" && size > 1 ? (size + 1) / 2 : size;
  if (offset < 0) {
    offset = ::lseek(descriptor, 0, SEEK_CUR);
    if ((::fcntl(descriptor, F_GETFL) & O_APPEND) != 0) offset = ::lseek(descriptor, 0, SEEK_END);
  }
  const ssize_t result = make(wanted);
  const int error = errno;
  if (result > 0) {
    recorder.Log("write\t" + NumberOf(descriptor) + "\t" + std::to_string(offset), bytes,
                 static_cast<std::size_t>(result));
  }
  if (action == "killed") Recorder::Kill();
  errno = error;
  return result;
}

bool Changes(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}

/// `make` opens the file.
template <class Make>
int Open(int folder, const char* name, int flags, const Make& make) {
  Recorder& recorder = Recorder::Get();
  const std::string path = RealPath(folder, name);
  if (!recorder.Watches(path) || !Changes(flags)) return make();
  const std::scoped_lock lock(recorder.mutex());
  const std::string_view action = recorder.Meet();
  if (const int error = ErrorOf(action)) {
    errno = error;
    return -1;
  }
  struct stat before = {};
  const bool there = ::stat(path.c_str(), &before) == 0;
  const int descriptor = make();
  const int error = errno;
  if (descriptor >= 0) {
    const bool emptied = there && (flags & O_TRUNC) != 0;
    recorder.Log(std::string("open\t") + NumberOf(descriptor) + "\t" +
                 std::string(recorder.Inside(PathOf(descriptor))) + "\t" +
                 (there ? emptied ? "emptied" : "kept" : "new"));
  }
  if (action == "killed") Recorder::Kill();
  errno = error;
  return descriptor;
}

std::string Named(const char* what, const std::string& path) {
  return std::string(what) + "\t" + std::string(Recorder::Get().Inside(path));
}

template <class Make>
int ChangeName(const char* what, int folder, const char* name, const Make& make) {
  const std::string path = RealPath(folder, name);
  if (!Recorder::Get().Watches(path)) return make();
  return Change(Named(what, path), make);
}

template <class Make>
int ChangeNames(const char* what, int from_folder, const char* from, int to_folder, const char* to,
                const Make& make) {
  const std::string first = RealPath(from_folder, from);
  const std::string second = RealPath(to_folder, to);
  const Recorder& recorder = Recorder::Get();
  if (!recorder.Watches(first) || !recorder.Watches(second)) return make();
  return Change(Named(what, first) + "\t" + std::string(recorder.Inside(second)), make);
}

template <class Make>
int ChangeFile(const std::string& what, int descriptor, const std::string& rest, const Make& make) {
  if (!IsWatched(descriptor)) return make();
  return Change(what + "\t" + NumberOf(descriptor) + rest, make);
}

/// Of a file or a folder, which goes by its name.
template <class Make>
int Sync(int descriptor, const Make& make) {
  const std::string path(Recorder::Get().Inside(PathOf(descriptor)));
  return ChangeFile("sync", descriptor, "\t" + path, make);
}

std::optional<int> ModeOf(const char* mode) {
  switch (mode[0]) {
    case 'w':
      return O_WRONLY | O_CREAT | O_TRUNC;
    case 'a':
      return O_WRONLY | O_CREAT | O_APPEND;
    default:
      return std::strchr(mode, '+') != nullptr ? std::optional(O_RDWR) : std::nullopt;
  }
}

template <class Make>
std::FILE* OpenStream(const char* name, const char* mode, const Make& make) {
  constexpr std::string_view kBootId = "/proc/sys/kernel/random/boot_id";
  const Recorder& recorder = Recorder::Get();
  if (name == kBootId && !recorder.boot_id().empty()) return make(recorder.boot_id().c_str());
  const std::optional<int> flags = ModeOf(mode);
  if (!flags) return make(name);
  std::FILE* stream = nullptr;
  Open(AT_FDCWD, name, *flags, [&] {
    stream = make(name);
    return stream == nullptr ? -1 : ::fileno(stream);
  });
  return stream;
}

/// Copies inside the kernel: the bytes are read back for the log.
template <class Make>
ssize_t Copied(int to, off_t offset, const Make& make) {
  if (!IsWatched(to)) return make();
  Recorder& recorder = Recorder::Get();
  const std::scoped_lock lock(recorder.mutex());
  const std::string_view action = recorder.Meet();
  if (const int error = ErrorOf(action)) {
    errno = error;
    return -1;
  }
  if (offset < 0) offset = ::lseek(to, 0, SEEK_CUR);
  const ssize_t result = make();
  const int error = errno;
  if (result > 0) {
    std::vector<char> bytes(static_cast<std::size_t>(result));
    const int again = NEXT(open)(PathOf(to).c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t got = ::pread(again, bytes.data(), bytes.size(), offset);
    ::close(again);
    recorder.Log("write\t" + NumberOf(to) + "\t" + std::to_string(offset), bytes.data(),
                 got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  if (action == "killed") Recorder::Kill();
  errno = error;
  return result;
}

mode_t ModeIn(int flags, va_list arguments) {
  const bool has = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

}  // namespace

#define WITH_MODE(flags, mode)                  \
  va_list arguments;                            \
  va_start(arguments, flags);                   \
  const mode_t mode = ModeIn(flags, arguments); \
  va_end(arguments)

extern "C" {

int open(const char* path, int flags, ...) {
  WITH_MODE(flags, mode);
  return Open(AT_FDCWD, path, flags, [&] { return NEXT(open)(path, flags, mode); });
}
int open64(const char* path, int flags, ...) {
  WITH_MODE(flags, mode);
  return Open(AT_FDCWD, path, flags, [&] { return NEXT(open64)(path, flags, mode); });
}
int openat(int folder, const char* path, int flags, ...) {
  WITH_MODE(flags, mode);
  return Open(folder, path, flags, [&] { return NEXT(openat)(folder, path, flags, mode); });
}
int openat64(int folder, const char* path, int flags, ...) {
  WITH_MODE(flags, mode);
  return Open(folder, path, flags, [&] { return NEXT(openat64)(folder, path, flags, mode); });
}
std::FILE* fopen(const char* path, const char* mode) {
  return OpenStream(path, mode, [&](const char* name) { return NEXT(fopen)(name, mode); });
}
std::FILE* fopen64(const char* path, const char* mode) {
  return OpenStream(path, mode, [&](const char* name) { return NEXT(fopen64)(name, mode); });
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  if (!IsWatched(descriptor)) return NEXT(write)(descriptor, bytes, size);
  return Written(descriptor, bytes, size, -1,
                 [&](size_t n) { return NEXT(write)(descriptor, bytes, n); });
}
ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  if (!IsWatched(descriptor)) return NEXT(pwrite)(descriptor, bytes, size, offset);
  return Written(descriptor, bytes, size, offset,
                 [&](size_t n) { return NEXT(pwrite)(descriptor, bytes, n, offset); });
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t offset) {
  return pwrite(descriptor, bytes, size, offset);
}
ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  if (!IsWatched(descriptor)) return NEXT(writev)(descriptor, parts, count);
  std::string all;
  for (int i = 0; i < count; ++i) {
    all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return Written(descriptor, all.data(), all.size(), -1,
                 [&](size_t n) { return NEXT(write)(descriptor, all.data(), n); });
}

int fsync(int descriptor) {
  return Sync(descriptor, [&] { return NEXT(fsync)(descriptor); });
}
int fdatasync(int descriptor) {
  return Sync(descriptor, [&] { return NEXT(fdatasync)(descriptor); });
}
int sync_file_range(int descriptor, off64_t offset, off64_t size, unsigned flags) {
  return ChangeFile("start", descriptor, "",
                    [&] { return NEXT(sync_file_range)(descriptor, offset, size, flags); });
}
int ftruncate(int descriptor, off_t size) {
  return ChangeFile("size", descriptor, "\t" + std::to_string(size),
                    [&] { return NEXT(ftruncate)(descriptor, size); });
}
int ftruncate64(int descriptor, off64_t size) {
  return ftruncate(descriptor, size);
}
int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  return ChangeFile("reserve", descriptor, "\t" + std::to_string(offset + size),
                    [&] { return NEXT(fallocate)(descriptor, mode, offset, size); });
}
int fallocate64(int descriptor, int mode, off64_t offset, off64_t size) {
  return fallocate(descriptor, mode, offset, size);
}
int fchmod(int descriptor, mode_t mode) {
  return ChangeFile("mode", descriptor, "", [&] { return NEXT(fchmod)(descriptor, mode); });
}
int close(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  const bool written = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
  if (!written || !IsWatched(descriptor)) return NEXT(close)(descriptor);
  Recorder& recorder = Recorder::Get();
  const std::scoped_lock lock(recorder.mutex());
  // Whatever it says, a close closes.
  const int error = ErrorOf(recorder.Meet());
  recorder.Log("close\t" + NumberOf(descriptor));
  const int result = NEXT(close)(descriptor);
  if (error == 0) return result;
  errno = error;
  return -1;
}
int ioctl(int descriptor, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (request != FICLONERANGE) return NEXT(ioctl)(descriptor, request, argument);
  const auto* const range = static_cast<const file_clone_range*>(argument);
  const auto clone = [&]() -> ssize_t {
    const int result = NEXT(ioctl)(descriptor, request, argument);
    return result < 0 ? result : static_cast<ssize_t>(range->src_length);
  };
  return Copied(descriptor, static_cast<off_t>(range->dest_offset), clone) < 0 ? -1 : 0;
}
ssize_t copy_file_range(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t size,
                        unsigned flags) {
  return Copied(to, to_offset == nullptr ? -1 : *to_offset, [&] {
    return NEXT(copy_file_range)(from, from_offset, to, to_offset, size, flags);
  });
}
ssize_t sendfile(int to, int from, off_t* offset, size_t size) {
  return Copied(to, -1, [&] { return NEXT(sendfile)(to, from, offset, size); });
}
ssize_t sendfile64(int to, int from, off64_t* offset, size_t size) {
  return sendfile(to, from, offset, size);
}

int rename(const char* from, const char* to) {
  return ChangeNames("rename", AT_FDCWD, from, AT_FDCWD, to,
                     [&] { return NEXT(rename)(from, to); });
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  return ChangeNames("rename", from_folder, from, to_folder, to,
                     [&] { return NEXT(renameat)(from_folder, from, to_folder, to); });
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  const char* const what = (flags & RENAME_EXCHANGE) != 0 ? "exchange" : "rename";
  return ChangeNames(what, from_folder, from, to_folder, to,
                     [&] { return NEXT(renameat2)(from_folder, from, to_folder, to, flags); });
}
int link(const char* from, const char* to) {
  return ChangeNames("link", AT_FDCWD, from, AT_FDCWD, to, [&] { return NEXT(link)(from, to); });
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  return ChangeNames("link", from_folder, from, to_folder, to,
                     [&] { return NEXT(linkat)(from_folder, from, to_folder, to, flags); });
}
int unlink(const char* path) {
  return ChangeName("unlink", AT_FDCWD, path, [&] { return NEXT(unlink)(path); });
}
int unlinkat(int folder, const char* path, int flags) {
  return ChangeName("unlink", folder, path, [&] { return NEXT(unlinkat)(folder, path, flags); });
}
int remove(const char* path) {
  return ChangeName("unlink", AT_FDCWD, path, [&] { return NEXT(remove)(path); });
}
int truncate(const char* path, off_t size) {
  return ChangeName("truncate", AT_FDCWD, path, [&] { return NEXT(truncate)(path, size); });
}
int truncate64(const char* path, off64_t size) {
  return truncate(path, size);
}
int mkdir(const char* path, mode_t mode) {
  return ChangeName("mkdir", AT_FDCWD, path, [&] { return NEXT(mkdir)(path, mode); });
}
int rmdir(const char* path) {
  return ChangeName("rmdir", AT_FDCWD, path, [&] { return NEXT(rmdir)(path); });
}

}  // extern "C"
