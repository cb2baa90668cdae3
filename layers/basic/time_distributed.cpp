#include <maskgrad/layers/basic/time_distributed.hpp>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/ops/shape/steps.hpp>
#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/layer/so_far.hpp>

namespace maskgrad {
namespace {

/// The steps of `x`, by which the noise in the layer is drawn.
std::shared_ptr<const extend::NoiseSamples> noise_samples(const Tensor& x) {
  auto samples = std::make_shared<extend::NoiseSamples>();
  samples->time = x.shape()[1];
  samples->outer = extend::NoiseSamplesScope::current();
  if (training()) samples->before = detail::steps_before(x);
  const int mask_rank = rows::mask_rank(x);
  if (mask_rank < 2 || x.is_meta()) return samples;
  const unsigned behind = ((1u << mask_rank) - 1) & ~3u;  // the mask axes that are no steps
  samples->steps = behind ? masks::any_over(x.mask(), behind, false) : x.mask();
  return samples;
}

}  // namespace

TimeDistributed::TimeDistributed(AnyLayer layer, TimeDistributedOptions options)
    : info(kind, options.name), options_(std::move(options)), layer_(std::move(layer)) {}

MaskContract TimeDistributed::contract_now() const {
  const MaskContract inner = layer_.contract();
  return {.role = inner.under_sample(),
          .why = inner.why,
          .full_role = inner.under_full(),
          .ways_out = inner.ways_out};
}

Tensors TimeDistributed::forward(const Tensor& x) {
  if (x.rank() < 3) {
    fail<ShapeError>(kind,
                     "input is {}; expected [batch, time, ...] with what the layer takes behind "
                     "the steps",
                     x.describe());
  }
  const Tensor samples = steps_as_samples(x);
  const extend::NoiseSamplesScope scope(noise_samples(x));
  Tensors outputs = layer_.call({samples});
  for (auto& y : outputs) y = samples_as_steps(y, samples, x);
  return outputs;
}

TimeDistributed TimeDistributed::from_options(extend::OptionReader& reader) {
  extend::JsonPart layer;
  TimeDistributedOptions options;
  reader(extend::required("layer"), layer);
  reader("name", options.name);
  reader.finish();
  return TimeDistributed(detail::layer_from(kind, layer), options);
}

void TimeDistributed::write_options(extend::OptionWriter& writer) const {
  writer(extend::required("layer"), detail::part_of(layer_));
  writer("name", options_.name);
}

}  // namespace maskgrad
