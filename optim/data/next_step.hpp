#pragma once

#include <memory>

#include <maskgrad/optim/data/source.hpp>

namespace maskgrad::data {

/// Another source with one of its inputs as the target, and the steps before as the input.
class NextStepSource final : public Source {
 public:
  NextStepSource(std::shared_ptr<const Source> base, std::size_t input)
      : base_(std::move(base)), input_(input) {}

  std::int64_t size() const override { return base_->size(); }
  std::int64_t length(std::int64_t sample) const override { return base_->length(sample); }
  std::int64_t part(std::int64_t sample) const override { return base_->part(sample); }
  Batch read(std::span<const Piece> pieces) const override;
  void check_cuts(std::string_view where) const override { base_->check_cuts(where); }

 private:
  Tensor input_of(const Batch& batch) const;
  Tensor steps_before(std::span<const Piece> pieces) const;

  std::shared_ptr<const Source> base_;
  std::size_t input_;
};

}  // namespace maskgrad::data
