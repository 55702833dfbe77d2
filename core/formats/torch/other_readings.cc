#include "core/formats/torch/other_readings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>

#include "core/base/error.h"
#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kTarBlock = 512;
constexpr std::size_t kTarChecksum = 148;
constexpr std::size_t kTarChecksumSize = 8;
constexpr std::uint64_t kFarthest = std::uint64_t{64} << 20;

[[noreturn]] void RefuseReading(const std::string& problem, const std::string& advice) {
  throw Error(ErrorCode::kInput, "the file is ambiguous: " + problem, advice);
}

constexpr std::string_view kGetAgain =
    "Which one it is depends on the program, so do not load it. Get it from its publisher again.";

std::string Head(const ByteSource& file) {
  return ReadText(file, 0, std::min<std::uint64_t>(file.size(), kTarBlock));
}

void ExpectNoTar(const ByteSource& file, std::string_view what) {
  if (!BeginsAsTar(Head(file))) return;
  RefuseReading(fmt::format("it is {}, and a tar archive for torch.load", what),
                std::string(kGetAgain));
}

void ExpectNoZip(const ByteSource& file, std::string_view what) {
  if (!EndsAsZip(file)) return;
  RefuseReading(fmt::format("it is {}, and a zip archive by its end", what),
                std::string(kGetAgain));
}

bool IsNamedSafetensors(const ByteSource& file) {
  const std::string end = Lowercase(file.path().extension().string());
  return end == ".safetensors" || end == ".sft";
}

/// A dotted name that an import could find.
bool IsLoadable(std::string_view dotted) {
  return !dotted.empty() && dotted.front() != '.' && std::ranges::all_of(dotted, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) != 0 || c == '_' || c == '.';
  });
}

}  // namespace

bool EndsAsZip(const ByteSource& file) {
  constexpr std::uint64_t kRecord = 22;
  constexpr std::uint64_t kLocator64 = 20;
  const std::uint64_t size = std::min<std::uint64_t>(file.size(), kRecord + 0xFFFF);
  const std::string tail = ReadText(file, file.size() - size, size);
  const std::size_t at = tail.rfind("PK\x05\x06");
  if (at == std::string::npos || at + kRecord > size) return false;
  if (at >= kLocator64 && std::string_view(tail).substr(at - kLocator64, 4) == "PK\x06\x07") {
    return true;
  }
  std::uint64_t directory = 0;  // its size, in four bytes
  for (std::size_t i = 4; i-- > 0;) {
    directory = directory << 8 | static_cast<unsigned char>(tail[at + 12 + i]);
  }
  const std::uint64_t end = file.size() - size + at;
  if (directory < 4 || directory > end) return false;
  return ReadText(file, end - directory, 4) == "PK\x01\x02";
}

bool BeginsAsTar(std::string_view head) {
  if (head.size() < kTarBlock) return false;
  std::int64_t bytes = 0;
  std::int64_t signed_bytes = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    const bool own = i >= kTarChecksum && i < kTarChecksum + kTarChecksumSize;
    const char c = own ? ' ' : head[i];
    bytes += static_cast<unsigned char>(c);
    signed_bytes += static_cast<signed char>(c);
  }
  // Octal digits, around which readers allow several things; or a binary number behind a mark.
  const std::string_view field = head.substr(kTarChecksum, kTarChecksumSize);
  std::int64_t told = 0;
  std::uint64_t binary = 0;
  for (const char c : field.substr(0, field.find('\0'))) {
    if (c >= '0' && c <= '7') told = told * 8 + (c - '0');
  }
  for (const char c : field.substr(1)) binary = binary << 8 | static_cast<unsigned char>(c);
  const auto fits = [&](std::int64_t sum) { return sum == bytes || sum == std::abs(signed_bytes); };
  const bool marked = field[0] == '\x80' || field[0] == '\xFF';
  return fits(told) || (marked && fits(static_cast<std::int64_t>(binary)));
}

void ExpectOneReading(const ByteSource& file, TorchFormat format) {
  const std::string head = Head(file);
  const bool zip = format == TorchFormat::kZip;
  const bool header = zip && head.size() > 8 &&
                      std::string_view("{ \t\r\n").find(head[8]) != std::string_view::npos;
  if (header && std::string_view(head).substr(4, 4) == std::string_view("\0\0\0\0", 4)) {
    RefuseReading("it begins as a zip archive and as a safetensors file", std::string(kGetAgain));
  }
  ExpectNoTar(file, zip ? "a zip archive" : "a file of torch.save");
  if (!zip) ExpectNoZip(file, "a file of torch.save");
  if (IsNamedSafetensors(file)) {
    RefuseReading(
        "it is named as a safetensors file, and holds a file of torch.save",
        "Some programs go by the name and others by what it holds. Rename it to .ckpt to read it.");
  }
}

void ExpectOnlySafetensors(const ByteSource& file) {
  ExpectNoTar(file, "a safetensors file");
  ExpectNoZip(file, "a safetensors file");
  const std::vector<std::string> code = CodeFromFirstByte(file);
  if (code.empty()) return;
  RefuseReading(fmt::format("it is a safetensors file, and a pickle for torch.load, which names {}",
                            Quote(code.front())),
                std::string(kGetAgain));
}

std::vector<std::string> CodeFromFirstByte(const ByteSource& file) {
  PickleTrace trace;
  for (std::uint64_t size = kTarBlock;; size *= 16) {
    const std::uint64_t readable = std::min({size, file.size(), kFarthest});
    trace = TracePickle(ReadText(file, 0, readable));
    // What follows so long a value is not looked at, and may be anything.
    const bool bounded = trace.cut_off ? readable == kFarthest : trace.beyond_limits;
    if (bounded) trace.globals.emplace_back("unknown");
    if (!trace.cut_off || readable == file.size() || bounded) break;
  }
  std::erase_if(trace.globals, [](const std::string& name) { return !IsLoadable(name); });
  return trace.globals;
}

}  // namespace weightsmith::internal
