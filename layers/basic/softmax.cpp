#include <maskgrad/layers/basic/softmax.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Softmax::Softmax(SoftmaxOptions options) : info(kind, options.name), options_(std::move(options)) {
  for (auto axis : options_.axis.values) {
    check::axis(kind, "axis", axis);
    axes_.push_back(static_cast<int>(axis));
  }
  if (axes_.empty()) fail<OptionError>(kind, "the option .axis has no axes; expected one or more");
}

TimeContract Softmax::time_now() const {
  const auto inside = [this](int axis) { return (axis < 0 ? axis + rank_ : axis) > 1; };
  if (std::all_of(axes_.begin(), axes_.end(), inside)) return time;
  return TimeContract::whole("it may run over the steps", ".axis = -1");
}

Tensor Softmax::forward(const Tensor& x) {
  rank_ = x.rank();
  const int last = x.has_mask() ? x.mask().rank() - 1 : 0;
  if (axes_.size() == 1 && extend::normal_axis(kind, axes_[0], x.shape()) >= last) {
    return softmax(x, axes_[0]);
  }
  return exp(x - logsumexp(x, axes_, true));
}

}  // namespace maskgrad
