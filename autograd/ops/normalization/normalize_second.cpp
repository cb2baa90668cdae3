#include <maskgrad/autograd/ops/normalization/normalize_second.hpp>

#include <maskgrad/core/kernels/selected.hpp>

// With normal = (x - mean) scale and d = dy gamma backward gives
//   dx = scale (d - mean(d) - normal mean(d normal)), dgamma the sum of dy normal, dbeta of dy.
// Along a direction x', gamma', beta' they change, with a dash, by
//   normal' = scale (x' - mean(x') - normal mean(x' normal)), scale' = -scale^2 mean(x' normal)
//   y' = normal' gamma + normal gamma' + beta',  d' = dy gamma'
//   dx' = scale' / scale dx + scale (d' - mean(d') - normal' mean(d normal)
//                                    - normal mean(d' normal + d normal'))
// Without a mean that is taken off those of x', d and d' are 0.

namespace maskgrad::normalization {
namespace {

template <class T>
struct Values {
  const T *mean, *scale, *x, *gamma;  // null: none
  const T *dy, *ux, *ugamma, *ubeta;  // the direction is `u`
  T *of_dy, *of_x;                    // null: not wanted
};

template <class T>
class Cell {
 public:
  Cell(const Normalized& call, const Values<T>& v, std::int64_t s, std::int64_t g)
      : c_(call.cells),
        v_(v),
        s_(s),
        g_(g),
        first_(g * c_.width()),
        count_(static_cast<double>(c_.length(s) * c_.width())),
        centered_(call.by == By::variance),
        mean_(v.mean[s * c_.groups + g]),
        scale_(v.scale[s * c_.groups + g]) {}

  void run(double* of_gamma) {
    sums();
    each_line(c_, s_, g_, [&](std::int64_t at) {
      for (std::int64_t i = 0; i < c_.width(); ++i) put(at + i, first_ + i, of_gamma);
    });
  }

 private:
  /// One value of the direction or of gamma.
  static T of(const T* all, std::int64_t i, T none = 0) { return all ? all[i] : none; }

  void sums() {
    double u = 0, un = 0, ud = 0, d = 0, dn = 0, m = 0, mn = 0;
    each_line(c_, s_, g_, [&](std::int64_t at) {
      for (std::int64_t i = 0; i < c_.width(); ++i) {
        const double dy = v_.dy[at + i], moving = of(v_.ux, at + i);
        const double normal = (v_.x[at + i] - mean_) * scale_;
        const double down = dy * of(v_.gamma, first_ + i, 1);
        const double down_moved = dy * of(v_.ugamma, first_ + i);
        u += moving;
        un += moving * normal;
        ud += moving * down;
        d += down;
        dn += down * normal;
        m += down_moved;
        mn += down_moved * normal;
      }
    });
    const double by = 1 / count_, center = centered_ ? by : 0;
    u_ = static_cast<T>(u * center);
    u_normal_ = static_cast<T>(un * by);
    d_ = static_cast<T>(d * center);
    d_normal_ = static_cast<T>(dn * by);
    moved_ = static_cast<T>(m * center);
    moved_normal_ = static_cast<T>((mn + scale_ * (ud - u * center * d - un * by * dn)) * by);
  }

  void put(std::int64_t at, std::int64_t feature, double* of_gamma) const {
    const T normal = (v_.x[at] - mean_) * scale_, dy = v_.dy[at];
    const T gamma = of(v_.gamma, feature, 1), ugamma = of(v_.ugamma, feature);
    const T normal_moved = scale_ * (of(v_.ux, at) - u_ - normal * u_normal_);
    of_gamma[feature] += dy * normal_moved;
    if (v_.of_dy) v_.of_dy[at] = normal_moved * gamma + normal * ugamma + of(v_.ubeta, feature);
    if (!v_.of_x) return;
    const T dx = scale_ * (dy * gamma - d_ - normal * d_normal_);
    v_.of_x[at] = scale_ * (dy * ugamma - moved_ - normal_moved * d_normal_ -
                            normal * moved_normal_ - u_normal_ * dx);
  }

  const Cells& c_;
  const Values<T>& v_;
  std::int64_t s_, g_, first_;
  double count_;
  bool centered_;
  T mean_, scale_;
  T u_ = 0, u_normal_ = 0, d_ = 0, d_normal_ = 0, moved_ = 0, moved_normal_ = 0;  // means
};

template <class T>
bool finite(const Tensor& x) {
  return !x.defined() || kernels::all_finite_of(rows::of<T>(x).data(), rows::total(x));
}

template <class T>
void run(const Normalized& call, Second& second) {
  const auto& c = call.cells;
  const auto like = [](bool wanted, const Tensor& x) {
    return wanted ? rows::make(x.shape(), x.dtype(), x.mask()) : Tensor();
  };
  const auto to = [](const Tensor& x) {
    return x.defined() ? rows::of_mutable<T>(x).data() : nullptr;
  };
  const Tensor of_dy = like(second.wants_output(0), call.x);
  const Tensor of_x = like(second.wants_input(0), call.x);
  const auto from = [](const Tensor& x) { return rows::data_or_null<T>(x); };
  const Values<T> values{from(call.mean),
                         from(call.scale),
                         from(call.x),
                         from(call.gamma),
                         from(second.output(0)),
                         from(second.up(0)),
                         from(second.up(1)),
                         from(second.up(2)),
                         to(of_dy),
                         to(of_x)};
  const auto shards = c.shards();
  Pooled<double> of_gamma(shards * c.features);
  std::fill(of_gamma.begin(), of_gamma.end(), 0.0);
  each_cell(c, [&](std::int64_t s, std::int64_t g, std::int64_t shard) {
    Cell<T>(call, values, s, g).run(&of_gamma[shard * c.features]);
  });
  second.add_output(0, of_dy);
  second.add_input(0, of_x);
  if (second.wants_input(1)) second.add_input(1, joined<T>(of_gamma, shards, c.features));
}

}  // namespace

bool second(const Normalized& call, Second& second) {
  if (call.by == By::length) return false;
  return dispatch_real("backward", call.x.dtype(), [&]<class T>() {
    for (const Tensor* x : {&call.x, &call.gamma, &call.mean, &call.scale, &second.output(0),
                            &second.up(0), &second.up(1), &second.up(2)}) {
      if (!finite<T>(*x)) return false;
    }
    run<T>(call, second);
    return true;
  });
}

}  // namespace maskgrad::normalization
