#include <maskgrad/optim/distributed/sharded_step.hpp>

#include <cstring>
#include <optional>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/layers/normalization/batch_statistics.hpp>
#include <maskgrad/optim/distributed/gradient_tree.hpp>
#include <maskgrad/optim/distributed/shards.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view in_sharded_step = "ShardedStep";

/// Numbers of a message, one after the other.
class Numbers {
 public:
  explicit Numbers(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.size() < sizeof(double); }
  double next() {
    double value = 0;
    if (at_end()) fail<GradError>(in_sharded_step, "a rank sent less than it said it would");
    std::memcpy(&value, text_.data(), sizeof value);
    text_.remove_prefix(sizeof value);
    return value;
  }
  std::size_t next_size() { return static_cast<std::size_t>(next()); }

 private:
  std::string_view text_;
};

}  // namespace

/// What the step draws, and where its parts stand.
struct ShardedStep::Noise {
  explicit Noise(const std::vector<Parameter>& parameters)
      : begin(detail::noise_position_of(parameters)), parts(parameters) {}
  NoisePosition begin;
  detail::NoiseParts parts;
  std::optional<NoiseStep> step;
  std::optional<extend::NoiseSamplesScope> samples;
};

/// Statistics of each shard's batch: of all shards together they move the moving ones, once.
class ShardedStep::Statistics {
 public:
  explicit Statistics(const std::vector<Parameter>& parameters)
      : parameters_(detail::distinct(parameters)) {}

  void begin_part() { part_.emplace(); }
  void end_shard() { part_.reset(); }
  /// What the part has measured, call by call.
  void write(std::vector<double>& numbers) {
    numbers.push_back(static_cast<double>(part_->measured.size()));
    for (const auto& m : part_->measured) {
      numbers.insert(numbers.end(), {place_of(m.moving_mean), place_of(m.moving_variance),
                                     m.momentum, m.count, static_cast<double>(m.mean.size())});
      numbers.insert(numbers.end(), m.mean.begin(), m.mean.end());
      numbers.insert(numbers.end(), m.variance.begin(), m.variance.end());
    }
    part_.emplace();
  }
  void read(Numbers& all) {
    const auto calls = all.next_size();
    calls_.resize(std::max(calls_.size(), calls));
    for (std::size_t i = 0; i < calls; ++i) {
      auto& m = calls_[i].emplace_back();
      m.moving_mean = parameters_.at(all.next_size());
      m.moving_variance = parameters_.at(all.next_size());
      m.momentum = all.next();
      m.count = all.next();
      const auto features = all.next_size();
      for (auto* values : {&m.mean, &m.variance}) {
        values->resize(features);
        for (double& each : *values) each = all.next();
      }
    }
  }
  void move() {
    for (const auto& parts : calls_) detail::move_statistics(parts);
    calls_.clear();
  }

 private:
  double place_of(const Parameter& p) const {
    const auto same = [&p](const Parameter& other) { return other.same(p); };
    const auto at = std::find_if(parameters_.begin(), parameters_.end(), same);
    if (at != parameters_.end()) return static_cast<double>(at - parameters_.begin());
    fail<GradError>(in_sharded_step,
                    "'{}' is not among its parameters, and all ranks are to move it alike; give it "
                    "all of the model's parameters()",
                    p.name());
  }

  std::vector<Parameter> parameters_;
  std::optional<detail::BatchStatistics> part_;
  std::vector<std::vector<detail::BatchStatistics::Measured>> calls_;  ///< of each call, its parts
};

/// What the messages of all ranks say together.
struct ShardedStep::Found {
  std::vector<Loss::Term> terms;
  std::vector<double> sums;
  std::string reached;
};

ShardedStep::ShardedStep(std::vector<Parameter> parameters, RankOptions ranks)
    : ranks_(std::move(ranks)) {
  if (!ranks_.communicator) {  // one shard, which is the whole batch
    ranks_.communicator = Communicator::alone();
    ranks_.shards = 1;
  }
  detail::check_ranks(in_sharded_step, ranks_);
  tree_ = std::make_unique<detail::GradientTree>(parameters);
  noise_ = std::make_unique<Noise>(parameters);
  statistics_ = std::make_unique<Statistics>(parameters);
}

ShardedStep::~ShardedStep() = default;

