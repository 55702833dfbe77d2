#include "core/formats/torch/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/torch/other_readings.h"
#include "core/formats/torch/pickle.h"
#include "core/formats/torch/tensor_table.h"
#include "core/formats/torch/zip_archive.h"

namespace weightsmith::internal {
namespace {

/// A tensor that repeats elements may be larger than its file, but not without bound.
constexpr std::uint64_t kSmallEnough = std::uint64_t{1} << 20;

constexpr std::string_view kZipMagic("PK\x03\x04");
/// LONG1 of ten bytes, behind PROTO.
constexpr std::string_view kLegacyMagic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
constexpr std::string_view kLegacyNumber = kLegacyMagic.substr(2);

constexpr std::string_view kData = "data/";

[[noreturn]] void Refuse(const std::string& problem, const std::string& advice = {}) {
  throw Error(ErrorCode::kInput, problem, advice);
}

using StorageOffsets = std::map<std::string, std::uint64_t>;

bool IsContiguous(const TorchTensor& tensor) {
  std::uint64_t expected = 1;
  for (std::size_t i = tensor.info.shape.size(); i-- > 0;) {
    if (tensor.info.shape[i] == 1) continue;
    if (tensor.strides[i] != expected) return false;
    expected *= tensor.info.shape[i];
  }
  return true;
}

CheckpointTensor Placed(TorchTensor& tensor, std::uint64_t storage, std::uint64_t file_size) {
  const std::uint64_t size = Info(tensor.info.dtype).bits / 8;
  CheckpointTensor placed;
  placed.name = std::move(tensor.name);
  placed.file = tensor.in_arrays ? 1 : 0;
  placed.offset = storage + tensor.offset * (tensor.in_arrays ? 1 : size);
  if (tensor.info.elements() > 0 && !IsContiguous(tensor)) {
    if (tensor.info.bytes() > std::max(file_size, kSmallEnough)) {
      Refuse(fmt::format("tensor {} repeats few elements to {}", Quote(placed.name),
                         FormatBytes(tensor.info.bytes())));
    }
    GatherRun run{placed.file, placed.offset, {}};
    for (std::size_t i = 0; i < tensor.strides.size(); ++i) {
      run.axes.push_back({tensor.info.shape[i], tensor.strides[i]});
    }
    placed.gather = std::make_shared<const Gather>(Gather{std::move(run)});
  }
  placed.info = std::move(tensor.info);
  return placed;
}

TorchContents Contents(const ByteSource& file, const Pickle& pickle, TorchTable table,
                       const StorageOffsets& offsets) {
  TorchContents contents;
  contents.globals = pickle.globals();
  contents.skipped = std::move(table.skipped);
  for (TorchTensor& tensor : table.tensors) {
    const std::uint64_t at = tensor.in_arrays ? 0 : offsets.at(tensor.storage);
    contents.tensors.push_back(Placed(tensor, at, file.size()));
  }
  contents.array_bytes = std::move(table.array_bytes);
  return contents;
}

[[noreturn]] void RefuseProgram() {
  Refuse("this is a TorchScript archive, a program", "Save the model's state_dict() instead.");
}

/// What stands before every name: torch takes it from the first one.
std::string Prefix(const ZipArchive& archive) {
  if (archive.entries.empty()) Refuse("the zip archive is empty");
  const std::string& first = archive.entries.front().name;
  std::string prefix = first.substr(0, first.find('/') + 1);
  const bool shared = std::ranges::all_of(
      archive.entries, [&](const ZipEntry& entry) { return entry.name.starts_with(prefix); });
  if (prefix.empty() || !shared || archive.Find(prefix + "data.pkl") == nullptr) {
    if (shared && archive.Find(prefix + "model.json") != nullptr) RefuseProgram();
    Refuse("this is a zip archive, but none that torch.save wrote");
  }
  if (archive.Find(prefix + "constants.pkl") != nullptr) RefuseProgram();
  return prefix;
}

/// Of a file that this version does not know: a later version of torch may mark its archives with a
/// word, but what is longer, no text or a pickle by its name is for another reader.
bool IsMark(const ByteSource& file, const ZipEntry& entry) {
  constexpr std::uint64_t kLongestMark = 1024;
  if (entry.size > kLongestMark || entry.name.ends_with(".pkl")) return false;
  const std::string text = ReadText(file, entry.offset, entry.size);
  return std::ranges::all_of(text, [](char c) { return (c >= 0x20 && c < 0x7F) || c == '\n'; });
}

void ExpectKnownMembers(const ByteSource& file, const ZipArchive& archive,
                        const std::string& prefix) {
  for (const ZipEntry& entry : archive.entries) {
    const std::string_view name = std::string_view(entry.name).substr(prefix.size());
    const bool storage =
        name.starts_with(kData) && name.find('/', kData.size()) == std::string_view::npos;
    if (storage || name == "data.pkl" || IsMark(file, entry)) continue;
    Refuse(fmt::format("the zip archive has the file {}, which torch.save does not write",
                       Quote(entry.name)),
           "Another program might load it instead of the weights. Save them alone.");
  }
}

/// With a mark in the archive, torch may compute where data lies instead of looking it up.
void ExpectAligned(const ByteSource& file, const ZipArchive& archive, const std::string& prefix) {
  if (archive.Find(prefix + ".format_version") == nullptr) return;
  std::uint64_t alignment = 64;
  if (const ZipEntry* entry = archive.Find(prefix + ".storage_alignment")) {
    const std::string word = ReadText(file, entry->offset, std::min<std::uint64_t>(entry->size, 8));
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), alignment);
    if (error != std::errc() || stop != word.data() + word.size() || alignment == 0) {
      Refuse(fmt::format("its alignment {} is no number", Quote(word)));
    }
  }
  for (const ZipEntry& entry : archive.entries) {
    if (!entry.name.starts_with(prefix + "data/") || entry.offset % alignment == 0) continue;
    Refuse(fmt::format("{} is not aligned as the archive says: programs would read other values",
                       Quote(entry.name)));
  }
}

