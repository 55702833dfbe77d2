#include "merge/adapters/delta_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace weightsmith::internal {

AdapterValues::Matrix AdapterValues::Of(AdapterRole role) const {
  const Shape& shape = shapes.at(role);
  const std::vector<float>& own = values.at(role);
  const std::uint64_t rows = shape.empty() ? 1 : shape[0];
  return {rows, rows == 0 ? 0 : own.size() / rows, own};
}

void RowByRow::Fill(std::uint64_t first, std::span<float> out) const {
  std::vector<float> scratch;
  while (!out.empty()) {
    const std::uint64_t row = first / columns();
    const std::uint64_t skip = first % columns();
    const std::uint64_t n = std::min<std::uint64_t>(columns() - skip, out.size());
    if (n == columns()) {
      Row(row, out.first(n));
    } else {
      scratch.resize(columns());
      Row(row, scratch);
      std::ranges::copy(std::span(scratch).subspan(skip, n), out.begin());
    }
    out = out.subspan(n);
    first += n;
  }
}

void StoredRows::Fill(std::uint64_t first, std::span<float> out) const {
  std::ranges::copy(std::span(values_).subspan(first, out.size()), out.begin());
}

void ExpectEqual(std::uint64_t found, std::uint64_t expected, std::string_view what) {
  if (found == expected) return;
  throw Error(ErrorCode::kMismatch, fmt::format("{} is {}, not {}", what, found, expected));
}

std::uint64_t Times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  throw Error(ErrorCode::kMismatch, fmt::format("{} × {} elements are too many", a, b));
}

std::uint64_t KernelOf(const Shape& core) {
  if (core.size() < 2 || core[0] == 0 || core[1] == 0) {
    throw Error(
        ErrorCode::kMismatch,
        fmt::format("the core has shape {}, expected [rank, rank, kernel]", ToString(core)));
  }
  return ElementCount(core).value() / (core[0] * core[1]);
}

std::vector<float> CoreProduct(const AdapterValues::Matrix& left,
                               const AdapterValues::Matrix& right,
                               const AdapterValues::Matrix& core, const Shape& shape) {
  const std::uint64_t kernel = KernelOf(shape);
  std::vector<float> product(left.columns * right.columns * kernel);
  for (std::uint64_t o = 0; o < left.columns; ++o) {
    for (std::uint64_t i = 0; i < right.columns; ++i) {
      const auto out = std::span(product).subspan((o * right.columns + i) * kernel, kernel);
      for (std::uint64_t p = 0; p < shape[0]; ++p) {
        for (std::uint64_t q = 0; q < shape[1]; ++q) {
          AddScaled(left.Row(p)[o] * right.Row(q)[i], core.Row(p).subspan(q * kernel, kernel), out);
        }
      }
    }
  }
  return product;
}

std::vector<float> WithCore(const AdapterValues::Matrix& down, const AdapterValues::Matrix& core,
                            const Shape& shape) {
  const std::uint64_t kernel = KernelOf(shape);
  std::vector<float> whole(shape[0] * down.columns * kernel);
  for (std::uint64_t p = 0; p < shape[0]; ++p) {
    for (std::uint64_t i = 0; i < down.columns; ++i) {
      const auto out = std::span(whole).subspan((p * down.columns + i) * kernel, kernel);
      for (std::uint64_t q = 0; q < shape[1]; ++q) {
        AddScaled(down.Row(q)[i], core.Row(p).subspan(q * kernel, kernel), out);
      }
    }
  }
  return whole;
}

void AddScaled(float factor, std::span<const float> row, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += factor * row[i];
}

std::vector<float> MatrixProduct(const AdapterValues::Matrix& left,
                                 const AdapterValues::Matrix& right) {
  std::vector<float> product(left.rows * right.columns);
  for (std::uint64_t i = 0; i < left.rows; ++i) {
    const std::span<float> out = std::span(product).subspan(i * right.columns, right.columns);
    for (std::uint64_t k = 0; k < left.columns; ++k) {
      AddScaled(left.Row(i)[k], right.Row(k), out);
    }
  }
  return product;
}

}  // namespace weightsmith::internal
