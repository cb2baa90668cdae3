#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/layers/time_steps.hpp>

namespace maskgrad::detail {

bool has_steps(const Tensor& y) {
  return y.has_mask() && y.mask().rank() == 2;
}

Steps steps_in(const Tensor& y, std::int64_t s) {
  const Tensor wide = cast(y.value(), DType::f64);
  const auto values = rows::of<double>(wide);
  const auto width = rows::inner(wide);
  std::int64_t first = 0, count = 1, of_row = width;
  if (has_steps(wide)) {
    first = wide.mask().impl().first[s];
    count = wide.mask().lengths()[static_cast<std::size_t>(s)];
  } else if (wide.has_mask()) {
    first = wide.mask().impl().row_of()[s];
    count = first < 0 ? 0 : 1;
  } else {
    first = s;
    of_row = width / std::max<std::int64_t>(1, wide.shape()[0]);
  }
  Steps steps;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto* at = values.data() + (first + i) * of_row;
    steps.emplace_back(at, at + of_row);
  }
  return steps;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double most = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double size = std::max({1.0, std::abs(a[i]), std::abs(b[i])});
    if (a[i] != b[i]) most = std::max(most, std::abs(a[i] - b[i]) / size);
  }
  return most;
}

DType computes_in(const TimeRunner& run, const Tensors& inputs) {
  for (const auto& of : {inputs, run.parameters}) {
    for (const auto& x : of) {
      if (is_real(x.dtype())) return x.dtype();
    }
  }
  return DType::f64;
}

namespace {

/// x with step t of its first sequence changed; ids are 1 and 2.
Tensor changed(const Tensor& x, std::int64_t t, double by) {
  const auto width = x.shape().count(2, x.rank());
  const auto change = [&](auto values) {
    for (std::int64_t i = t * width; i < (t + 1) * width; ++i) {
      auto& v = values[static_cast<std::size_t>(i)];
      if constexpr (std::is_same_v<decltype(values), std::vector<std::int64_t>>) {
        v = 3 - v;
      } else {
        v += by;
      }
    }
    return tensor(values, x.shape());
  };
  return x.dtype() == DType::i64 ? change(x.to_vector<std::int64_t>())
                                 : cast(change(cast(x, DType::f64).to_vector<double>()), x.dtype());
}

/// Steps [begin, end) of the first sequence, all steps of the others.
Tensors part(const Tensors& inputs, std::int64_t begin, std::int64_t end) {
  const auto batch = inputs[0].shape()[0], time = inputs[0].shape()[1];
  std::vector<bool> valid(static_cast<std::size_t>(batch * time), true);
  for (std::int64_t t = 0; t < time; ++t) {
    valid[static_cast<std::size_t>(t)] = t >= begin && t < end;
  }
  const Mask mask = Mask::keep(valid, {batch, time});
  Tensors all;
  for (const auto& x : inputs) all.push_back(x.with_mask(mask));
  return all;
}

/// Ids are 1 and 2: a step stays one, also where 0 is padding.
Tensor some_input(const Spec& spec, Seed seed) {
  const Tensor x = sample_input(spec, seed);
  return is_real(x.dtype()) ? cast(x, spec.dtype()) : clip(x, 1, 2);
}

}  // namespace

Tensors time_inputs(const std::vector<Spec>& specs) {
  if (specs.empty()) {
    fail<ShapeError>("check_time_laws", "no specifications; expected one for each input");
  }
  Tensors inputs;
  for (const auto& spec : specs) {
    if (spec.shape().rank() < 2) {
      fail<ShapeError>("check_time_laws", "an input {}; expected [batch, time, ...]", spec.shape());
    }
    Shape shape;
    for (int axis = 0; axis < spec.shape().rank(); ++axis) {
      const auto size = spec.shape()[axis];
      shape.push_back(size != any ? size : axis == 0 ? 3 : axis == 1 ? 12 : 3);
    }
    const bool wide = spec.dtype() == DType::f64;
    inputs.push_back(some_input(!is_real(spec.dtype()) ? Spec::ids(shape)
                                : wide                 ? Spec::f64(shape)
                                                       : Spec::f32(shape),
                                Seed{11 + inputs.size()}));
  }
  return inputs;
}

MeasuredTime measured_time(const TimeRunner& run, const TimeContract& declared,
                           const Tensors& inputs) {
  const Evaluate evaluate;
  const auto steps = inputs[0].shape()[1];
  const auto of = [&](const Tensors& xs) { return steps_in(run.whole(xs)[0], 0); };
  const DType dtype = computes_in(run, inputs);
  MeasuredTime seen{.steps = steps};
  const Steps whole = of(part(inputs, 0, steps));
  const auto own = [&](std::size_t k) { return static_cast<std::int64_t>(k) * declared.stride; };
  for (std::int64_t t = 0; t < steps; ++t) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      for (const double by : {7.0, -7.0, 0.3}) {
        Tensors other = inputs;
        other[i] = changed(inputs[i], t, by);
        const Steps y = of(part(other, 0, steps));
        if (y.size() != whole.size()) continue;  // a step came to be, or went
        for (std::size_t k = 0; k < std::min(y.size(), whole.size()); ++k) {
          if (y[k] == whole[k]) continue;
          seen.back = std::max(seen.back, own(k) - t);
          seen.ahead = std::max(seen.ahead, t - own(k));
        }
      }
    }
    const Steps begun = of(part(inputs, 0, t));
    for (std::size_t k = 0; k < whole.size() && own(k) < t; ++k) {
      if (k < begun.size() && near(begun[k], whole[k], dtype)) continue;
      seen.ahead_there = std::max(seen.ahead_there, t - own(k));
    }
    if (t % declared.stride != 0) continue;
    const Steps ended = of(part(inputs, t, steps));
    for (auto k = static_cast<std::size_t>(t / declared.stride); k < whole.size(); ++k) {
      const auto at = k - static_cast<std::size_t>(t / declared.stride);
      if (at < ended.size() && near(ended[at], whole[k], dtype)) continue;
      seen.back_there = std::max(seen.back_there, own(k) - t + 1);
    }
  }
  return seen;
}

}  // namespace maskgrad::detail