std::string ReadZipPickle(const ByteSource& file, const ZipArchive& archive,
                          const std::string& prefix) {
  const ZipEntry& entry = *archive.Find(prefix + "data.pkl");
  if (entry.size > kLargestPickle) {
    Refuse(fmt::format("its pickle has {}, more than {}", FormatBytes(entry.size),
                       FormatBytes(kLargestPickle)),
           "Its values may be arrays of numpy: save them as tensors, whose data lies beside it.");
  }
  return ReadText(file, entry.offset, entry.size);
}

/// The pickle of a zip archive, and where its storages lie.
struct Opened {
  Pickle pickle;
  StorageOffsets offsets;
};

StorageOffsets LocateInZip(const ZipArchive& archive, const std::string& prefix,
                           const std::map<std::string, TorchStorage>& storages) {
  std::map<std::string_view, const ZipEntry*> entries;
  for (const ZipEntry& entry : archive.entries) entries.emplace(entry.name, &entry);
  StorageOffsets offsets;
  for (const auto& [key, storage] : storages) {
    const auto entry = entries.find(prefix + "data/" + key);
    if (entry == entries.end())
      Refuse(fmt::format("the data of storage {} is missing", Quote(key)));
    if (entry->second->size != storage.bytes()) {
      Refuse(fmt::format("storage {} has {} bytes, and its tensors expect {}", Quote(key),
                         entry->second->size, storage.bytes()));
    }
    offsets.emplace(key, entry->second->offset);
  }
  for (const ZipEntry& entry : archive.entries) {
    const std::string_view name = std::string_view(entry.name).substr(prefix.size());
    if (!name.starts_with(kData) || storages.contains(std::string(name.substr(kData.size())))) {
      continue;
    }
    Refuse(
        fmt::format("{} belongs to no tensor: torch.save writes no such file", Quote(entry.name)),
        "It may hold something for another program. Save the weights again.");
  }
  return offsets;
}

Opened OpenZip(const ByteSource& file) {
  const ZipArchive archive = ReadZip(file);
  const std::string prefix = Prefix(archive);
  ExpectKnownMembers(file, archive, prefix);
  ExpectAligned(file, archive, prefix);
  if (const ZipEntry* order = archive.Find(prefix + "byteorder")) {
    const std::string word = ReadText(file, order->offset, std::min<std::uint64_t>(order->size, 8));
    if (word != "little") {
      Refuse(fmt::format("its byte order is {}, and only little is read", Quote(word)));
    }
  }
  const std::string text = ReadZipPickle(file, archive, prefix);
  Opened opened{ReadPickle(text), {}};
  if (opened.pickle.size() != text.size()) {
    Refuse(
        fmt::format("{} bytes follow its pickle", FormatCount(text.size() - opened.pickle.size())),
        "Another program might load them instead. Save the weights again.");
  }
  opened.offsets = LocateInZip(archive, prefix, ReadStorages(opened.pickle));
  return opened;
}

/// The pickles at the start of an old file: magic, protocol, system, objects, storage keys.
struct LegacyPickles {
  std::vector<Pickle> pickles;
  std::uint64_t size = 0;
};

LegacyPickles ReadLegacyPickles(const ByteSource& file) {
  constexpr std::size_t kPickles = 5;
  for (std::uint64_t size = std::uint64_t{1} << 20;; size *= 8) {
    const std::uint64_t readable = std::min({size, file.size(), kLargestPickle});
    const std::string head = ReadText(file, 0, readable);
    try {
      LegacyPickles read;
      while (read.pickles.size() < kPickles) {
        read.pickles.push_back(ReadPickle(std::string_view(head).substr(read.size)));
        read.size += read.pickles.back().size();
      }
      return read;
    } catch (const Error&) {
      // It may be cut off by our own reading of a part.
      if (readable == file.size() || readable == kLargestPickle) throw;
    }
  }
}

