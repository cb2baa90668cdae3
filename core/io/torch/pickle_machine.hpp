#pragma once

#include <maskgrad/core/io/torch/pickle.hpp>

namespace maskgrad::detail {

/// Reads a pickle from front to back: a stack of places of values, marks in it, and a memo.
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes, const Place& place);
  Pickle run();

 private:
  using Index = std::uint32_t;

  // One instruction each, false where it is none of theirs; Machine's parts by what they do.
  bool constant(unsigned code);
  bool collection(unsigned code);
  bool stacked(unsigned code);
  bool memoized(unsigned code);
  bool called(unsigned code);
  [[noreturn]] void unknown(unsigned code) const;

  std::uint64_t number(std::size_t width);
  std::int64_t long_number(std::uint64_t width);
  void text_value(PickleKind kind, std::uint64_t length);
  std::string_view line();
  void integer(std::int64_t value);

  Index add(PickleValue value);
  void push(Index at) { stack_.push_back(at); }
  void push_new(PickleKind kind, std::int64_t number = 0) { push(add({kind, 0, number, {}})); }
  Index pop();
  /// What lies above the last mark, which goes.
  std::vector<Index> above_mark();
  std::vector<Index> top(std::size_t count);
  PickleValue& value(Index at) { return made_.values[at]; }
  /// The value on top, which must be of that kind.
  PickleValue& below(PickleKind kind, std::string_view what);

  void set_memo(std::uint64_t at);
  void get_memo(std::uint64_t at);

  void global(std::string_view module, std::string_view name);
  void persistent();
  void reduce();
  Index call(std::string_view function, const std::vector<Index>& arguments);
  Index tensor(std::string_view function, const std::vector<Index>& arguments);

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) const {
    place_.refuse(began_, text, std::forward<Args>(args)...);
  }

  const Place& place_;
  Pickle made_;
  std::size_t at_ = 0, began_ = 0;  ///< where the next byte, and this instruction, stand
  std::vector<Index> stack_, marks_, memo_;
  Index none_, no_, yes_, nothing_;  ///< None, False, True and the empty tuple
};

}  // namespace maskgrad::detail
