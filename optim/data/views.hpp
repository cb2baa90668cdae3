#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <maskgrad/optim/data/source.hpp>

namespace maskgrad::data {

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

/// Another source's batches after a function.
class MapSource final : public Source {
 public:
  MapSource(std::shared_ptr<const Source> base, std::function<Batch(Batch)> f)
      : base_(std::move(base)), f_(std::move(f)) {}

  std::int64_t size() const override { return base_->size(); }
  std::int64_t length(std::int64_t sample) const override { return base_->length(sample); }
  std::int64_t part(std::int64_t sample) const override { return base_->part(sample); }
  Batch read(std::span<const Piece> pieces) const override;
  void check_cuts(std::string_view where) const override { base_->check_cuts(where); }

 private:
  std::shared_ptr<const Source> base_;
  std::function<Batch(Batch)> f_;
};

}  // namespace maskgrad::data
