// Which tensors of a block share units: hidden units of a feed-forward network, heads of an
// attention. To permute the units in all of them changes nothing of what the block computes.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "merge/operator.h"
#include "merge/program/units.h"

namespace weightsmith::internal {

/// What a tensor is for its units.
enum class MemberRole : std::uint8_t { kHidden, kQuery, kKey, kValue, kOut, kAllThree };

/// A tensor of a group, by the end of its name.
struct BlockMember {
  std::string_view suffix;
  MemberRole role = MemberRole::kHidden;
  bool columns = false;   ///< its units are columns; else rows
  std::size_t parts = 1;  ///< the units of each part lie together: value and gate, or q, k and v
};

/// The group that a tensor belongs to, and as which member; nothing for none.
struct BlockGroup {
  std::string prefix;
  std::span<const BlockMember> members;
  std::size_t own = 0;

  bool attention() const { return members.front().role != MemberRole::kHidden; }
};
std::optional<BlockGroup> BlockGroupOf(std::string_view tensor);

/// For Operator::companions: all of the group, the tensor itself included.
std::vector<std::string> BlockNames(std::string_view tensor);

/// A member that all operands have.
struct PresentMember {
  const BlockMember* member = nullptr;
  bool own = false;
  Shape shape;
  std::array<CompanionIndex, 2> index{};  ///< of the first operand, and of the second
};
/// Of what lower() was given for two operands; none where their shapes differ.
std::vector<PresentMember> PresentMembers(const BlockGroup& group, const Arguments& given);

/// Units of a member: rows or columns of one part. 0 where it has no such dimension.
std::size_t UnitRows(const PresentMember& member);

/// The parts of all members, in their order.
std::vector<UnitSlice> SlicesOf(std::span<const PresentMember> members);
/// What a function of units reads: of the first operand, then of the second.
std::vector<CompanionIndex> CompanionsToRead(std::span<const PresentMember> members);
/// Which member the tensor is; nothing where it is not among them.
std::optional<std::size_t> OwnMember(std::span<const PresentMember> members);

/// "head_size" and "heads": what to know of an attention to find its heads, by place.
std::vector<ParameterSpec> HeadParameters();
std::string CheckHeads(const ArgumentsGiven& given);
/// What is wrong with them in an attention: numbers that do not divide its keys. Of grouped queries
/// it says which one does.
std::string CheckHeadsFit(const Arguments& given);
/// How many heads the group's keys have; nothing where neither was given, or where they do not fit.
std::optional<std::size_t> HeadCount(std::span<const PresentMember> members,
                                     const Arguments& given);

}  // namespace weightsmith::internal
