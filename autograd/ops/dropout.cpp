#include <maskgrad/autograd/ops/dropout.hpp>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/add_to.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view op = "dropout";

thread_local NoisePosition position_now;

/// The sequence and the step of each run of feature values; features lie behind axis 1.
struct Places {
  Index sequence, step;
  std::int64_t features = 1;
};

Places places_of(const Tensor& x) {
  const Shape lead = x.shape().sub(0, std::min(2, x.rank()));
  const auto steps = lead.rank() == 2 ? lead[1] : 1;
  Places p;
  const int mask_rank = rows::mask_rank(x);
  p.features = x.shape().count(std::max(lead.rank(), mask_rank), x.rank());
  const auto runs = p.features == 0 ? 0 : rows::total(x) / p.features;
  p.sequence = Index(runs);
  p.step = Index(runs);
  std::int64_t last_sequence = -1, rank = 0;
  for (std::int64_t r = 0; r < runs; ++r) {
    auto at = r;
    if (x.has_mask() && mask_rank > 0) {
      const auto behind = lead.count(std::min(mask_rank, lead.rank()), lead.rank());
      at = x.mask().impl().positions[r / behind] * behind + r % behind;
      if (mask_rank > 2) at /= x.mask().shape().count(2, mask_rank);
    }
    p.sequence[r] = at / steps;
    rank = p.sequence[r] == last_sequence ? rank + 1 : 0;
    last_sequence = p.sequence[r];
    p.step[r] = rank;
  }
  return p;
}

/// Multiplies by 1 / (1 - rate) or sets 0, the same at each call with the same arguments.
template <Real T>
void drop(const T* x, const Places& p, double rate, Seed seed, NoisePosition at, bool whole_steps,
          T* y) {
  const auto keep = static_cast<T>(1 / (1 - rate));
  const auto limit = static_cast<std::uint32_t>(rate * 0x1p32);
  const Seed key = seed.of(at.step);
  kernels::over_parts(p.sequence.size(), [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t r = from; r < to; ++r) {
      const auto sequence = static_cast<std::uint64_t>(p.sequence[r] + at.sequence);
      const auto step = whole_steps ? 0 : static_cast<std::uint32_t>(p.step[r]);
      for (std::int64_t f = 0; f < p.features; f += 4) {
        const auto words = random::philox(
            {static_cast<std::uint32_t>(f / 4), step, static_cast<std::uint32_t>(sequence),
             static_cast<std::uint32_t>(sequence >> 32)},
            key);
        const auto count = std::min<std::int64_t>(4, p.features - f);
        for (std::int64_t i = 0; i < count; ++i) {
          const auto place = r * p.features + f + i;
          y[place] = words[static_cast<std::size_t>(i)] < limit ? T(0) : x[place] * keep;
        }
      }
    }
  });
}

}  // namespace

NoisePosition noise_position() {
  return position_now;
}
void set_noise_position(NoisePosition position) {
  position_now = position;
}

Tensor dropout(const Tensor& x, double rate, Seed seed, bool whole_steps) {
  check::real(op, x);
  if (!(rate >= 0 && rate < 1)) {
    fail<OptionError>(op, "the rate is {}; expected a probability from 0 up to but not 1", rate);
  }
  if (!training() || rate == 0 || x.is_meta()) return x;
  const Places places = places_of(x);
  const auto at = position_now;
  auto apply = [places, rate, seed, at, whole_steps](const Tensor& from) {
    Tensor to = rows::make(from.shape(), from.dtype(), from.mask());
    dispatch_real(op, from.dtype(), [&]<class T>() {
      drop<T>(rows::of<T>(from).data(), places, rate, seed, at, whole_steps,
              rows::of_mutable<T>(to).data());
    });
    return to;
  };
  return record(op, apply(x), {x},
                [apply](const Tensor& dy, Grads& grads) { grads.add(0, apply(dy)); });
}

}  // namespace maskgrad
