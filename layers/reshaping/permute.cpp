#include <maskgrad/layers/reshaping/permute.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Permute::Permute(PermuteOptions options) : info(kind, options.name), options_(std::move(options)) {
  const auto& dims = options_.dims;
  for (std::size_t i = 1; i <= dims.size(); ++i) {
    if (std::find(dims.begin(), dims.end(), static_cast<std::int64_t>(i)) != dims.end()) continue;
    fail<OptionError>(kind, "the option .dims is [{}]; expected each of 1 to {} once",
                      fmt::join(dims, ", "), dims.size());
  }
  for (auto dim : dims) order_.push_back(static_cast<int>(dim));
}

TimeContract Permute::time_now() const {
  return order_.empty() || order_[0] == 1 ? time
                                          : TimeContract::whole("it moves the axis of steps");
}

Tensor Permute::forward(const Tensor& x) const {
  check::layer_rank(x, static_cast<int>(order_.size()), "the batch and one for each of .dims");
  for (int i = 0; x.has_mask() && i < x.mask().rank(); ++i) {
    if (order_[static_cast<std::size_t>(i)] < x.mask().rank()) continue;
    const auto why = fmt::format("the order [{}] would bring features among the masked steps",
                                 fmt::join(options_.dims, ", "));
    detail::refuse_mask("a mask", why, contract.ways_out, {x});
  }
  return permute(x, order_);
}

}  // namespace maskgrad
