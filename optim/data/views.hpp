#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <maskgrad/optim/data/source.hpp>

namespace maskgrad::data {

/// MemoryError where so many pieces of sequences are more than the system can hold.
void check_room(std::string_view where, std::int64_t pieces);

/// Pieces of another source's sequences as sequences: subsets, shorter ones, parts of them.
class ViewSource final : public Source {
 public:
  ViewSource(std::shared_ptr<const Source> base, std::vector<Piece> pieces);

  std::int64_t size() const override { return static_cast<std::int64_t>(pieces_.size()); }
  std::int64_t length(std::int64_t sample) const override { return at(sample).steps; }
  std::int64_t part(std::int64_t sample) const override { return base_->part(at(sample).sample); }
  Batch read(std::span<const Piece> pieces) const override;
  void check_cuts(std::string_view where) const override { base_->check_cuts(where); }

 private:
  const Piece& at(std::int64_t sample) const { return pieces_[static_cast<std::size_t>(sample)]; }

  std::shared_ptr<const Source> base_;
  std::vector<Piece> pieces_;
};

/// The same sequences as another source's, in other batches.
class SourceOver : public Source {
 public:
  explicit SourceOver(std::shared_ptr<const Source> base) : base_(std::move(base)) {}

  std::int64_t size() const override { return base_->size(); }
  std::int64_t length(std::int64_t sample) const override { return base_->length(sample); }
  std::int64_t part(std::int64_t sample) const override { return base_->part(sample); }
  void check_cuts(std::string_view where) const override { base_->check_cuts(where); }

 protected:
  const Source& base() const { return *base_; }

 private:
  std::shared_ptr<const Source> base_;
};

/// Batches after a function.
class MapSource final : public SourceOver {
 public:
  MapSource(std::shared_ptr<const Source> base, std::function<Batch(Batch)> f)
      : SourceOver(std::move(base)), f_(std::move(f)) {}

  Batch read(std::span<const Piece> pieces) const override;

 private:
  std::function<Batch(Batch)> f_;
};

/// One of the inputs as the target, and the steps before as the input.
class NextStepSource final : public SourceOver {
 public:
  NextStepSource(std::shared_ptr<const Source> base, std::size_t input)
      : SourceOver(std::move(base)), input_(input) {}

  Batch read(std::span<const Piece> pieces) const override;

 private:
  Tensor input_of(const Batch& batch) const;
  Tensor steps_before(std::span<const Piece> pieces) const;

  std::size_t input_;
};

}  // namespace maskgrad::data
