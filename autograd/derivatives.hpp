#pragma once

#include <functional>
#include <vector>

#include <maskgrad/autograd/callable.hpp>
#include <maskgrad/autograd/gradients.hpp>

namespace maskgrad {

// Derivatives of a function f of one tensor or of several, given as a vector; all calls of f draw
// the same noise. Results have the layout of what they are of, masks included; what f does not
// depend on has zeros. Where an argument is on the tape so are the results: they can be nested.

/// u^T J: the gradients by x of sum(u * f(x)).
/// Shapes:   u as f(x); results as x.
/// Example:  mg::vjp([](const mg::Tensor& t) { return mg::square(t); }, x, mg::ones_like(x));
std::vector<Tensor> vjp(const Callable& f, const std::vector<Tensor>& x,
                        const std::vector<Tensor>& u);
Tensor vjp(const Callable& f, const Tensor& x, const Tensor& u);

/// J v: how f(x) changes as x moves along v.
/// Shapes:   v as x; results as f(x).
/// Example:  mg::jvp([](const mg::Tensor& t) { return mg::square(t); }, x, mg::ones_like(x));
std::vector<Tensor> jvp(const Callable& f, const std::vector<Tensor>& x,
                        const std::vector<Tensor>& v);
Tensor jvp(const Callable& f, const Tensor& x, const Tensor& v);

/// H v: how the gradient of a scalar f changes as x moves along v, without the Hessian.
/// Shapes:   f(x) a scalar; v and results as x.
/// Throws:   ShapeError for an f that is no scalar.
/// Example:  const auto f = [](const mg::Tensor& t) { return mg::sum(mg::exp(t)); };
///           mg::hvp(f, x, mg::ones_like(x));
std::vector<Tensor> hvp(const Callable& f, const std::vector<Tensor>& x,
                        const std::vector<Tensor>& v);
Tensor hvp(const Callable& f, const Tensor& x, const Tensor& v);
/// The same over parameters, which f reads by itself.
std::vector<Tensor> hvp(const std::function<Tensor()>& f, const std::vector<Parameter>& parameters,
                        const std::vector<Tensor>& v);

/// The derivative of each value of f(x) by each of x.
/// Shapes:   [shape of f(x), shape of x], under the mask of f(x); 0 where x is not valid.
/// Throws:   ShapeError where that has too many axes.
/// Example:  mg::jacobian([](const mg::Tensor& t) { return mg::exp(t); }, mg::ones({3}));
Tensor jacobian(const Callable& f, const Tensor& x);

/// The second derivative of a scalar f by each two values of x.
/// Shapes:   [shape of x, shape of x], under the mask of x.
/// Example:  const auto f = [](const mg::Tensor& t) { return mg::sum(mg::square(t)); };
///           mg::hessian(f, mg::ones({3}));  // 2 on the diagonal
Tensor hessian(const Callable& f, const Tensor& x);

}  // namespace maskgrad
