#include "merge/run/read_back.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/tensor/digest.h"
#include "merge/run/chunk.h"

namespace weightsmith::internal {
namespace {

class PartialReader final : public ByteSource {
 public:
  explicit PartialReader(const OutputFile& file)
      : ByteSource(file.partial(), file.identity(), -1), file_(&file) {}

  IoBackend backend() const override { return IoBackend::kRead; }
  void Read(std::uint64_t offset, std::span<std::byte> out) const override {
    ExpectInside(offset, out.size());
    file_->Read(offset, out);
  }

 private:
  const OutputFile* file_;
};

std::uint64_t BytesOf(const Task& task, const Product& product) {
  if (product.numbers) return InfoOf(task, product).bytes();
  const Units units = UnitsOf(task);
  return units.count * units.SizeOf(product.dtype);
}

class ReadBack {
 public:
  ReadBack(std::span<const std::shared_ptr<const ByteSource>> files,
           const std::atomic<bool>* cancel)
      : files_(files), cancel_(cancel) {}

  bool Intact(const Task& task, const TaskResult& result) {
    if (result.products.size() != task.products.size()) return false;
    for (std::size_t p = 0; p < task.products.size(); ++p) {
      if (DigestOf(task, task.products[p]) != result.products[p]) return false;
    }
    return true;
  }

 private:
  Digest DigestOf(const Task& task, const Product& product) {
    const std::uint64_t size = BytesOf(task, product);
    std::vector<Digest> blocks;
    for (std::uint64_t at = 0; at < size; at += kDigestBlock) {
      if (cancel_ != nullptr && cancel_->load()) {
        throw Error(ErrorCode::kInterrupted,
                    "interrupted while what an earlier run wrote was read back", {},
                    {Option::kTrustPartial});
      }
      block_.resize(std::min(kDigestBlock, size - at));
      Read(task, product, at, block_);
      blocks.push_back(Xxh3(block_));
    }
    return TensorDigest(InfoOf(task, product), blocks);
  }

  void Read(const Task& task, const Product& product, std::uint64_t at,
            std::span<std::byte> out) const {
    if (product.scatter == nullptr) return files_[product.file]->Read(product.offset + at, out);
    const std::uint64_t element = UnitsOf(task).SizeOf(product.dtype);
    ReadGathered(*product.scatter, files_, element, at / element, out);
  }

  std::span<const std::shared_ptr<const ByteSource>> files_;
  const std::atomic<bool>* cancel_;
  std::vector<std::byte> block_;
};

}  // namespace

std::shared_ptr<const ByteSource> ReaderOf(const OutputFile& file) {
  return std::make_shared<const PartialReader>(file);
}

std::uint64_t BytesOfProducts(const Plan& plan, std::span<const FinishedTask> tasks) {
  std::uint64_t bytes = 0;
  for (const FinishedTask& finished : tasks) {
    const Task& task = plan.tasks[finished.task];
    for (const Product& product : task.products) bytes += BytesOf(task, product);
  }
  return bytes;
}

std::size_t CountIntact(const Plan& plan, std::span<const FinishedTask> tasks,
                        std::span<const std::shared_ptr<const ByteSource>> files,
                        const std::atomic<bool>* cancel) {
  ReadBack read_back(files, cancel);
  const auto damaged = std::ranges::find_if_not(tasks, [&](const FinishedTask& finished) {
    return read_back.Intact(plan.tasks[finished.task], finished.result);
  });
  return static_cast<std::size_t>(damaged - tasks.begin());
}

}  // namespace weightsmith::internal
