// Conversion between stored bytes and floats: the only place with SIMD conversions. Exact on the
// way in; to nearest, ties to even, on the way out, equal to PyTorch bit for bit (except that f64
// rounds once). Any alignment, any length.
#pragma once

#include <cstddef>
#include <span>

#include "core/tensor/dtype.h"

namespace weightsmith::internal {

/// Decodes out.size() elements of `dtype` from `bytes`. F64 is rounded to f32.
/// REQUIRES: Info(dtype).has_codec and bytes.size() == out.size() * element size.
void Decode(DType dtype, std::span<const std::byte> bytes, std::span<float> out);
void Decode(DType dtype, std::span<const std::byte> bytes, std::span<double> out);

/// Encodes `values` as `dtype`. Overflow becomes infinity, or NaN in F8_E4M3, which has none. A
/// NaN is stored as the dtype's canonical quiet NaN with the sign of the value.
/// REQUIRES: Info(dtype).has_codec and out.size() == values.size() * element size.
void Encode(DType dtype, std::span<const float> values, std::span<std::byte> out);
void Encode(DType dtype, std::span<const double> values, std::span<std::byte> out);

/// Makes every NaN the positive quiet one, in values that were computed: the sign of a NaN that an
/// instruction gives, and which of two it passes on, depend on CPU and compiler.
void UnifyNans(std::span<float> values);
void UnifyNans(std::span<double> values);

/// The largest finite value of a dtype with a codec: 65504 for F16, 448 for F8_E4M3.
double LargestFinite(DType dtype);

}  // namespace weightsmith::internal
