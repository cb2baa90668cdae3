#pragma once

#include <memory>
#include <string>
#include <vector>

#include <maskgrad/core/io/array_rows.hpp>
#include <maskgrad/optim/data/source.hpp>

namespace maskgrad::data {

/// Where the steps of each sequence stand among the rows of an array: runs of rows, in order.
struct Runs {
  struct Run {
    std::int64_t row = 0, steps = 0;
    std::int64_t before = 0;  ///< steps of its sequence in the runs before
  };
  std::vector<Run> runs;
  std::vector<std::int64_t> first;   ///< of each sequence: its first run; one more at the end
  std::vector<std::int64_t> length;  ///< of each sequence: its steps

  /// Sequences one after the other, without holes.
  static Runs of_lengths(std::vector<std::int64_t> lengths);
  /// Sequences of `time` rows each, of which the first lengths[s] are steps.
  static Runs of_padded(std::vector<std::int64_t> lengths, std::int64_t time);
  /// The rows of [sequences, time] where `valid` is true, in order.
  static Runs of_bits(std::span<const bool> valid, std::int64_t sequences, std::int64_t time);
};

/// An array of which every sequence has some rows, or one.
struct Column {
  detail::ArrayRows rows;
  std::shared_ptr<const Runs> runs = {};  ///< of the steps; null where it has one row a sequence
  DType dtype = DType::f32;               ///< what a batch holds
  Shape inner = {};                       ///< the axes of a step, or of a sequence
  bool even = false;  ///< as long as the first input with steps; found by ColumnSource
};

/// What data sets in memory and in files are made of.
struct ColumnSet {
  std::vector<Column> inputs;
  std::vector<Column> target = {}, weight = {};  ///< one or none
  std::vector<std::int64_t> parts = {};          ///< of each sequence; empty where nothing says so
  std::int64_t size = 0;                         ///< sequences
};

/// Reads a batch by the rows that it needs.
class ColumnSource final : public Source {
 public:
  explicit ColumnSource(ColumnSet set);

  std::int64_t size() const override { return set_.size; }
  std::int64_t length(std::int64_t sample) const override;
  std::int64_t part(std::int64_t sample) const override;
  Batch read(std::span<const Piece> pieces) const override;
  void check_cuts(std::string_view where) const override;

 private:
  void compare(Column& c, const std::string& name);

  ColumnSet set_;
  std::shared_ptr<const Runs> steps_;  // of the first input that has steps
  std::string uneven_;                 // where a column has other lengths: which, in words
};

}  // namespace maskgrad::data
