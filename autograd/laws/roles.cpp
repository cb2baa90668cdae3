#include <maskgrad/autograd/laws/checker.hpp>

namespace maskgrad::laws {

void Checker::role_with_mask(const Pattern& p, const Outcome& out) {
  std::size_t first = 0;
  while (subject_.inputs()[first].kind != InputKind::sequences) ++first;
  const Mask in = subject_.mask(p, p.batch, first);
  for (std::size_t k = 0; k < out.results.size(); ++k) {
    const Tensor& y = out.results[k];
    ++report_.checks;
    if (role_ == MaskRole::consumes) {
      // Masks of no position are all alike.
      if (y.has_mask() && y.mask() == in && in.shape().count() > 0) {
        put(3, "declared consumes, but result {} is {}: the mask goes on as it came", k,
            y.describe());
      }
    } else if (over_ == MaskOver::steps && k >= options_.carriers) {
      if (y.has_mask()) put(3, "result {} is {}; it was said to carry no mask", k, y.describe());
    } else if (!y.has_mask()) {
      put(role_ == MaskRole::produces ? 3 : 4, "declared {}, but result {} is {}, without a mask",
          maskgrad::name(role_), k, y.describe());
    } else if (role_ == MaskRole::propagates && y.mask().shape() == in.shape() &&
               !(y.mask() == in)) {
      put(3, "declared propagates, but the mask of result {} is not the input's", k);
    }
  }
}

void Checker::role_without_mask(const Outcome& out) {
  for (std::size_t k = 0; k < out.results.size(); ++k) {
    ++report_.checks;
    if (out.results[k].has_mask() == (role_ == MaskRole::produces)) continue;
    put(3, "declared {}, but result {} is {} for inputs without a mask", maskgrad::name(role_), k,
        out.results[k].describe());
  }
}

void Checker::same_without_data() {
  const auto meta = subject_.run_without_data(over_);
  for (const auto& p : subject_.patterns(over_)) {
    pattern_ = &p;
    const Outcome out = subject_.run(p, p.batch, true);
    for (std::size_t k = 0; k < out.results.size(); ++k) {
      ++report_.checks;
      const Tensor &y = out.results[k], &m = meta.at(k);
      const bool masks_fit = y.has_mask() ? m.has_mask() && fits(m.mask().shape(), y.mask().shape())
                                          : !m.has_mask() || masks::is_possible(m.mask());
      if (masks_fit && m.dtype() == y.dtype() && fits(m.shape(), y.shape())) continue;
      put(3, "result {} is {}; built without data it is {}", k, y.describe(), m.describe());
    }
  }
}

void Checker::refuses(bool with_data) {
  ++report_.checks;
  try {
    if (with_data) {
      subject_.run(*pattern_, pattern_->batch, true);
    } else {
      subject_.run_without_data(over_);
    }
    put(3, "declared unsupported, but it accepts the mask");
  } catch (const MaskError&) {
  } catch (const std::exception& e) {
    put(3, "declared unsupported, but what it throws is no MaskError: {}", e.what());
  }
}

}  // namespace maskgrad::laws
