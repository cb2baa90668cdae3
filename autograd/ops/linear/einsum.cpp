#include <maskgrad/autograd/ops/linear/einsum.hpp>

#include <algorithm>
#include <map>
#include <string>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/linear/batched_matmul.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view einsum_op = "einsum";

using Letters = std::string;

bool in(const Letters& all, char letter) {
  return all.find(letter) != Letters::npos;
}
/// The letters of `all` for which f is true.
template <class F>
Letters those(const Letters& all, F&& f) {
  Letters some;
  std::copy_if(all.begin(), all.end(), std::back_inserter(some), f);
  return some;
}

struct Formula {
  std::vector<Letters> inputs;
  Letters output;
};

template <class... Args>
[[noreturn]] void refuse(std::string_view formula, std::size_t at, fmt::format_string<Args...> what,
                         Args&&... args) {
  fail<OptionError>(einsum_op, "at position {} of \"{}\": {}", at, formula,
                    fmt::format(what, std::forward<Args>(args)...));
}

/// Reads letters, commas and one arrow; spaces do not count.
Formula read(std::string_view text) {
  Formula f{{""}, ""};
  bool behind_arrow = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    Letters& group = behind_arrow ? f.output : f.inputs.back();
    if (c == ' ') continue;
    if (c == '-' && i + 1 < text.size() && text[i + 1] == '>' && !behind_arrow) {
      behind_arrow = true;
      ++i;
    } else if (c == ',' && !behind_arrow) {
      f.inputs.emplace_back();
    } else if (!letter) {
      refuse(text, i, "'{}'; expected letters, commas between tensors and one \"->\"", c);
    } else if (in(group, c)) {
      refuse(text, i, "'{}' twice in \"{}\"; expected letters that differ in each tensor", c,
             group + c);
    } else if (behind_arrow && std::none_of(f.inputs.begin(), f.inputs.end(),
                                            [c](const Letters& l) { return in(l, c); })) {
      refuse(text, i, "'{}' is in no tensor; expected letters of the tensors in the result", c);
    } else {
      group += c;
    }
  }
  if (!behind_arrow) refuse(text, text.size(), "no \"->\"; expected the letters of the result");
  return f;
}

void check_shapes(std::string_view text, const Formula& f, const std::vector<Tensor>& x) {
  if (f.inputs.size() != x.size() || x.size() > 2) {
    fail<OptionError>(einsum_op,
                      "\"{}\" is of {} tensors, {} were given; expected one or two of both", text,
                      f.inputs.size(), x.size());
  }
  std::map<char, std::int64_t> sizes;
  for (std::size_t i = 0; i < x.size(); ++i) {
    check::real(einsum_op, x[i]);
    check::same_dtype(einsum_op, x[0], x[i]);
    if (x[i].rank() != static_cast<int>(f.inputs[i].size())) {
      fail<ShapeError>(einsum_op,
                       "\"{}\" in \"{}\" for {}; expected a letter for each of its {} axes",
                       f.inputs[i], text, x[i].describe(), x[i].rank());
    }
    for (int axis = 0; axis < x[i].rank(); ++axis) {
      const char letter = f.inputs[i][static_cast<std::size_t>(axis)];
      const auto [known, added] = sizes.emplace(letter, x[i].shape()[axis]);
      if (fits(known->second, x[i].shape()[axis])) continue;
      fail<ShapeError>(
          einsum_op, "'{}' in \"{}\" has size {} in {} and {} in {}; expected the same size",
          letter, text, known->second, x[0].describe(), x[i].shape()[axis], x[i].describe());
    }
  }
}

Letters mask_letters(const Letters& letters, const Tensor& x) {
  return letters.substr(0, static_cast<std::size_t>(rows::mask_rank(x)));
}

