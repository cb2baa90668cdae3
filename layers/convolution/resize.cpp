#include <maskgrad/layers/convolution/resize.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

void detail::read_option(extend::OptionReader& reader, extend::OptionName name,
                         detail::BothEnds& value) {
  if (!reader.has(name)) return;
  extend::JsonText json;
  reader(name, json);
  if (!json.text.starts_with('[')) {
    std::int64_t each = 0;
    reader(name, each);
    value = each;
    return;
  }
  std::vector<std::int64_t> ends;
  reader(name, ends);
  if (ends.size() != 2) reader.refuse(name, "an integer, or an array of two");
  value = {ends[0], ends[1]};
}

void detail::write_option(extend::OptionWriter& writer, extend::OptionName name,
                          const detail::BothEnds& value) {
  writer(name, std::vector<std::int64_t>{value.start, value.end});
}

UpSampling1D::UpSampling1D(UpSampling1DOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::at_least(kind, "size", options_.size, 1);
}

Tensor UpSampling1D::forward(const Tensor& x) const {
  check::layer_rank(x, 3, "[batch, time, features]");
  return repeat(x, options_.size, 1);
}

ZeroPadding1D::ZeroPadding1D(ZeroPadding1DOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::at_least(kind, "padding", std::min(options_.padding.start, options_.padding.end), 0);
}

Tensor ZeroPadding1D::forward(const Tensor& x) const {
  check::layer_rank(x, 3, "[batch, time, features]");
  return pad(x, 1, options_.padding.start, options_.padding.end);
}

Cropping1D::Cropping1D(Cropping1DOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::at_least(kind, "cropping", std::min(options_.cropping.start, options_.cropping.end), 0);
}

Tensor Cropping1D::forward(const Tensor& x) const {
  check::layer_rank(x, 3, "[batch, time, features]");
  const auto time = x.shape()[1];
  const auto [start, end] = options_.cropping;
  if (time != any && (start > time || end > time - start)) {
    fail<ShapeError>(kind,
                     "input is {}, of which {} steps before and {} after are to be cut; expected "
                     "as many steps or more. Use a smaller .cropping",
                     x.describe(), start, end);
  }
  return slice(x, 1, start, end == 0 ? to_end : -end);
}

}  // namespace maskgrad
