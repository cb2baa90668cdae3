#include <maskgrad/optim/distributed/sharded_step.hpp>

#include <optional>

#include <maskgrad/optim/distributed/gradient_tree.hpp>
#include <maskgrad/optim/distributed/shard_statistics.hpp>
#include <maskgrad/optim/distributed/shard_team.hpp>
#include <maskgrad/optim/distributed/shards.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view in_sharded_step = "ShardedStep";

}  // namespace

/// What the step draws, and where its parts stand.
struct ShardedStep::Noise {
  explicit Noise(const std::vector<Parameter>& parameters)
      : begin(detail::noise_position_of(parameters)), parts(parameters) {}
  NoisePosition begin;
  detail::NoiseParts parts;
};

/// A shard while it is computed, and until all before it are in the tree.
struct ShardedStep::Shard {
  detail::TermGradients gradients;
  std::vector<double> parts;  ///< what the others are to know
  bool ended = false;

  /// What the thread that computes it draws, measures, and reads as weights.
  struct Here {
    std::optional<NoiseStep> step;
    std::optional<extend::NoiseSamplesScope> samples;
    std::optional<detail::BatchStatistics> statistics;
    std::optional<ParameterScope> values;
  };
  std::unique_ptr<Here> here = std::make_unique<Here>();
  std::vector<Tensor> targets;  ///< what it has gradients of

  /// The weights, under handles of its own where other shards are computed at the same time.
  void read(const std::vector<Parameter>& parameters, bool apart) {
    for (const auto& p : parameters) {
      targets.push_back(apart ? p.tensor().value().with_grad() : p.tensor());
    }
    if (apart) here->values.emplace(parameters, targets);
  }
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
  statistics_ = std::make_unique<detail::ShardStatistics>(parameters);
  team_ = std::make_unique<detail::ShardTeam>(ranks_.communicator);
}

ShardedStep::~ShardedStep() = default;

void ShardedStep::each_shard(const std::vector<std::int64_t>& lengths,
                             const std::function<Loss(const std::vector<std::int64_t>&)>& f) {
  if (!f) fail<OptionError>(in_sharded_step, "each_shard was given a function that is empty");
  const auto shards = detail::shard_rows(lengths, ranks_);
  const auto [from, to] =
      detail::shards_of_rank(static_cast<std::int64_t>(shards.size()), ranks_.communicator.rank(),
                             ranks_.communicator.size());
  const std::vector<std::vector<std::int64_t>> own(shards.begin() + from, shards.begin() + to);
  each_own(own, [&](std::size_t i) { add_part(f(own[i])); });
  sequences_ += static_cast<std::int64_t>(lengths.size());
}

void ShardedStep::each_own(const std::vector<std::vector<std::int64_t>>& rows,
                           const std::function<void(std::size_t)>& f,
                           const std::function<void(std::size_t, std::size_t)>& turn) {
  std::vector<Shard> all(rows.size());
  std::size_t in_tree = 0;  // those before it are there already
  for (std::size_t i = 0; i < all.size(); ++i) all[i].ended = rows[i].empty();
  const auto move_on = [&] {
    for (; in_tree < all.size() && all[in_tree].ended; ++in_tree) put_into_tree(all[in_tree]);
  };
  detail::ShardTeam::Work work;
  for (const auto& own : rows) work.has_rows.push_back(!own.empty());
  work.shard = [&](std::size_t i, bool apart) {
    shard_ = &all[i];
    try {
      shard_->read(tree_->parameters(), apart);
      begin_shard(rows[i]);
      f(i);
    } catch (...) {
      all[i].here.reset();  // in this thread
      throw;
    }
    all[i].here.reset();
    all[i].ended = true;
    move_on();
  };
  work.turn = [&](std::size_t from, std::size_t to) {
    shard_ = &all[to];
    if (turn) turn(from, to);
  };
  const struct Closing {
    Shard*& shard;
    ~Closing() { shard = nullptr; }
  } closing{shard_};
  team_->run(work);
  move_on();
}

void ShardedStep::begin_shard(const std::vector<std::int64_t>& rows) {
  if (!shard_) {
    piece_ = std::make_unique<Shard>();
    piece_->read(tree_->parameters(), false);
    shard_ = piece_.get();
  }
  Shard::Here& here = *shard_->here;
  here.samples.reset();
  here.step.reset();
  const NoisePosition& begin = noise_->begin;
  here.step.emplace(NoisePosition{begin.step, begin.sequence, begin.calls});
  extend::NoiseSamples places{.outer = extend::NoiseSamplesScope::current()};
  places.order = extend::Index(static_cast<std::int64_t>(rows.size()));
  std::copy(rows.begin(), rows.end(), places.order.begin());
  here.statistics.emplace();
  here.samples.emplace(std::make_shared<const extend::NoiseSamples>(std::move(places)));
}

void ShardedStep::add_part(const Loss& loss, std::span<const double> numbers) {
  if (!shard_) fail<GradError>(in_sharded_step, "add_part outside of a shard; call begin_shard");
  tree_->add_part(loss, shard_->targets, shard_->gradients);
  add_counts(loss, numbers);
}

void ShardedStep::add_counts(const Loss& loss, std::span<const double> numbers) {
  auto& parts = shard_->parts;
  parts.push_back(static_cast<double>(loss.terms().size()));
  for (const auto& t : loss.terms()) {
    parts.insert(parts.end(), {t.sum.item(), t.count, t.scale, static_cast<double>(t.reduction)});
  }
  parts.push_back(static_cast<double>(numbers.size()));
  parts.insert(parts.end(), numbers.begin(), numbers.end());
  auto& statistics = *shard_->here->statistics;
  statistics_->write(statistics, parts);
  statistics.measured.clear();
}

void ShardedStep::take_gradients(std::size_t term, std::size_t terms) {
  tree_->take(term, terms, shard_->targets, shard_->gradients);
}

void ShardedStep::end_shard() {
  if (!piece_) fail<GradError>(in_sharded_step, "end_shard without begin_shard");
  piece_->here.reset();
  put_into_tree(*piece_);
  shard_ = nullptr;
  piece_.reset();
}

void ShardedStep::put_into_tree(Shard& shard) {
  parts_.insert(parts_.end(), shard.parts.begin(), shard.parts.end());
  tree_->end_shard(std::move(shard.gradients));
  shard = {};
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
    detail::Numbers all(std::string_view(text).substr(parameters + 1));
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
  const Found found = read(team_->end(message()));
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
  tree_->finish(ranks_.communicator, ranks_.reduction_order, factors, count, found.reached);
  statistics_->move();
  parts_.clear();
  noise_->parts.next(sequences_ + sequences);
  noise_->parts.end();
  sequences_ = 0;
  return total;
}

}  // namespace maskgrad
