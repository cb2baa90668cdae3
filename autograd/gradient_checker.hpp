#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/gradcheck.hpp>

namespace maskgrad::checking {

using Results = std::vector<Tensor>;

class GradientChecker {
 public:
  /// `second`: f gives gradients itself, so that all its variables are always on the tape.
  GradientChecker(const Callable& f, const std::vector<Tensor>& inputs,
                  const GradcheckOptions& options, bool second = false)
      : f_(f), options_(options), inputs_(inputs), second_(second) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (is_real(inputs[i].dtype())) add_input(i);
    }
  }
  // Variables point into this object.
  GradientChecker(const GradientChecker&) = delete;
  GradientChecker& operator=(const GradientChecker&) = delete;

  void add(const Variable& v) {
    if (v.value.dtype() != DType::f64) {
      fail<TypeError>("gradcheck", "{} is {}; differences need f64. Use cast(x, DType::f64)",
                      v.name, v.value.describe());
    }
    variables_.push_back(v);
  }

  GradcheckReport run() {
    const Results y = forward(variables_.size());
    results_ = y;
    for (auto& result : results_) result = result.value();
    make_weights();
    checking::pull(y, weights_);
    std::vector<Tensor> gradients;
    for (const auto& v : variables_) gradients.push_back(checked_gradient(v));
    repeat();
    for (std::size_t j = 0; j < variables_.size() && !second_; ++j) one_alone(j, gradients[j]);
    compare(gradients);
    for (const auto& v : variables_) v.set(v.value, true);
    return report_;
  }

 private:
  void add_input(std::size_t i) {
    add({.name = fmt::format("input {}", i),
         .value = inputs_[i].value(),
         .set = [this, i](const Tensor& value,
                          bool wanted) { inputs_[i] = wanted ? value.with_grad() : value.value(); },
         .grad = [this, i] { return inputs_[i].grad(); }});
  }

  /// f at the variables' values; `wanted`: which of them is on the tape, past the end for all.
  Results forward(std::size_t wanted) {
    for (std::size_t j = 0; j < variables_.size(); ++j) {
      variables_[j].set(variables_[j].value, second_ || wanted == variables_.size() || wanted == j);
    }
    return f_(inputs_);
  }

  void make_weights() {
    for (std::size_t k = 0; k < results_.size(); ++k) {
      Tensor c;
      if (is_real(results_[k].dtype())) {
        const Seed seed = options_.seed.of(k);
        c = checking::like(results_[k], [&](std::int64_t i) {
          return 2 * random::unit_at(seed, static_cast<std::uint64_t>(i)) - 1;
        });
      }
      weights_.push_back(c);
    }
    if (std::none_of(weights_.begin(), weights_.end(), [](auto& c) { return c.defined(); })) {
      fail<GradError>("gradcheck", "none of the {} results of f is real; there is no gradient",
                      results_.size());
    }
  }

  /// The gradient that backward left, zeros where there was none.
  Tensor checked_gradient(const Variable& v) {
    const Tensor g = v.grad();
    if (g.defined() && checking::same_layout(g, v.value)) return g;
    if (g.defined()) {
      report_.problems.push_back(fmt::format("the gradient of {} is {}; expected {}", v.name,
                                             g.describe(), v.value.describe()));
    }
    return rows::make_zeros(v.value.shape(), v.value.dtype(), v.value.mask());
  }

  void repeat() {
    const NoGrad no_grad;
    const Results again = forward(variables_.size());
    for (std::size_t k = 0; k < results_.size(); ++k) {
      if (checking::identical(results_[k], again.at(k))) continue;
      report_.problems.push_back(fmt::format(
          "result {} changes from call to call; give f a fixed seed, or none of its state", k));
    }
  }

  /// A backward that wants one gradient alone must give the same.
  void one_alone(std::size_t j, const Tensor& expected) {
    checking::pull(forward(j), weights_);
    const Tensor g = checked_gradient(variables_[j]);
    for (std::int64_t i = 0; i < rows::total(g); ++i) {
      const double a = checking::value_at(expected, i), b = checking::value_at(g, i);
      if (std::abs(a - b) <= 1e-10 * std::max({1.0, std::abs(a), std::abs(b)})) continue;
      report_.problems.push_back(fmt::format(
          "the gradient of {} is {:.10g} where only it is wanted, {:.10g} with the others",
          checking::place(variables_[j].name, checking::padded_index(g, i)), b, a));
      return;
    }
  }

  /// How far value `i` of variable `j` moves in direction `d`.
  double share(std::size_t j, std::int64_t d, std::int64_t i) const {
    const Seed seed = options_.seed.of("direction").of(static_cast<std::uint64_t>(d)).of(j);
    return 2 * random::unit_at(seed, static_cast<std::uint64_t>(i)) - 1;
  }

  /// f where value `at` of variable `j` has moved; below 0: all values of all along direction -at.
  Results moved(std::size_t j, std::int64_t at, double by) {
    for (std::size_t k = 0; k < variables_.size(); ++k) {
      if (at >= 0 && k != j) continue;
      const auto& v = variables_[k];
      const auto value = [&](std::int64_t i) {
        const double share_of = at < 0 ? share(k, -at, i) : i == at ? 1 : 0;
        return checking::value_at(v.value, i) + by * share_of;
      };
      v.set(checking::like(v.value, value), second_);
    }
    return f_(inputs_);
  }

  std::string place_of(std::size_t j, std::int64_t at) const {
    if (at < 0) return fmt::format("all along direction {}", -at);
    const auto& v = variables_[j];
    return checking::place(v.name, checking::padded_index(v.value, at));
  }

  /// (phi(x + h) - phi(x - h)) / 2h, the difference taken result by result so that less is lost.
  double slope(std::size_t j, std::int64_t at, double h) {
    const Results up = moved(j, at, h), down = moved(j, at, -h);
    double sum = 0;
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      if (!weights_[k].defined()) continue;
      if (!checking::same_layout(up.at(k), weights_[k]) ||
          !checking::same_layout(down.at(k), weights_[k])) {
        fail<GradError>("gradcheck", "result {} is {}, and {} when {} moves by {}", k,
                        weights_[k].describe(), up.at(k).describe(), place_of(j, at), h);
      }
      const auto a = rows::of<double>(up[k]), b = rows::of<double>(down[k]);
      const auto c = rows::of<double>(weights_[k]);
      for (std::size_t i = 0; i < c.size(); ++i) sum += c[i] * (a[i] - b[i]);
    }
    return sum / (2 * h);
  }

  /// Romberg's extrapolation over three steps: the error is of order h^6.
  double numeric(std::size_t j, std::int64_t at) {
    const double x = at < 0 ? 1 : checking::value_at(variables_[j].value, at);
    const double h = options_.step * std::max(1.0, std::abs(x));
    const double d1 = slope(j, at, h), d2 = slope(j, at, h / 2), d4 = slope(j, at, h / 4);
    const double r1 = d2 + (d2 - d1) / 3, r2 = d4 + (d4 - d2) / 3;
    return r2 + (r2 - r1) / 15;
  }

  void compare(const std::vector<Tensor>& gradients) {
    const NoGrad no_grad;
    for (std::size_t j = 0; j < variables_.size() && options_.directions == 0; ++j) {
      forward(variables_.size());
      for (std::int64_t i = 0; i < rows::total(variables_[j].value); ++i) {
        compare_one(j, i, checking::value_at(gradients[j], i));
      }
    }
    for (std::int64_t d = 1; d <= options_.directions; ++d) {
      double along = 0;
      for (std::size_t j = 0; j < variables_.size(); ++j) {
        for (std::int64_t i = 0; i < rows::total(gradients[j]); ++i) {
          along += checking::value_at(gradients[j], i) * share(j, d, i);
        }
      }
      compare_one(0, -d, along);
    }
  }

  void compare_one(std::size_t j, std::int64_t at, double analytic) {
    const double n = numeric(j, at);
    const double allowed =
        options_.relative * std::max(std::abs(analytic), std::abs(n)) + options_.absolute;
    const double difference = std::abs(analytic - n), excess = difference / allowed;
    ++report_.checked;
    const bool wrong = !(excess <= 1);  // also for NaN
    report_.wrong += wrong;
    if (report_.checked > 1 && !(excess > report_.excess || std::isnan(excess))) return;
    report_.variable = at < 0 ? place_of(j, at) : variables_[j].name;
    report_.position =
        at < 0 ? std::vector<std::int64_t>{} : checking::padded_index(variables_[j].value, at);
    report_.analytic = analytic;
    report_.numeric = n;
    report_.difference = difference;
    report_.excess = excess;
  }

  const Callable& f_;
  const GradcheckOptions& options_;
  std::vector<Tensor> inputs_;
  bool second_;
  std::vector<Variable> variables_;
  Results results_, weights_;
  GradcheckReport report_;
};

}  // namespace maskgrad::checking
