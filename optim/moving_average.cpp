#include <maskgrad/optim/moving_average.hpp>

#include <algorithm>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/optim/each_value.hpp>

namespace maskgrad {

MovingAverage::MovingAverage(const std::vector<Parameter>& parameters, MovingAverageOptions options)
    : options_(options) {
  check::option("MovingAverage", "decay", options.decay, 0, 1);
  detail::FirstTime first;
  for (const auto& p : parameters) {
    if (p.is_state() || !first(p)) continue;
    parameters_.push_back(p);
    averages_.push_back(p.value());
  }
}

void MovingAverage::update() {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const double kept =
      options_.warm_up ? std::min(options_.decay, (1 + t) / (10 + t)) : options_.decay;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& p = parameters_[i];
    extend::dispatch_real("MovingAverage", p.dtype(), [&]<class T>() {
      const auto old = static_cast<T>(kept), fresh = static_cast<T>(1 - kept);
      each_value<T>(
          p, p.tensor(),
          [=](T&, T now, T& average) {
            // Where nothing is kept of one it is not read; an infinite weight stays.
            const T moved = old * average + fresh * now;
            average = old == 0 || now == average ? now : fresh == 0 ? average : moved;
          },
          averages_[i]);
    });
  }
}

void MovingAverage::swap() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& p = parameters_[i];
    extend::dispatch_real("MovingAverage", p.dtype(), [&]<class T>() {
      each_value<T>(
          p, p.tensor(), [](T& now, T, T& average) { std::swap(now, average); }, averages_[i]);
    });
    p.tensor().impl().storage.bump_version();
  }
}

detail::SavedValues MovingAverage::saved_values() {
  detail::SavedValues all;
  all.push_back({"steps", tensor({steps_}, {}),
                 [this](const Tensor& x) { steps_ = static_cast<std::int64_t>(x.item()); },
                 detail::is_count});
  const auto names = detail::distinct_names(parameters_, {"steps"});
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    all.push_back(detail::saved_in_place(names[i], averages_[i]));
  }
  return all;
}

}  // namespace maskgrad
