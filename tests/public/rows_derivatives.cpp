#include <maskgrad/autograd/checkpoint.hpp>
#include <maskgrad/autograd/derivatives.hpp>
#include <maskgrad/autograd/hooks.hpp>
#include <maskgrad/optim/per_sequence.hpp>

#include "hostile.hpp"

namespace maskgrad::tests {
namespace in_rows_derivatives {

Tensor squares(const Tensor& x) {
  return x * x;
}

/// A function of one tensor with every hostile one.
template <class F>
Calls with_tensors(F f) {
  return calls_of<Tensor>([f](const Tensor& x) { f(x); });
}

Calls products() {
  auto all = with_tensors([](const Tensor& x) { vjp(squares, x, x); });
  const auto add = [&](Calls more) { all.insert(all.end(), more.begin(), more.end()); };
  add(with_tensors([](const Tensor& x) { vjp([](const Tensor&) { return Tensor(); }, x, x); }));
  add({[] { vjp(squares, Tensors{}, Tensors{}); }, [] { vjp(squares, Tensors{}, {Tensor()}); }});
  return all;
}

Calls forward_products() {
  auto all = with_tensors([](const Tensor& x) { jvp(squares, x, x); });
  all.push_back([] { jvp(squares, Tensors{}, Tensors{}); });
  all.push_back([] { jvp([](const Tensors&) { return Tensors{}; }, Tensors{}, Tensors{}); });
  return all;
}

Calls second_products() {
  auto all = with_tensors([](const Tensor& x) { hvp(squares, x, x); });
  all.push_back([] { hvp([](const Tensors&) { return Tensors{}; }, Tensors{}, Tensors{}); });
  all.push_back([] { hvp(std::function<Tensor()>(), {}, {}); });
  all.push_back([] { hvp(std::function<Tensor()>([] { return Tensor(); }), {}, {}); });
  all.push_back([] { hvp(std::function<Tensor()>([] { return scalar(1); }), {Parameter()}, {}); });
  return all;
}

Calls all_gradients() {
  auto all = with_tensors([](const Tensor& x) { gradients(x, {x}); });
  const auto more = with_tensors([](const Tensor& x) {
    const Tensor w = ones({2}).with_grad();
    gradients(sum(w), {w}, {.seeds = {x}});
  });
  all.insert(all.end(), more.begin(), more.end());
  all.push_back([] { gradients(std::vector<Tensor>{}, {}); });
  all.push_back([] { gradients(sum(ones({2}).with_grad()), std::vector<Tensor>{}); });
  all.push_back([] { gradients(sum(ones({2}).with_grad()), std::vector<Parameter>{Parameter()}); });
  return all;
}

Calls own_gradients() {
  using Many = std::vector<Tensor>;
  return {[] { custom_gradient({}, nullptr, nullptr); },
          [] {
            custom_gradient(
                {}, [](const Many&) { return Tensor(); },
                [](const Tensor&, const Many&, const Tensor&) { return Many{}; });
          },
          [] {
            const Tensor x = ones({2}).with_grad();
            sum(custom_gradient(
                    {x}, [](const Many& in) { return in[0]; },
                    [](const Tensor&, const Many&, const Tensor&) {
                      return Many{Tensor(), Tensor()};
                    }))
                .backward();
          }};
}

Calls of_sequences() {
  using Many = std::vector<Tensor>;
  const auto loss = [](const Many& in) { return make_loss("own", in[0]); };
  auto all = with_tensors([loss](const Tensor& x) { per_sequence_gradients(loss, {x}, {}); });
  all.push_back([] { per_sequence_gradients(nullptr, {}, {}); });
  all.push_back([loss] { per_sequence_gradients(loss, {}, {}); });
  all.push_back([loss] { per_sequence_gradients(loss, {ones({2})}, {Parameter()}); });
  all.push_back([] { SequenceGradients().clipped_mean(1); });
  return all;
}

Calls other_parameters() {
  auto all = with_tensors([](const Tensor& x) {
    const Parameter w(ones({2}));
    const ParameterScope scope({w}, {x});
    w.tensor();
  });
  all.push_back([] { ParameterScope({}, {Tensor()}); });
  all.push_back([] { ParameterScope({Parameter()}, {Tensor()}); });
  return all;
}

}  // namespace in_rows_derivatives

std::vector<Row> derivative_rows() {
  using namespace in_rows_derivatives;
  return {
      {"gradients", all_gradients},
      {"vjp", products},
      {"jvp", forward_products},
      {"hvp", second_products},
      {"jacobian", [] { return with_tensors([](const Tensor& x) { jacobian(squares, x); }); }},
      {"hessian", [] { return with_tensors([](const Tensor& x) { hessian(squares, x); }); }},
      {"checkpoint", [] { return with_tensors([](const Tensor& x) { checkpoint(squares)(x); }); }},
      {"hook",
       [] {
         return with_tensors([](const Tensor& x) { hook(x, [](const Tensor& dy) { return dy; }); });
       }},
      {"straight_through", [] { return calls(straight_through); }},
      {"custom_gradient", own_gradients},
      {"per_sequence_gradients", of_sequences},
      {"a ParameterScope", other_parameters},
      {"trainable",
       [] {
         return Calls{[] { trainable({}); }, [] { trainable({Parameter()}); },
                      [] { trainable({Parameter(ones({2}))}); }};
       }},
      {"zeros_like", [] { return calls(zeros_like); }},
      {"ones_like", [] { return calls(ones_like); }},
  };
}

}  // namespace maskgrad::tests
