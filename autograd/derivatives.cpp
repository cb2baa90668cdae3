#include <maskgrad/autograd/derivatives.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>

namespace maskgrad {
namespace {

using Many = std::vector<Tensor>;

/// f's arguments with an end of the tape of their own, so that it is differentiated by these alone.
struct Arguments {
  Arguments(std::string_view op, const Many& x) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!x[i].defined() || !is_real(x[i].dtype())) {
        fail<TypeError>(op, "argument {} is {}; expected f32 or f64", i,
                        x[i].defined() ? x[i].describe() : "undefined");
      }
      nested = nested || (recording() && x[i].on_tape());
      all.push_back(recording() && x[i].on_tape() ? tape::identity(x[i])
                                                  : x[i].value().with_grad());
    }
  }
  Many all;
  bool nested = false;
};

void check_like(std::string_view op, std::string_view what, const Many& given, const Many& like) {
  if (given.size() != like.size()) {
    fail<ShapeError>(op, "{} {} for {}; expected one for each", given.size(), what, like.size());
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Tensor &a = given[i], &b = like[i];
    if (a.defined() && a.shape() == b.shape() && a.dtype() == b.dtype() && a.mask() == b.mask()) {
      continue;
    }
    fail<ShapeError>(op, "{} {} is {}; expected {}", what, i,
                     a.defined() ? a.describe() : "undefined", b.describe());
  }
}

bool any_nested(const Many& x) {
  return recording() && std::any_of(x.begin(), x.end(), [](auto& t) { return t.on_tape(); });
}

/// The gradients of those y that are on the tape; zeros where nothing comes.
Many pulled(const Many& y, const Many& seeds, const Many& x, bool create_graph) {
  Many roots, root_seeds;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (!y[i].on_tape()) continue;
    roots.push_back(y[i]);
    root_seeds.push_back(seeds[i]);
  }
  Many found(x.size());
  if (!roots.empty()) {
    found = tape::gradients(roots, root_seeds, x, {.create_graph = create_graph});
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!found[i].defined()) found[i] = zeros_like(x[i]);
  }
  return found;
}

Tensor scalar_of(std::string_view op, const Many& y) {
  if (y.size() == 1 && y[0].shape().count() == 1) return y[0];
  fail<ShapeError>(op, "f gives {}; expected one scalar. Use mean(y) or sum(y), or a loss",
                   y.size() == 1 ? y[0].describe() : fmt::format("{} tensors", y.size()));
}

/// The gradient of the scalar y, on the tape.
Many gradient_on_tape(const Tensor& y, const Many& x) {
  return pulled({y}, {ones_like(y)}, x, true);
}

}  // namespace

std::vector<Tensor> vjp(const Callable& f, const std::vector<Tensor>& x,
                        const std::vector<Tensor>& u) {
  const Arguments in("vjp", x);
  const bool nested = in.nested || any_nested(u);
  const detail::Recording on(true);
  const Many y = f(in.all);
  check_like("vjp", "u", u, y);
  return pulled(y, u, in.all, nested);
}

Tensor vjp(const Callable& f, const Tensor& x, const Tensor& u) {
  return vjp(f, std::vector<Tensor>{x}, std::vector<Tensor>{u})[0];
}

std::vector<Tensor> jvp(const Callable& f, const std::vector<Tensor>& x,
                        const std::vector<Tensor>& v) {
  check_like("jvp", "v", v, x);
  const Arguments in("jvp", x);
  const bool nested = in.nested || any_nested(v);
  const detail::Recording on(true);
  const Many y = f(in.all);
  // u^T J is linear in u, and its gradient along v is J v.
  Many u;
  for (const auto& t : y) u.push_back(zeros_like(t).with_grad());
  const Many pulled_back = pulled(y, u, in.all, true);
  return pulled(pulled_back, v, u, nested);
}

Tensor jvp(const Callable& f, const Tensor& x, const Tensor& v) {
  return jvp(f, std::vector<Tensor>{x}, std::vector<Tensor>{v})[0];
}

std::vector<Tensor> hvp(const Callable& f, const std::vector<Tensor>& x,
                        const std::vector<Tensor>& v) {
  check_like("hvp", "v", v, x);
  const Arguments in("hvp", x);
  const bool nested = in.nested || any_nested(v);
  const detail::Recording on(true);
  const Tensor y = scalar_of("hvp", f(in.all));
  return pulled(gradient_on_tape(y, in.all), v, in.all, nested);
}

Tensor hvp(const Callable& f, const Tensor& x, const Tensor& v) {
  return hvp(f, std::vector<Tensor>{x}, std::vector<Tensor>{v})[0];
}

std::vector<Tensor> hvp(const std::function<Tensor()>& f, const std::vector<Parameter>& parameters,
                        const std::vector<Tensor>& v) {
  detail::require_function("hvp", f);
  const std::vector<Tensor> x(parameters.begin(), parameters.end());
  check_like("hvp", "v", v, x);
  for (const auto& p : parameters) {
    if (p.trainable()) continue;
    fail<GradError>(
        "hvp", "the parameter '{}' is not trained; leave it out, as mg::trainable(parameters) does",
        p.name());
  }
  const detail::Recording on(true);
  const Tensor y = scalar_of("hvp", {f()});
  return pulled(gradient_on_tape(y, x), v, x, any_nested(v));
}

Tensor jacobian(const Callable& f, const Tensor& x) {
  const Arguments in("jacobian", {x});
  const detail::Recording on(true);
  const Many all = f(in.all);
  if (all.size() != 1) {
    fail<ShapeError>("jacobian", "f gives {} tensors; expected one", all.size());
  }
  const Tensor& y = all[0];
  if (y.rank() + x.rank() > Shape::max_rank) {
    fail<ShapeError>("jacobian", "f(x) {} by x {} has {} axes; expected at most {}. Flatten one",
                     y.describe(), x.describe(), y.rank() + x.rank(), Shape::max_rank);
  }
  Many lines;
  for (std::int64_t k = 0; k < rows::total(y); ++k) {
    const Tensor seed = zeros_like(y);
    dispatch_real("jacobian", y.dtype(),
                  [&]<class T>() { rows::of_mutable<T>(seed)[static_cast<std::size_t>(k)] = 1; });
    const Tensor line = pulled({y}, {seed}, in.all, true)[0];
    lines.push_back(line.has_mask() ? drop_mask(line, "f does not depend on what is not valid")
                                    : line);
  }
  const Shape shape = y.shape() + x.shape();
  if (lines.empty()) return rows::make(shape, x.dtype(), y.mask());
  const Tensor made = rearrange::regroup("jacobian", stack(lines, 0), shape, y.mask());
  return in.nested ? made : made.value();
}

Tensor hessian(const Callable& f, const Tensor& x) {
  return jacobian(
      [&f](const Tensor& at) { return gradient_on_tape(scalar_of("hessian", f({at})), {at})[0]; },
      x);
}

}  // namespace maskgrad
