// Weights: a number, block weights as people exchange them, or rows of places with values.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "merge/expression/expression.h"
#include "recipes/parser/reader.h"
#include "recipes/presets.h"

namespace weightsmith::internal {

/// A limit that limits nothing.
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

class WeightReader {
 public:
  /// `presets` are the user's; the shipped ones are known beside them.
  WeightReader(Reader& reader, const Presets& presets) : reader_(reader), presets_(presets) {}

  /// Every number must lie from `low` to `high`.
  std::optional<Weights> Read(const SourceNode& node, const std::string& what, double low,
                              double high);
  /// One number, not by place.
  std::optional<Weights> ReadNumber(const SourceNode& node, const std::string& what, double low,
                                    double high);
  /// Of an adapter, whose lists have other places and whose presets other names.
  std::optional<Weights> ReadStrength(const SourceNode& node, const std::string& what);

 private:
  struct Range {
    double low;
    double high;
  };
  using Numbers = std::vector<double>;

  std::optional<double> Number(const SourceNode& node, const std::string& what, Range range);
  std::optional<Numbers> List(const SourceNode& node, const std::string& what, Range range);
  /// With every number in the range; null after telling what is wrong.
  const Numbers* FindPreset(const SourceNode& node, const std::string& what, Range range);
  std::optional<Weights> Form(const SourceNode& node, const std::string& what, Range range);
  std::optional<Weights> Elemental(const SourceNode& node, const std::string& what, Range range);
  std::optional<Weights> Rows(const SourceNode& node, const std::string& what, Range range);
  /// Values over the range of a row.
  std::optional<Numbers> Knots(const SourceNode& node, const std::string& what, Range range);
  /// `scale` times the numbers, plus `offset`, as a form may say.
  bool Transform(const SourceNode& form, const std::string& what, Range range, Numbers& numbers);
  std::optional<Weights> Community(Numbers numbers, bool resample, const SourceNode& node,
                                   const std::string& what);

  std::vector<const Presets*> KnownPresets() const;

  Reader& reader_;
  const Presets& presets_;
  bool adapter_ = false;  ///< while a strength is read
};

}  // namespace weightsmith::internal