/// The letters of the mask axes, which begin the result: those of one tensor, of the others the
/// first of these. So no two masked axes are paired.
Letters check_masks(std::string_view text, const Formula& f, const std::vector<Tensor>& x) {
  Letters masked;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Letters own = mask_letters(f.inputs[i], x[i]);
    if (own.size() > masked.size()) masked = own;
    for (char c : own) {
      if (in(f.output, c)) continue;
      fail<MaskError>(einsum_op,
                      "\"{}\" sums over '{}', a mask axis of {}; expected inner axes. Use sum or "
                      "mean over it, for two masked sequences attention(q, k, v), or end the mask "
                      "with x.drop_mask(\"why\")",
                      text, c, x[i].describe());
    }
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Letters own = mask_letters(f.inputs[i], x[i]);
    if (!masked.starts_with(own)) {
      fail<MaskError>(einsum_op,
                      "\"{}\" pairs mask axes \"{}\" and \"{}\", of {} and {}; expected the same "
                      "ones. For two masked sequences use attention(q, k, v), or end a mask with "
                      "x.drop_mask(\"why\")",
                      text, mask_letters(f.inputs[0], x[0]), mask_letters(f.inputs[1], x[1]),
                      x[0].describe(), x[1].describe());
    }
    if (!f.output.starts_with(own)) {
      fail<MaskError>(einsum_op,
                      "\"{}\" with {}; expected the mask axes \"{}\" first in the result, in "
                      "their order. Put them first, or end the mask with x.drop_mask(\"why\")",
                      text, x[i].describe(), own);
    }
  }
  return masked;
}

Tensor ordered(const Tensor& x, const Letters& from, const Letters& to) {
  if (from == to) return x;
  std::vector<int> order;
  for (char c : to) order.push_back(static_cast<int>(from.find(c)));
  return permute(x, order);
}

/// Sums over the axes whose letters are not in `kept`.
Tensor sum_others(const Tensor& x, Letters& letters, const Letters& kept) {
  Tensor y = x;
  for (auto axis = static_cast<int>(letters.size()) - 1; axis >= 0; --axis) {
    if (in(kept, letters[static_cast<std::size_t>(axis)])) continue;
    y = sum(y, axis);
    letters.erase(static_cast<std::size_t>(axis), 1);
  }
  return y;
}

/// `count` axes from `axis` on as one.
Tensor as_one(const Tensor& x, int axis, std::size_t count) {
  if (count == 1) return x;
  return count == 0 ? expand_dims(x, axis) : flatten(x, axis, axis + static_cast<int>(count) - 1);
}

/// x as matrices [lead..., rows, columns]; a letter that it does not have gets an axis of size 1.
Tensor matrices(const Tensor& x, const Letters& letters, const Letters& lead, const Letters& rows,
                const Letters& columns) {
  const auto own = those(lead, [&](char c) { return in(letters, c); });
  Tensor y = ordered(x, letters, own + rows + columns);
  for (std::size_t i = 0; i < lead.size(); ++i) {
    if (!in(own, lead[i])) y = expand_dims(y, static_cast<int>(i));
  }
  const auto first = static_cast<int>(lead.size());
  return as_one(as_one(y, first, rows.size()), first + 1, columns.size());
}

void append_sizes(Shape& shape, const Tensor& x, const Letters& letters, const Letters& wanted) {
  for (char c : wanted) shape.push_back(x.shape()[static_cast<int>(letters.find(c))]);
}

Tensor product(const std::vector<Tensor>& x, const Formula& f, const Letters& masked) {
  Letters la = f.inputs[0], lb = f.inputs[1];
  const Tensor a = sum_others(x[0], la, f.output + lb), b = sum_others(x[1], lb, f.output + la);
  const auto lead =
      masked + those(f.output, [&](char c) { return in(la, c) && in(lb, c) && !in(masked, c); });
  const auto m = those(la, [&](char c) { return !in(lead, c) && !in(lb, c); });
  const auto n = those(lb, [&](char c) { return !in(lead, c) && !in(la, c); });
  const auto k = those(la, [&](char c) { return in(lb, c) && !in(f.output, c); });
  const Tensor y = batched_matmul(matrices(a, la, lead, m, k), matrices(b, lb, lead, k, n));
  Shape shape = y.shape().sub(0, static_cast<int>(lead.size()));
  append_sizes(shape, a, la, m);
  append_sizes(shape, b, lb, n);
  return ordered(shape == y.shape() ? y : reshape(y, shape), lead + m + n, f.output);
}

}  // namespace

Tensor einsum(std::string_view formula, const std::vector<Tensor>& x) {
  Formula f = read(formula);
  check_shapes(formula, f, x);
  const Letters masked = check_masks(formula, f, x);
  if (x.size() == 2) return product(x, f, masked);
  const Tensor y = sum_others(x[0], f.inputs[0], f.output);
  return ordered(y, f.inputs[0], f.output);
}

}  // namespace maskgrad
