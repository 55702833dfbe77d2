#include "merge/expression/list_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/model/architecture.h"
#include "core/model/block_list.h"

namespace weightsmith::internal {
namespace {

/// "IN04" in parts.
struct ListedName {
  std::string_view letters;
  std::optional<std::uint32_t> number = {};
};

ListedName PartsOf(std::string_view name) {
  const std::size_t digits = std::min(name.find_first_of("0123456789"), name.size());
  std::uint32_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + digits, end, number);
  // The "5" of "T5" is no count.
  if (error != std::errc() || stop != end || name.size() - digits < 2) return {name};
  return {name.substr(0, digits), number};
}

bool AreSame(std::span<const BlockList> a, std::span<const BlockList> b) {
  return std::ranges::equal(a, b, {}, &BlockList::names, &BlockList::names);
}

/// "20, 21 or 26".
std::string LengthsInWords(std::span<const BlockList> lists) {
  std::string words;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const std::string_view before = i == 0 ? "" : i + 1 == lists.size() ? " or " : ", ";
    words += fmt::format("{}{}", before, lists[i].length());
  }
  return words;
}

std::string IdsInWords(const ListTakers& takers) {
  return fmt::format("{}", fmt::join(takers.ids, " and "));
}

}  // namespace

std::vector<ListTakers> TakersOfLists(bool adapter) {
  std::vector<ListTakers> all;
  for (const Architecture* architecture : Architectures()) {
    const std::vector<BlockList>& lists =
        adapter ? architecture->adapter_lists : architecture->merge_lists;
    if (lists.empty()) continue;
    auto at = std::ranges::find_if(
        all, [&](const ListTakers& takers) { return AreSame(takers.lists, lists); });
    if (at == all.end()) at = all.insert(at, {{}, lists});
    at->ids.push_back(architecture->id);
  }
  return all;
}

std::string ListLengthsInWords(bool adapter) {
  std::vector<std::string> words;
  for (const ListTakers& takers : TakersOfLists(adapter)) {
    words.push_back(fmt::format("{} for {}", LengthsInWords(takers.lists), IdsInWords(takers)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::vector<std::string> PlacesOf(const BlockList& list) {
  std::vector<std::string> ranges;
  for (std::size_t i = 0; i < list.names.size();) {
    const ListedName first = PartsOf(list.names[i]);
    std::size_t last = i;
    while (first.number && last + 1 < list.names.size()) {
      const ListedName next = PartsOf(list.names[last + 1]);
      if (next.letters != first.letters || next.number != *first.number + (last + 1 - i)) break;
      ++last;
    }
    ranges.push_back(last == i ? list.names[i]
                               : fmt::format("{}-{}", list.names[i], list.names[last]));
    i = last + 1;
  }
  return ranges;
}

std::vector<std::string> BlocksOf(BlockList list) {
  std::erase_if(list.names, [](const std::string& name) { return !PartsOf(name).number; });
  return PlacesOf(list);
}

std::string ListedBlocksInWords() {
  std::vector<std::string> words;
  for (const ListTakers& takers : TakersOfLists(false)) {
    const std::vector<std::string> blocks = BlocksOf(takers.lists.front());
    words.push_back(fmt::format("{}: {}", IdsInWords(takers), fmt::join(blocks, ", ")));
  }
  return fmt::format("{}", fmt::join(words, "; "));
}

std::optional<std::uint32_t> LastListed(std::string_view letters) {
  std::optional<std::uint32_t> last;
  for (const ListTakers& takers : TakersOfLists(false)) {
    for (const BlockList& list : takers.lists) {
      for (const std::string& name : list.names) {
        const ListedName parts = PartsOf(name);
        if (parts.number && parts.letters == letters) last = std::max(last, parts.number);
      }
    }
  }
  return last;
}

}  // namespace weightsmith::internal
