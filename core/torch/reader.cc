#include "core/torch/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "core/torch/pickle.h"
#include "core/torch/tensor_table.h"
#include "core/torch/zip_archive.h"

namespace weightsmith {
namespace {

/// Pickles of the largest checkpoints, optimizers included, have less than 10 MB.
constexpr std::uint64_t kLargestPickle = std::uint64_t{64} << 20;
/// A tensor that repeats elements may be larger than its file, but not without bound.
constexpr std::uint64_t kSmallEnough = std::uint64_t{1} << 20;

constexpr std::string_view kZipMagic("PK\x03\x04");
/// LONG1 of ten bytes, behind PROTO.
constexpr std::string_view kLegacyMagic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
constexpr std::string_view kLegacyNumber = kLegacyMagic.substr(2);

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
  placed.offset = storage + tensor.offset * size;
  if (tensor.info.elements() > 0 && !IsContiguous(tensor)) {
    if (tensor.info.bytes() > std::max(file_size, kSmallEnough)) {
      Refuse(fmt::format("tensor {} repeats few elements to {}", Quote(placed.name),
                         FormatBytes(tensor.info.bytes())));
    }
    GatherRun run{0, placed.offset, {}};
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
    contents.tensors.push_back(Placed(tensor, offsets.at(tensor.storage), file.size()));
  }
  return contents;
}

/// What stands before every name: torch takes it from the first one.
std::string Prefix(const ZipArchive& archive) {
  if (archive.entries.empty()) Refuse("the zip archive is empty");
  const std::string& first = archive.entries.front().name;
  std::string prefix = first.substr(0, first.find('/') + 1);
  const bool shared = std::ranges::all_of(
      archive.entries, [&](const ZipEntry& entry) { return entry.name.starts_with(prefix); });
  if (prefix.empty() || !shared || archive.Find(prefix + "data.pkl") == nullptr) {
    if (shared && archive.Find(prefix + "model.json") != nullptr) {
      Refuse("this is a TorchScript archive, a program", "Save the model's state_dict() instead.");
    }
    Refuse("this is a zip archive, but none that torch.save wrote");
  }
  if (archive.Find(prefix + "constants.pkl") != nullptr) {
    Refuse("this is a TorchScript archive, a program", "Save the model's state_dict() instead.");
  }
  return prefix;
}

std::string ReadZipPickle(const ByteSource& file, const ZipArchive& archive,
                          const std::string& prefix) {
  const ZipEntry& entry = *archive.Find(prefix + "data.pkl");
  if (entry.size > kLargestPickle) {
    Refuse(fmt::format("its pickle has {}, more than {}", FormatBytes(entry.size),
                       FormatBytes(kLargestPickle)));
  }
  return ReadText(file, entry.offset, entry.size);
}

TorchContents ReadTorchZip(const ByteSource& file) {
  const ZipArchive archive = ReadZip(file);
  const std::string prefix = Prefix(archive);
  if (const ZipEntry* order = archive.Find(prefix + "byteorder")) {
    const std::string word = ReadText(file, order->offset, std::min<std::uint64_t>(order->size, 8));
    if (word != "little") {
      Refuse(fmt::format("its byte order is {}, and only little is read", Quote(word)));
    }
  }
  const Pickle pickle = ReadPickle(ReadZipPickle(file, archive, prefix));
  TorchTable table = ReadTensorTable(pickle);
  std::map<std::string_view, const ZipEntry*> entries;
  for (const ZipEntry& entry : archive.entries) entries.emplace(entry.name, &entry);
  StorageOffsets offsets;
  for (const auto& [key, storage] : table.storages) {
    const auto entry = entries.find(prefix + "data/" + key);
    if (entry == entries.end())
      Refuse(fmt::format("the data of storage {} is missing", Quote(key)));
    if (entry->second->size != storage.bytes()) {
      Refuse(fmt::format("storage {} has {} bytes, and its tensors expect {}", Quote(key),
                         entry->second->size, storage.bytes()));
    }
    offsets.emplace(key, entry->second->offset);
  }
  return Contents(file, pickle, std::move(table), offsets);
}

/// The pickles at the start of an old file: magic, protocol, system, objects, storage keys.
struct LegacyPickles {
  std::vector<Pickle> pickles;
  std::vector<std::string> texts;
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
        read.texts.push_back(head.substr(read.size, read.pickles.back().size()));
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

TorchContents ReadTorchLegacy(const ByteSource& file) {
  const LegacyPickles head = ReadLegacyPickles(file);
  const Pickle& magic = head.pickles[0];
  if (!magic.Is(magic.root(), PickleType::kBytes) || magic.text(magic.root()) != kLegacyNumber) {
    Refuse("its magic number is computed, not written: no program of torch did that");
  }
  ExpectLittleEndian(head.pickles[2]);
  TorchTable table = ReadTensorTable(head.pickles[3]);
  const Pickle& keys = head.pickles[4];
  if (!keys.Is(keys.root(), PickleType::kList)) Refuse("its list of storages is malformed");
  StorageOffsets offsets;
  std::uint64_t at = head.size;
  for (const PickleRef ref : keys.items(keys.root())) {
    if (!keys.Is(ref, PickleType::kText)) Refuse("its list of storages is malformed");
    const std::string& key = keys.text(ref);
    const auto storage = table.storages.find(key);
    if (storage == table.storages.end()) {
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
  for (const auto& [key, storage] : table.storages) {
    if (!offsets.contains(key))
      Refuse(fmt::format("the data of storage {} is missing", Quote(key)));
  }
  return Contents(file, head.pickles[3], std::move(table), offsets);
}

}  // namespace

std::optional<TorchFormat> SniffTorch(std::string_view head) {
  // The length of a safetensors header may look like the letters; its text follows at byte 8.
  const bool header = head.size() > 8 && (head[8] == '{' || head[8] == ' ');
  if (head.starts_with(kZipMagic) && !header) return TorchFormat::kZip;
  if (head.size() < 2 || head[0] != '\x80') return std::nullopt;
  head.remove_prefix(2);
  if (head.starts_with('\x95')) head.remove_prefix(std::min<std::size_t>(head.size(), 9));  // FRAME
  if (head.starts_with(kLegacyMagic)) return TorchFormat::kLegacy;
  return std::nullopt;
}

TorchContents ReadTorch(const ByteSource& file, TorchFormat format) {
  return WithContext(fmt::format("reading {}", Quote(file.path().string())), [&] {
    return format == TorchFormat::kZip ? ReadTorchZip(file) : ReadTorchLegacy(file);
  });
}

std::vector<std::string> ReadTorchPickles(const ByteSource& file, TorchFormat format) {
  return WithContext(fmt::format("reading {}", Quote(file.path().string())), [&] {
    if (format == TorchFormat::kLegacy) return ReadLegacyPickles(file).texts;
    const ZipArchive archive = ReadZip(file);
    return std::vector{ReadZipPickle(file, archive, Prefix(archive))};
  });
}

}  // namespace weightsmith
