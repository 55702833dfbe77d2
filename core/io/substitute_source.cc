#include "core/io/substitute_source.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

class SubstituteSource : public ByteSource {
 public:
  SubstituteSource(const ByteSource& file, std::vector<std::byte> bytes)
      : ByteSource(file.path(), file.identity(), ::dup(file.descriptor())),
        bytes_(std::move(bytes)) {}

  IoBackend backend() const override { return IoBackend::kRead; }
  bool substituted() const override { return true; }

  void Read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
      throw Error(ErrorCode::kFailed, "a read leaves the bytes that stand for a file's");
    }
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

std::shared_ptr<const ByteSource> SubstituteFor(const ByteSource& file,
                                                std::vector<std::byte> bytes) {
  return std::make_shared<const SubstituteSource>(file, std::move(bytes));
}

}  // namespace weightsmith::internal
