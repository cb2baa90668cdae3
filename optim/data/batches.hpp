#pragma once

#include <iterator>
#include <memory>
#include <vector>

#include <maskgrad/optim/data/dataset.hpp>
#include <maskgrad/optim/distributed/rank_options.hpp>

namespace maskgrad {

struct BatchesOptions {
  std::int64_t batch_size = 0;  ///< sequences a batch, at most; 0: 32, or any number by `max_rows`
  std::int64_t max_rows = 0;  ///< valid rows a batch, at most; a longer sequence is a batch of its
                              ///< own; 0: no limit
  bool shuffle = true;        ///< a new order each epoch
  std::uint64_t seed = 0;     ///< of the order; the same on every machine
  bool bucket = false;        ///< sequences of similar length together
  std::int64_t bucket_size = 0;  ///< sequences that are sorted at a time; 0: 50 batches
  bool drop_remainder = false;   ///< leave out a last batch that is not full
  std::int64_t window = 0;    ///< steps of a sequence a batch; the next batch goes on in the same
                              ///< rows (truncated backpropagation through time); 0: whole ones
  std::int64_t prefetch = 2;  ///< batches made ahead, on a thread; 0: each when it is asked for

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("batch_size", o.batch_size);
    f("max_rows", o.max_rows);
    f("shuffle", o.shuffle);
    f("seed", o.seed);
    f("bucket", o.bucket);
    f("bucket_size", o.bucket_size);
    f("drop_remainder", o.drop_remainder);
    f("window", o.window);
    f("prefetch", o.prefetch);
  }
};

namespace data {
class Loader;
class Planner;
struct Plan;
}  // namespace data

/// The batches of an epoch, one after the other, once: `for (const Batch& b : epoch)`. They are
/// made ahead on a thread, which ends with the Epoch, wherever it is left. What goes wrong in the
/// thread is thrown where its batch is asked for.
class Epoch {
 public:
  explicit Epoch(std::unique_ptr<data::Loader> loader);
  Epoch(Epoch&&) noexcept;
  Epoch& operator=(Epoch&&) noexcept;
  ~Epoch();

  /// Batches from the first one asked for to the end of the epoch.
  std::int64_t size() const { return size_; }

  class Iterator {
   public:
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(Epoch& epoch) : epoch_(&epoch) {}
    const Batch& operator*() const { return epoch_->batch_; }
    const Batch* operator->() const { return &epoch_->batch_; }
    Iterator& operator++() {
      epoch_->advance();
      return *this;
    }
    void operator++(int) { epoch_->advance(); }
    bool operator==(std::default_sentinel_t) const { return epoch_->at_end_; }

   private:
    Epoch* epoch_ = nullptr;
  };
  /// Waits for the first batch at the first call.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  void advance();

  std::unique_ptr<data::Loader> loader_;
  std::int64_t size_ = 0;
  Batch batch_;
  bool begun_ = false, at_end_ = false;
};

/// A data set in batches, epoch after epoch: the same data, options and epoch give the same
/// batches, so that a training goes on anywhere from (epoch, batch). Cheap to copy.
///   mg::Batches batches{data, {.max_rows = 4096, .seed = 1}};
///   for (const mg::Batch& b : batches.epoch(0)) ...
/// With `window`, row r of a batch goes on where row r of the one before ended, unless `begins`
/// lists it: call reset_states(model, batch.begins) first. All batches of an epoch then have the
/// same number of rows; a row that has no more sequences has length 0.
/// Throws:   OptionError for options that are out of range or exclude each other.
class Batches {
 public:
  explicit Batches(Dataset data, BatchesOptions options = {});

  /// Batches in that epoch.
  std::int64_t size(std::int64_t epoch = 0) const;
  /// The batches of that epoch from `first_batch` on. IndexError where there are fewer.
  Epoch epoch(std::int64_t epoch, std::int64_t first_batch = 0) const;
  /// The same of which each rank reads its own shards alone, see Batch::share.
  Epoch epoch(std::int64_t epoch, std::int64_t first_batch, const RankOptions& ranks) const;

  /// Valid steps of each row of each batch of that epoch; nothing is read for it.
  std::vector<std::vector<std::int64_t>> batch_lengths(std::int64_t epoch = 0) const;

  /// The data, and the padding that the batches of an epoch would carry elsewhere.
  DataDescription describe(std::int64_t epoch = 0) const;

  const Dataset& data() const;
  const BatchesOptions& options() const;

 private:
  std::shared_ptr<const data::Planner> planner_;
};

}  // namespace maskgrad
