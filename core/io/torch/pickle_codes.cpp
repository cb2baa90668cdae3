#include <maskgrad/core/io/torch/pickle_machine.hpp>

/// The instructions of a pickle, by what they do.
namespace maskgrad::detail {

std::int64_t PickleMachine::long_number(std::uint64_t width) {
  const auto begin = at_;
  if (width > made_.bytes.size() - at_) {
    refuse("a number of {} bytes is to follow, but {} are left; the pickle was cut short", width,
           made_.bytes.size() - at_);
  }
  at_ += width;
  if (width == 0) return 0;
  auto bits = little_endian(made_.bytes.subspan(begin, static_cast<std::size_t>(width)));
  const auto negative = (static_cast<unsigned>(made_.bytes[begin + width - 1]) & 128u) != 0;
  if (negative && width < 8) bits |= ~std::uint64_t{0} << (8 * width);
  return static_cast<std::int64_t>(bits);
}

void PickleMachine::integer(std::int64_t value) {
  push_new(PickleKind::integer, value);
}

bool PickleMachine::constant(unsigned code) {
  const auto text = [&](std::size_t width) { text_value(PickleKind::text, number(width)); };
  const auto bytes = [&](std::size_t width) { text_value(PickleKind::other, number(width)); };
  const auto whole = [&](std::size_t width) {
    const auto length = number(width);
    const auto value = long_number(std::min<std::uint64_t>(length, made_.bytes.size() + 1));
    length <= 8 ? integer(value) : push_new(PickleKind::other);
  };
  switch (code) {  // clang-format off
    case 'N': push(none_); return true;
    case 0x88: push(yes_); return true;
    case 0x89: push(no_); return true;
    case 'K': integer(static_cast<std::int64_t>(number(1))); return true;
    case 'M': integer(static_cast<std::int64_t>(number(2))); return true;
    case 'J': integer(static_cast<std::int32_t>(number(4))); return true;
    case 0x8a: whole(1); return true;
    case 0x8b: whole(4); return true;
    case 'G': number(8); push_new(PickleKind::real); return true;
    case 0x8c: text(1); return true;
    case 'X': text(4); return true;
    case 0x8d: text(8); return true;
    case 'U': case 'C': bytes(1); return true;
    case 'T': case 'B': bytes(4); return true;
    case 0x8e: case 0x96: bytes(8); return true;
    default: return false;
  }  // clang-format on
}

bool PickleMachine::collection(unsigned code) {
  const auto tuple = [&](std::vector<Index> items) {
    push(items.empty() ? nothing_ : add({PickleKind::tuple, 0, 0, std::move(items)}));
  };
  const auto put = [&](PickleKind kind, std::string_view what, const std::vector<Index>& items) {
    auto& into = below(kind, what);
    into.items.insert(into.items.end(), items.begin(), items.end());
  };
  const auto pairs = [&](const std::vector<Index>& items) {
    if (items.size() % 2 != 0) refuse("a key without a value; the pickle is damaged");
    put(PickleKind::dict, "dictionary", items);
  };
  switch (code) {  // clang-format off
    case ')': push(nothing_); return true;
    case ']': case 0x8f: push_new(PickleKind::list); return true;
    case '}': push_new(PickleKind::dict); return true;
    case 't': tuple(above_mark()); return true;
    case 0x85: tuple(top(1)); return true;
    case 0x86: tuple(top(2)); return true;
    case 0x87: tuple(top(3)); return true;
    case 'a': put(PickleKind::list, "list", top(1)); return true;
    case 'e': case 0x90: put(PickleKind::list, "list", above_mark()); return true;
    case 0x91: push(add({PickleKind::list, 0, 0, above_mark()})); return true;
    case 's': pairs(top(2)); return true;
    case 'u': pairs(above_mark()); return true;
    default: return false;
  }  // clang-format on
}

bool PickleMachine::stacked(unsigned code) {
  switch (code) {
    case 0x80: {
      const auto protocol = number(1);
      if (protocol < 2 || protocol > 5) {
        refuse("the pickle is of protocol {}; expected 2 to 5, as torch.save writes", protocol);
      }
      return true;
    }
    case 0x95:
      number(8);  // a frame's length, which only says how far to read at once
      return true;
    case '(':
      marks_.push_back(static_cast<Index>(stack_.size()));
      return true;
    case '0':
      pop();
      return true;
    case '1':
      above_mark();
      return true;
    default:
      return false;
  }
}

bool PickleMachine::memoized(unsigned code) {
  switch (code) {  // clang-format off
    case 'h': get_memo(number(1)); return true;
    case 'j': get_memo(number(4)); return true;
    case 'q': set_memo(number(1)); return true;
    case 'r': set_memo(number(4)); return true;
    case 0x94: set_memo(memo_.size()); return true;
    default: return false;
  }  // clang-format on
}

bool PickleMachine::called(unsigned code) {
  switch (code) {
    case 'c': {
      const auto module = line(), name = line();
      global(module, name);
      return true;
    }
    case 0x93: {
      const auto both = top(2);
      const auto &module = value(both[0]), &name = value(both[1]);
      if (module.kind != PickleKind::text || name.kind != PickleKind::text) {
        refuse("a class is named by something that is no text; the pickle is damaged");
      }
      global(made_.text(module), made_.text(name));
      return true;
    }
    case 'Q':
      persistent();
      return true;
    case 'R':
      reduce();
      return true;
    case 'b':  // attributes of a state dict, which say the version of each module
      pop();
      below(PickleKind::dict, "state dict");
      return true;
    default:
      return false;
  }
}

}  // namespace maskgrad::detail
