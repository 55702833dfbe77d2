// Functions of whole tensors, computed between two passes, and their calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tensor/tensor.h"
#include "merge/program/fields.h"
#include "merge/program/poll.h"

namespace weightsmith::internal {

using TensorInputs = std::span<const std::span<const float>>;

/// Where a function of tensors says numbers of what it did: the first ones, as many as are asked
/// for. What it does not say is NaN.
class Told {
 public:
  Told() = default;
  explicit Told(std::span<double> numbers) : numbers_(numbers) {}

  bool Wants(std::size_t index) const { return index < numbers_.size(); }
  void Say(std::size_t index, double number) const {
    if (Wants(index)) numbers_[index] = number;
  }

 private:
  std::span<double> numbers_{};
};

/// A function of rows of one tensor, each by itself, with what it reuses from call to call. For one
/// thread at a time.
class RowFunction {
 public:
  RowFunction() = default;
  RowFunction(const RowFunction&) = delete;
  RowFunction& operator=(const RowFunction&) = delete;
  virtual ~RowFunction() = default;
  /// Puts the results of whole rows where their values stand.
  virtual void Compute(std::span<float> rows) = 0;
};

/// What a function of tensors is where it computes each row by itself: all that has one index in
/// the first dimension, or of a vector all.
struct ByRow {
  std::uint64_t elements = 0;  ///< of a row; 0: it needs all of the tensor
  std::uint64_t bytes = 0;     ///< that a RowFunction holds, at most
};

/// A function of whole tensors of one shape, or of their rows. Parameters are a struct of numbers,
/// truth values, enumerations, optional ones of these, and lists of such structs.
template <class Parameters>
struct TensorFunction {
  std::string_view name;  ///< no other function has it
  /// `out` has as many elements as each of `in`; behind these come companions, of any size. What is
  /// told depends on nothing else, and `out` not on what is asked for.
  void (*compute)(TensorInputs in, const Shape& shape, const Parameters& parameters,
                  std::span<float> out, const Poll& poll, Told told);
  /// Bytes that it takes while it computes, at most, beside `inputs` values and its result; null:
  /// none.
  std::uint64_t (*bytes)(const Shape& shape, std::size_t inputs,
                         const Parameters& parameters) = nullptr;
  /// Bytes that each thread takes beside those in a part of a loop; null: none.
  std::uint64_t (*bytes_of_part)(const Shape& shape, std::size_t inputs,
                                 const Parameters& parameters) = nullptr;
  /// Null: it needs all of the tensor whatever that is. Else it has one input, no companions, and
  /// tells nothing, and where it computes rows by themselves, `rows` gives what `compute` does.
  ByRow (*by_row)(const Shape& shape, const Parameters& parameters) = nullptr;
  std::unique_ptr<RowFunction> (*rows)(const Shape& shape, const Parameters& parameters) = nullptr;
};

/// Of a function that has none.
struct NoParameters {};

/// A function and its parameters: what a plan holds of it, whatever their type.
class TensorCall {
 public:
  TensorCall() = default;
  TensorCall(const TensorCall&) = delete;
  TensorCall& operator=(const TensorCall&) = delete;
  virtual ~TensorCall() = default;

  virtual std::string_view name() const = 0;
  /// The fields of the parameters in their order. With the name they say what is computed, so the
  /// fingerprint of a run has them.
  virtual std::vector<double> Numbers() const = 0;

  // As the function declares them.
  virtual void Compute(TensorInputs in, const Shape& shape, std::span<float> out, const Poll& poll,
                       Told told) const = 0;
  virtual std::uint64_t Bytes(const Shape& shape, std::size_t inputs) const = 0;
  virtual std::uint64_t BytesOfPart(const Shape& shape, std::size_t inputs) const = 0;
  virtual ByRow Rows(const Shape& shape) const = 0;
  /// REQUIRES: Rows says that it computes rows by themselves.
  virtual std::unique_ptr<RowFunction> MakeRowFunction(const Shape& shape) const = 0;

  bool operator==(const TensorCall& other) const {
    return name() == other.name() && Numbers() == other.Numbers();
  }
};

template <class Parameters>
class TensorCallOf final : public TensorCall {
 public:
  /// REQUIRES: the function outlives it.
  TensorCallOf(const TensorFunction<Parameters>& function, Parameters parameters)
      : function_(function), parameters_(std::move(parameters)) {}

  std::string_view name() const override { return function_.name; }
  std::vector<double> Numbers() const override { return NumbersOfFields(parameters_); }

  void Compute(TensorInputs in, const Shape& shape, std::span<float> out, const Poll& poll,
               Told told) const override {
    function_.compute(in, shape, parameters_, out, poll, told);
  }
  std::uint64_t Bytes(const Shape& shape, std::size_t inputs) const override {
    return function_.bytes == nullptr ? 0 : function_.bytes(shape, inputs, parameters_);
  }
  std::uint64_t BytesOfPart(const Shape& shape, std::size_t inputs) const override {
    const auto of = function_.bytes_of_part;
    return of == nullptr ? 0 : of(shape, inputs, parameters_);
  }
  ByRow Rows(const Shape& shape) const override {
    return function_.by_row == nullptr ? ByRow{} : function_.by_row(shape, parameters_);
  }
  std::unique_ptr<RowFunction> MakeRowFunction(const Shape& shape) const override {
    return function_.rows(shape, parameters_);
  }

 private:
  const TensorFunction<Parameters>& function_;
  Parameters parameters_;
};

}  // namespace weightsmith::internal
