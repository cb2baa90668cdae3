#include <maskgrad/core/io/torch/pickle_machine.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::uint32_t unset = 0xFFFFFFFF;

}  // namespace

PickleMachine::PickleMachine(std::span<const std::byte> bytes, const Place& place) : place_(place) {
  made_.bytes = bytes;
  none_ = add({PickleKind::none, 0, 0, {}});
  no_ = add({PickleKind::boolean, 0, 0, {}});
  yes_ = add({PickleKind::boolean, 0, 1, {}});
  nothing_ = add({PickleKind::tuple, 0, 0, {}});
}

Pickle PickleMachine::run() {
  for (;;) {
    began_ = at_;
    const auto code = static_cast<unsigned>(number(1));
    if (code == '.') break;
    if (!constant(code) && !collection(code) && !stacked(code) && !memoized(code) &&
        !called(code)) {
      unknown(code);
    }
  }
  made_.root = pop();
  made_.end = at_;
  return std::move(made_);
}

void PickleMachine::unknown(unsigned code) const {
  refuse(
      "the pickle has the instruction {:#04x}, which torch.save writes for no tensor; expected a "
      "state dict: save it again with torch.save(model.state_dict(), path)",
      code);
}

std::uint64_t PickleMachine::number(std::size_t width) {
  if (width > made_.bytes.size() - at_) {
    place_.refuse(at_, "{} bytes of the pickle are needed here, but {} are left; it was cut short",
                  width, made_.bytes.size() - at_);
  }
  at_ += width;
  return little_endian(made_.bytes.subspan(at_ - width, width));
}

void PickleMachine::text_value(PickleKind kind, std::uint64_t length) {
  constexpr std::uint64_t most = 0x7FFFFFFF;
  if (length > made_.bytes.size() - at_ || length > most) {
    refuse("a text of {} bytes is to follow, but {} are left; the pickle was cut short", length,
           made_.bytes.size() - at_);
  }
  push(add({kind, static_cast<std::uint32_t>(length), static_cast<std::int64_t>(at_), {}}));
  at_ += length;
}

std::string_view PickleMachine::line() {
  const auto rest = as_text(made_.bytes.subspan(at_));
  const auto length = rest.find('\n');
  if (length == rest.npos) refuse("a name without an end; the pickle was cut short");
  at_ += length + 1;
  return rest.substr(0, length);
}

std::uint32_t PickleMachine::add(PickleValue value) {
  made_.values.push_back(std::move(value));
  return static_cast<Index>(made_.values.size() - 1);
}

std::uint32_t PickleMachine::pop() {
  if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) {
    refuse("an instruction wants a value that is not there; the pickle is damaged, save it again");
  }
  const auto at = stack_.back();
  stack_.pop_back();
  return at;
}

std::vector<std::uint32_t> PickleMachine::above_mark() {
  if (marks_.empty()) {
    refuse("an instruction wants a mark that is not there; the pickle is damaged, save it again");
  }
  std::vector<Index> above(stack_.begin() + marks_.back(), stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return above;
}

std::vector<std::uint32_t> PickleMachine::top(std::size_t count) {
  std::vector<Index> made(count);
  for (auto i = count; i-- > 0;) made[i] = pop();
  return made;
}

PickleValue& PickleMachine::below(PickleKind kind, std::string_view what) {
  push(pop());  // there is one above the last mark
  PickleValue& under = value(stack_.back());
  if (under.kind != kind) {
    refuse("values are put into something that is no {}; the pickle is damaged, save it again",
           what);
  }
  return under;
}

void PickleMachine::set_memo(std::uint64_t at) {
  // Writers count from 0: a number beyond the bytes is none of theirs.
  if (at >= made_.bytes.size()) {
    refuse("the memo's place {} is beyond the {} bytes of the pickle; it is damaged, save it again",
           at, made_.bytes.size());
  }
  const auto place = static_cast<std::size_t>(at);
  if (place >= memo_.size()) memo_.resize(place + 1, unset);
  memo_[place] = pop();
  push(memo_[place]);
}

void PickleMachine::get_memo(std::uint64_t at) {
  if (at >= memo_.size() || memo_[static_cast<std::size_t>(at)] == unset) {
    refuse("the memo has nothing at {}; the pickle is damaged, save it again", at);
  }
  push(memo_[static_cast<std::size_t>(at)]);
}

Pickle read_pickle(std::span<const std::byte> bytes, const Place& place) {
  return PickleMachine(bytes, place).run();
}

}  // namespace maskgrad::detail
