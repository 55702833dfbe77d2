// The values, the stack and the memory of a pickle that is being read, with bounds on all of them.
// Private to core/torch/pickle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/formats/torch/pickle.h"

namespace weightsmith::internal {

class PickleBuilder {
 protected:
  /// Of the opcode that is carried out: for messages.
  void Begin(std::size_t start) { start_ = start; }

  [[noreturn]] void Refuse(const std::string& problem) const {
    throw Error(ErrorCode::kInput,
                "the pickle " + problem + " (at its byte " + std::to_string(start_) + ")");
  }

  Pickle Finish(std::size_t size, const std::set<std::string>& globals) {
    pickle_.root_ = Pop();
    pickle_.size_ = size;
    pickle_.globals_.assign(globals.begin(), globals.end());
    pickle_.oddities_.assign(oddities_.begin(), oddities_.end());
    return std::move(pickle_);
  }

  void Note(std::string oddity) { oddities_.insert(std::move(oddity)); }

  bool Is(PickleRef ref, PickleType type) const { return pickle_.Is(ref, type); }
  const std::string& TextOf(PickleRef ref) const { return pickle_.text(ref); }

  PickleRef Add(Pickle::Value value) {
    if (pickle_.values_.size() == kMostValues) Refuse("has more values than any checkpoint");
    pickle_.values_.push_back(value);
    return static_cast<PickleRef>(pickle_.values_.size() - 1);
  }
  PickleRef AddText(PickleType type, std::string text) {
    pickle_.texts_.push_back(std::move(text));
    return Add({type, static_cast<std::uint32_t>(pickle_.texts_.size() - 1), 0, 0});
  }
  PickleRef AddItems(PickleType type, std::vector<PickleRef> items) {
    Count(items.size());
    pickle_.items_.push_back(std::move(items));
    return Add({type, static_cast<std::uint32_t>(pickle_.items_.size() - 1), 0, 0});
  }
  void Count(std::size_t items) {
    items_ += items;
    if (items_ > kMostItems) Refuse("has more items than any checkpoint");
  }
  std::vector<PickleRef>& ItemsOf(PickleRef ref) {
    return pickle_.items_[pickle_.values_[ref].place];
  }

  // The stack: nothing below the last mark can be taken.
  void Push(PickleRef ref) {
    if (stack_.size() == kMostValues) Refuse("has a deeper stack than any checkpoint");
    stack_.push_back(ref);
  }
  PickleRef Pop() {
    if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) {
      Refuse("takes more from its stack than there is");
    }
    const PickleRef top = stack_.back();
    stack_.pop_back();
    return top;
  }
  PickleRef Top() const {
    if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) {
      Refuse("takes more from its stack than there is");
    }
    return stack_.back();
  }
  std::vector<PickleRef> PopMark() {
    if (marks_.empty()) Refuse("ends what it did not begin");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleRef> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }
  void PushMark() { marks_.push_back(stack_.size()); }
  void PopOrUnmark() {
    if (!marks_.empty() && marks_.back() == stack_.size()) {
      marks_.pop_back();
    } else {
      Pop();
    }
  }

  /// Whether to go on where a reader of pickles may: for tracing what it would come to.
  bool lenient() const { return lenient_; }
  void BeLenient() { lenient_ = true; }

  /// Adds to a container; to the result of a call, which may be one, it is attached.
  void Extend(PickleRef to, PickleType type, std::span<const PickleRef> more) {
    if (lenient_) return;
    if (!Is(to, type) && !Is(to, PickleType::kCall)) {
      Refuse("puts items into what is no container of them");
    }
    if (type == PickleType::kDict && more.size() % 2 != 0) Refuse("has a key without a value");
    Count(more.size());
    std::vector<PickleRef>& items = ItemsOf(to);
    items.insert(items.end(), more.begin(), more.end());
  }

  std::size_t remembered() const { return memo_.size(); }
  void Put(std::uint64_t key) {
    if (memo_.size() == kMostValues) Refuse("remembers more than any checkpoint");
    memo_[key] = Top();
  }
  void Get(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) Refuse("recalls what it did not remember");
    Push(found->second);
  }

 private:
  // A real checkpoint with its optimizer stays far below these.
  static constexpr std::size_t kMostValues = 2'000'000;
  static constexpr std::size_t kMostItems = 8'000'000;

  bool lenient_ = false;
  std::size_t start_ = 0;
  std::size_t items_ = 0;
  Pickle pickle_;
  std::set<std::string> oddities_;
  std::vector<PickleRef> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleRef> memo_;
};

}  // namespace weightsmith::internal
