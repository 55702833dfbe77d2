// JSON through nlohmann's events. They carry no places; since only space, ',' and ':' stand between
// two tokens, the place of each follows from where the one before it ended.
#include "recipes/source/json.h"

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/base/text.h"
#include "recipes/source/json_problem.h"
#include "recipes/source/line_index.h"
#include "recipes/source/tree_builder.h"

namespace weightsmith::internal {
namespace {

/// Goes over the text and counts how far it got.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* count_;
};

class JsonHandler {
 public:
  JsonHandler(const std::shared_ptr<const SourceText>& source, const std::size_t& read,
              Diagnostics& diagnostics)
      : text_(source->text),
        read_(read),
        lines_(source),
        builder_(diagnostics),
        diagnostics_(diagnostics) {}

  std::optional<SourceNode> Take() { return builder_.Take(); }

  bool null() { return Scalar(SourceNode::Type::kNull, "", false); }
  bool boolean(bool value) {
    return Scalar(SourceNode::Type::kScalar, value ? "true" : "false", true);
  }
  bool number_integer(std::int64_t) { return Number(); }
  bool number_unsigned(std::uint64_t) { return Number(); }
  bool number_float(double, const std::string&) { return Number(); }
  bool string(std::string& value) {
    return Scalar(SourceNode::Type::kScalar, std::move(value), false);
  }
  bool key(std::string& value) { return string(value); }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t) { return Open(SourceNode::Type::kMap); }
  bool end_object() { return Close(); }
  bool start_array(std::size_t) { return Open(SourceNode::Type::kList); }
  bool end_array() { return Close(); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) {
    const std::size_t offset = position > 0 ? position - 1 : 0;
    for (const JsonProblem& problem : ExplainJson(text_, offset, error.what())) {
      diagnostics_.AddError(lines_.At(problem.offset), problem.message, problem.advice);
    }
    return false;
  }

 private:
  std::size_t NextToken() const {
    const std::size_t at = text_.find_first_not_of(" \t\r\n,:", end_);
    return at == std::string_view::npos ? text_.size() : at;
  }

  SourceNode Make(SourceNode::Type type, std::size_t at) const {
    SourceNode node;
    node.type = type;
    node.place = lines_.At(at);
    return node;
  }

  bool Scalar(SourceNode::Type type, std::string text, bool plain) {
    SourceNode node = Make(type, NextToken());
    node.text = std::move(text);
    node.plain = plain;
    end_ = read_;
    builder_.Add(std::move(node));
    return true;
  }

  /// A number was read up to the character after it: its own text says where it ends.
  bool Number() {
    const std::size_t begin = NextToken();
    std::size_t end = text_.find_first_not_of("+-.0123456789eE", begin);
    if (end == std::string_view::npos) end = text_.size();
    SourceNode node = Make(SourceNode::Type::kScalar, begin);
    node.text = std::string(text_.substr(begin, end - begin));
    node.plain = true;
    end_ = end;
    builder_.Add(std::move(node));
    return true;
  }

  bool Open(SourceNode::Type type) {
    SourceNode node = Make(type, NextToken());
    end_ = read_;
    return builder_.Open(std::move(node));
  }

  bool Close() {
    end_ = read_;
    builder_.Close();
    return true;
  }

  std::string_view text_;
  const std::size_t& read_;
  LineIndex lines_;
  TreeBuilder builder_;
  Diagnostics& diagnostics_;
  std::size_t end_ = 0;  ///< of the token before
};

}  // namespace

std::optional<SourceNode> ReadJson(const std::shared_ptr<const SourceText>& source,
                                   Diagnostics& diagnostics) {
  std::size_t read = 0;
  JsonHandler handler(source, read, diagnostics);
  const char* begin = source->text.data();
  const char* end = begin + source->text.size();
  if (!nlohmann::json::sax_parse(CountingIterator(begin, &read), CountingIterator(end, &read),
                                 &handler)) {
    return std::nullopt;
  }
  return handler.Take();
}

}  // namespace weightsmith::internal
