#include <maskgrad/optim/data/standardizer.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/core/io/safetensors.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/data/batches.hpp>

namespace maskgrad {
namespace {

/// What the standardizer is for, in a batch.
Tensor& part_of(Batch& batch, const StandardizerOptions& options) {
  const auto inputs = static_cast<std::int64_t>(batch.inputs.size());
  if (options.target ? batch.target.defined() : options.input >= 0 && options.input < inputs) {
    return options.target ? batch.target : batch.inputs[static_cast<std::size_t>(options.input)];
  }
  if (options.target) {
    fail<OptionError>("Standardizer", "the data have no target; expected one, as .target asks for");
  }
  fail<OptionError>("Standardizer", "input {} of {}; expected one that is there", options.input,
                    inputs);
}

/// The axes of one step, or of one sequence.
Shape features_of(const Tensor& x) {
  return x.has_mask() ? rows::inner_shape(x) : x.shape().sub(1, x.rank());
}

/// Count, mean, squared deviations and range of each feature, part by part.
/// Source: Chan, Golub and LeVeque 1979, Updating formulae for computing sample variances.
class Moments {
 public:
  void add(const Batch& batch, const Tensor& x) {
    if (mean_.empty()) begin(features_of(x));
    extend::dispatch_real("Standardizer::fit", x.dtype(),
                          [&]<class T>() { add_rows<T>(batch, x); });
  }

  Standardizer standardizer(StandardizerOptions options) const {
    std::vector<double> scale(mean_.size(), 1);
    for (std::size_t f = 0; f < scale.size(); ++f) {
      // A constant has a variance of rounding errors: its range says better what it is.
      if (least_[f] < most_[f]) scale[f] = std::sqrt(square_[f] / count_);
    }
    return {tensor(mean_, features_), tensor(scale, features_), options};
  }

 private:
  void begin(const Shape& features) {
    features_ = features;
    const auto width = static_cast<std::size_t>(features.count());
    mean_.assign(width, 0);
    square_.assign(width, 0);
    least_.assign(width, INFINITY);
    most_.assign(width, -INFINITY);
  }

  template <extend::Real T>
  void add_rows(const Batch& batch, const Tensor& x) {
    const auto values = rows::of<T>(x);
    const auto width = mean_.size();
    if (values.empty()) return;
    const auto count = static_cast<double>(values.size() / width);
    std::vector<double> mean(width), square(width);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) refuse(batch, x, i, values[i]);
      const auto f = i % width;
      mean[f] += static_cast<double>(values[i]);
      least_[f] = std::min(least_[f], static_cast<double>(values[i]));
      most_[f] = std::max(most_[f], static_cast<double>(values[i]));
    }
    for (auto& m : mean) m /= count;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double away = static_cast<double>(values[i]) - mean[i % width];
      square[i % width] += away * away;
    }
    for (std::size_t f = 0; f < width; ++f) {
      const double away = mean[f] - mean_[f];
      mean_[f] += away * count / (count_ + count);
      square_[f] += square[f] + away * away * count_ * count / (count_ + count);
    }
    count_ += count;
  }

  [[noreturn]] void refuse(const Batch& batch, const Tensor& x, std::size_t i, double value) const {
    auto row = static_cast<std::int64_t>(i / mean_.size());
    std::size_t sequence = 0;
    if (x.has_mask()) {
      const auto& length = x.mask().impl().length;
      for (; row >= length[static_cast<std::int64_t>(sequence)]; ++sequence) {
        row -= length[static_cast<std::int64_t>(sequence)];
      }
    } else {
      sequence = static_cast<std::size_t>(std::exchange(row, 0));
    }
    fail<ShapeError>("Standardizer::fit",
                     "sequence {}, step {}, feature {} is {}; expected finite numbers; leave such "
                     "sequences out by subset(), or put a number there in map()",
                     batch.samples[sequence], row, i % mean_.size(), value);
  }

  Shape features_;
  double count_ = 0;
  std::vector<double> mean_, square_, least_, most_;
};

}  // namespace