void ExpectLittleEndian(const Pickle& system) {
  const auto little = system.Find(system.root(), "little_endian");
  if (little && system.Is(*little, PickleType::kBool) && system.integer(*little) == 0) {
    Refuse("its byte order is big, and only little is read");
  }
}

/// The pickles around the object are numbers and texts that torch.save writes literally.
void ExpectLegacyFrame(const std::vector<Pickle>& pickles) {
  constexpr std::int64_t kProtocol = 1001;
  constexpr std::size_t kObject = 3;
  const Pickle& magic = pickles[0];
  if (!magic.Is(magic.root(), PickleType::kBytes) || magic.text(magic.root()) != kLegacyNumber) {
    Refuse("its magic number is computed, not written: no program of torch did that");
  }
  const Pickle& protocol = pickles[1];
  if (!protocol.Is(protocol.root(), PickleType::kInteger) ||
      protocol.integer(protocol.root()) != kProtocol) {
    Refuse("its second pickle is not the version of the format, 1001");
  }
  if (!pickles[2].Is(pickles[2].root(), PickleType::kDict)) {
    Refuse("its third pickle is no description of a machine");
  }
  for (std::size_t i = 0; i < pickles.size(); ++i) {
    if (i == kObject || pickles[i].globals().empty()) continue;
    Refuse(fmt::format("its pickle {} of {} names code: {}", i + 1, pickles.size(),
                       Quote(pickles[i].globals().front())));
  }
}

StorageOffsets LocateInLegacy(const ByteSource& file, std::uint64_t at, const Pickle& keys,
                              const std::map<std::string, TorchStorage>& storages) {
  if (!keys.Is(keys.root(), PickleType::kList)) Refuse("its list of storages is malformed");
  StorageOffsets offsets;
  for (const PickleRef ref : keys.items(keys.root())) {
    if (!keys.Is(ref, PickleType::kText)) Refuse("its list of storages is malformed");
    const std::string& key = keys.text(ref);
    const auto storage = storages.find(key);
    if (storage == storages.end()) {
      Refuse(fmt::format("no tensor of its state dict says how large storage {} is", Quote(key)),
             "Load it and save the state dict alone.");
    }
    if (at > file.size() || file.size() - at < 8) Refuse("the file is cut off");
    const std::string count = ReadText(file, at, 8);
    std::uint64_t elements = 0;
    for (std::size_t i = 8; i-- > 0;) {
      elements = elements << 8 | static_cast<unsigned char>(count[i]);
    }
    if (elements != storage->second.count) {
      Refuse(fmt::format("storage {} has {} elements, and its tensors expect {}", Quote(key),
                         elements, storage->second.count));
    }
    at += 8;
    if (file.size() - at < storage->second.bytes()) Refuse("the file is cut off");
    if (!offsets.emplace(key, at).second) Refuse("it lists a storage twice");
    at += storage->second.bytes();
  }
  for (const auto& [key, storage] : storages) {
    if (!offsets.contains(key))
      Refuse(fmt::format("the data of storage {} is missing", Quote(key)));
  }
  if (at != file.size()) {
    Refuse(fmt::format("{} bytes follow its last storage", FormatCount(file.size() - at)),
           "They may be another checkpoint. Save the weights again.");
  }
  return offsets;
}

Opened OpenLegacy(const ByteSource& file) {
  LegacyPickles head = ReadLegacyPickles(file);
  ExpectLegacyFrame(head.pickles);
  ExpectLittleEndian(head.pickles[2]);
  Opened opened{std::move(head.pickles[3]), {}};
  opened.offsets = LocateInLegacy(file, head.size, head.pickles[4], ReadStorages(opened.pickle));
  return opened;
}

Opened OpenTorch(const ByteSource& file, TorchFormat format) {
  ExpectOneReading(file, format);
  return format == TorchFormat::kZip ? OpenZip(file) : OpenLegacy(file);
}

}  // namespace

std::optional<TorchFormat> SniffTorch(std::string_view head) {
  if (head.starts_with(kZipMagic)) return TorchFormat::kZip;
  if (head.size() < 2 || head[0] != '\x80') return std::nullopt;
  head.remove_prefix(2);
  if (head.starts_with('\x95')) head.remove_prefix(std::min<std::size_t>(head.size(), 9));  // FRAME
  if (head.starts_with(kLegacyMagic)) return TorchFormat::kLegacy;
  return std::nullopt;
}

TorchContents ReadTorch(const ByteSource& file, TorchFormat format, const std::string& key) {
  return WithContext(fmt::format("reading {}", Quote(file.path().string())), [&] {
    const Opened opened = OpenTorch(file, format);
    return Contents(file, opened.pickle, ReadTensorTable(opened.pickle, key), opened.offsets);
  });
}

Pickle ExpectTorch(const ByteSource& file, TorchFormat format) {
  return WithContext(fmt::format("reading {}", Quote(file.path().string())),
                     [&] { return OpenTorch(file, format).pickle; });
}

}  // namespace weightsmith::internal
