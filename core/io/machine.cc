#include "core/io/machine.h"

#include <pthread.h>
#include <sched.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <set>
#include <vector>

#include "core/io/hash.h"

namespace weightsmith::internal {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

int PhysicalCores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  // Hardware threads of one core name the same set of siblings.
  std::set<std::string> cores;
  int unnamed = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) continue;
    const std::string siblings = FirstLine("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                                           "/topology/thread_siblings_list");
    if (siblings.empty()) {
      ++unnamed;
    } else {
      cores.insert(siblings);
    }
  }
  return std::max(1, static_cast<int>(cores.size()) + unnamed);
}

int StartableThreads(int wanted) {
  // As large as those of oneTBB's workers.
  constexpr std::size_t kStack = 4 << 20;
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) return 0;
  ::pthread_attr_setstacksize(&attributes, kStack);
  std::promise<void> all_started;
  std::shared_future<void> end = all_started.get_future().share();
  const auto wait = [](void* until) -> void* {
    static_cast<std::shared_future<void>*>(until)->wait();
    return nullptr;
  };
  std::vector<pthread_t> started;
  for (int i = 0; i < wanted; ++i) {
    pthread_t thread;
    if (::pthread_create(&thread, &attributes, wait, &end) != 0) break;
    started.push_back(thread);
  }
  all_started.set_value();
  for (const pthread_t thread : started) ::pthread_join(thread, nullptr);
  ::pthread_attr_destroy(&attributes);
  return static_cast<int>(started.size());
}

std::uint64_t AvailableMemory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::uint64_t kib = 0;
  std::string unit;
  while (file >> name >> kib >> unit) {
    if (name == "MemAvailable:") return kib * 1024;
  }
  const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
  return pages / 2 * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t PeakResidentMemory() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

std::string BootId() {
  return FirstLine("/proc/sys/kernel/random/boot_id");
}

std::string RandomIdentity() {
  Digest random;
  std::size_t filled = 0;
  while (filled < random.bytes.size()) {
    const ssize_t got = ::getrandom(random.bytes.data() + filled, random.bytes.size() - filled, 0);
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  return random.ToHex();
}

}  // namespace weightsmith::internal