Standardizer Standardizer::fit(const Dataset& training, StandardizerOptions options) {
  Moments moments;
  const Batches batches{training, {.max_rows = 65536, .shuffle = false}};
  bool any_batch = false;
  for (Batch batch : batches.epoch(0)) {
    const Tensor& x = part_of(batch, options);
    if (!is_real(x.dtype())) {
      fail<TypeError>("Standardizer::fit", "it is for {}; expected f32 or f64, ids have no mean",
                      x.describe());
    }
    moments.add(batch, x);
    any_batch = true;
  }
  if (!any_batch) return {zeros({}, DType::f64), ones({}, DType::f64), options};
  return moments.standardizer(options);
}

Standardizer::Standardizer(Tensor mean, Tensor scale, StandardizerOptions options)
    : mean_(cast(mean, DType::f64)), scale_(cast(scale, DType::f64)), options_(options) {
  if (mean_.shape() != scale_.shape() || mean_.has_mask() || scale_.has_mask()) {
    fail<ShapeError>("Standardizer",
                     "the mean is {}, the scale {}; expected the same shape, no mask",
                     mean_.describe(), scale_.describe());
  }
  check_numbers(DType::f64);
}

/// Refuses, for data of this type, numbers by which everything would become NaN or infinite.
void Standardizer::check_numbers(DType dtype) const {
  const auto means = rows::of<double>(mean_), scales = rows::of<double>(scale_);
  const auto in_type = [&](double x) { return dtype == DType::f32 ? static_cast<float>(x) : x; };
  for (std::size_t f = 0; f < means.size(); ++f) {
    const double mean = in_type(means[f]), scale = in_type(scales[f]);
    if (std::isfinite(mean) && std::isfinite(scale) && scale > 0) continue;
    fail<OptionError>("Standardizer",
                      "feature {} has the mean {} and the scale {}, in {} {} and {}; expected "
                      "finite numbers and a scale above 0; a feature that never changes has the "
                      "scale 1",
                      f, means[f], scales[f], name(dtype), mean, scale);
  }
}

Tensor Standardizer::apply(const Tensor& x) const {
  check_numbers(x.dtype());
  return (x - cast(mean_, x.dtype())) / cast(scale_, x.dtype());
}

Tensor Standardizer::undo(const Tensor& y) const {
  check_numbers(y.dtype());
  return y * cast(scale_, y.dtype()) + cast(mean_, y.dtype());
}

Batch Standardizer::apply(Batch batch) const {
  Tensor& x = part_of(batch, options_);
  const Shape features = features_of(x);
  if (mean_.rank() > 0 && features != mean_.shape()) {
    fail<ShapeError>("Standardizer", "got {}; expected steps of {}, as it was fitted on",
                     x.describe(), mean_.shape());
  }
  x = apply(x);
  return batch;
}

void Standardizer::save(const std::filesystem::path& path) const {
  const auto array = [](const Tensor& x) {
    return Array::of<double>({x.shape().begin(), x.shape().end()}, rows::of<double>(x));
  };
  write_safetensors(path, {{"mean", array(mean_)}, {"scale", array(scale_)}},
                    {{"maskgrad", "standardizer"},
                     {"input", options_.target ? "target" : std::to_string(options_.input)}},
                    Checksum::crc32);
}

Standardizer Standardizer::load(const std::filesystem::path& path) {
  const detail::SafetensorsReader reader(path);
  reader.verify();
  const auto& facts = reader.metadata();
  const auto kind = facts.find("maskgrad"), input = facts.find("input");
  if (kind == facts.end() || kind->second != "standardizer" || input == facts.end()) {
    fail<FileError>("Standardizer::load", "{} is no standardizer; give a file that save() wrote",
                    path.string());
  }
  const auto read = [&](const char* name) {
    const Array array = reader.read(name);
    return tensor(array.values<double>(), Shape(array.shape));
  };
  StandardizerOptions options{.target = input->second == "target"};
  if (!options.target) options.input = std::atoll(input->second.c_str());
  return {read("mean"), read("scale"), options};
}

}  // namespace maskgrad