void ShardedStep::each_shard(const std::vector<std::int64_t>& lengths,
                             const std::function<Loss(const std::vector<std::int64_t>&)>& f) {
  if (!f) fail<OptionError>(in_sharded_step, "each_shard was given a function that is empty");
  const auto shards = detail::shard_rows(lengths, ranks_);
  const auto [from, to] =
      detail::shards_of_rank(static_cast<std::int64_t>(shards.size()), ranks_.communicator.rank(),
                             ranks_.communicator.size());
  for (auto s = from; s < to; ++s) {
    const auto& rows = shards[static_cast<std::size_t>(s)];
    begin_shard(rows);
    if (!rows.empty()) add_part(f(rows));
    end_shard();
  }
  sequences_ += static_cast<std::int64_t>(lengths.size());
}

void ShardedStep::begin_shard(const std::vector<std::int64_t>& rows) {
  noise_->samples.reset();
  noise_->step.reset();
  const NoisePosition& begin = noise_->begin;
  noise_->step.emplace(NoisePosition{begin.step, begin.sequence, begin.calls});
  extend::NoiseSamples places{.outer = extend::NoiseSamplesScope::current()};
  places.order = extend::Index(static_cast<std::int64_t>(rows.size()));
  std::copy(rows.begin(), rows.end(), places.order.begin());
  statistics_->begin_part();
  noise_->samples.emplace(std::make_shared<const extend::NoiseSamples>(std::move(places)));
}

void ShardedStep::add_part(const Loss& loss, std::span<const double> numbers) {
  tree_->add_part(loss);
  parts_.push_back(static_cast<double>(loss.terms().size()));
  for (const auto& t : loss.terms()) {
    parts_.insert(parts_.end(), {t.sum.item(), t.count, t.scale, static_cast<double>(t.reduction)});
  }
  parts_.push_back(static_cast<double>(numbers.size()));
  parts_.insert(parts_.end(), numbers.begin(), numbers.end());
  statistics_->write(parts_);
}

void ShardedStep::end_shard() {
  noise_->samples.reset();
  noise_->step.reset();
  statistics_->end_shard();
  tree_->end_shard();
}

std::string ShardedStep::message() const {
  std::string text = tree_->reached();
  text += asked_to_end_ ? '1' : '0';
  const auto bytes = std::as_bytes(std::span(parts_));
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text;
}

ShardedStep::Found ShardedStep::read(const std::vector<std::string>& messages) {
  Found found;
  const auto parameters = tree_->reached().size();
  found.reached.assign(parameters, '0');
  for (const std::string& text : messages) {
    for (std::size_t k = 0; k < parameters; ++k) {
      if (text[k] == '1') found.reached[k] = '1';
    }
    asked_to_end_ = asked_to_end_ || text[parameters] == '1';
    Numbers all(std::string_view(text).substr(parameters + 1));
    while (!all.at_end()) {
      const auto terms = all.next_size();
      if (found.terms.empty()) {
        found.terms.resize(terms);
        found.sums.resize(terms);
      }
      if (terms != found.terms.size()) {
        fail<GradError>(in_sharded_step,
                        "the loss of a shard has {} terms, that of another {}; expected the same "
                        "loss for each, on all ranks",
                        terms, found.terms.size());
      }
      for (std::size_t i = 0; i < terms; ++i) {
        found.sums[i] += all.next();
        found.terms[i].count += all.next();
        found.terms[i].scale = all.next();
        found.terms[i].reduction = static_cast<Reduction>(static_cast<int>(all.next()));
      }
      auto& numbers = numbers_.emplace_back(all.next_size());
      for (double& each : numbers) each = all.next();
      statistics_->read(all);
    }
  }
  return found;
}

Accumulate::Total ShardedStep::finish(std::int64_t sequences) {
  numbers_.clear();
  const Found found = read(ranks_.communicator.gather(message()));
  Accumulate::Total total;
  std::vector<double> factors;
  double count = 0;
  for (std::size_t i = 0; i < found.terms.size(); ++i) {
    const auto& term = found.terms[i];
    factors.push_back(term.factor(term.count));
    if (factors.back() != 0) total.value += found.sums[i] * factors.back();
    count += term.count;
  }
  if (!found.terms.empty()) total.count = found.terms.front().count;
  tree_->reduce(ranks_.communicator, ranks_.reduction_order,
                static_cast<std::int64_t>(found.terms.size()));
  tree_->set(factors, count, found.reached);
  statistics_->move();
  parts_.clear();
  noise_->parts.next(sequences_ + sequences);
  noise_->parts.end();
  sequences_ = 0;
  return total;
}

}  // namespace maskgrad
