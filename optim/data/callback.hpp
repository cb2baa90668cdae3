#pragma once

#include <mutex>

#include <maskgrad/optim/data/dataset.hpp>

namespace maskgrad::data {

/// Sequences that a function makes.
class CallbackSource final : public Source {
 public:
  explicit CallbackSource(CallbackOptions options);

  std::int64_t size() const override { return static_cast<std::int64_t>(options_.lengths.size()); }
  std::int64_t length(std::int64_t sample) const override {
    return options_.lengths[static_cast<std::size_t>(sample)];
  }
  Batch read(std::span<const Piece> pieces) const override;
  void check_cuts(std::string_view) const override {}

 private:
  bool has_steps(std::size_t input) const;
  SequenceData sample(const Piece& piece) const;

  CallbackOptions options_;
  mutable std::mutex one_at_a_time_;
};

}  // namespace maskgrad::data
