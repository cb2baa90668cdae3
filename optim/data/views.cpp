#include <maskgrad/optim/data/views.hpp>

#include <fmt/format.h>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/core/checked.hpp>

namespace maskgrad::data {

void check_room(std::string_view where, std::int64_t pieces) {
  // A piece, and what a plan keeps beside it.
  constexpr auto bytes = sizeof(Piece) + sizeof(std::int64_t);
  checked::check_room(where, pieces, bytes, fmt::format("a list of {} pieces", pieces));
}

ViewSource::ViewSource(std::shared_ptr<const Source> base, std::vector<Piece> pieces)
    : base_(std::move(base)), pieces_(std::move(pieces)) {
  // A view of a view is one of what lies below, so that depth costs nothing.
  const auto* view = dynamic_cast<const ViewSource*>(base_.get());
  if (!view) return;
  for (auto& p : pieces_) {
    const auto& below = view->at(p.sample);
    p = {below.sample, below.first + p.first, p.steps};
  }
  base_ = std::shared_ptr<const Source>(view->base_);
}

Batch ViewSource::read(std::span<const Piece> pieces) const {
  std::vector<Piece> below;
  below.reserve(pieces.size());
  for (const auto& p : pieces) {
    const auto& of = at(p.sample);
    below.push_back({of.sample, of.first + p.first, p.steps});
  }
  return base_->read(below);
}

namespace {

void check_rows(const Tensor& x, std::string_view name, std::int64_t rows) {
  if (!x.defined() || (x.rank() > 0 && x.shape()[0] == rows)) return;
  fail<ShapeError>("Dataset::map",
                   "{} came back as {}, from a batch of {} sequences; expected as many; leave out "
                   "sequences by subset(), or mask their steps",
                   name, x.describe(), rows);
}

}  // namespace

Batch MapSource::read(std::span<const Piece> pieces) const {
  const NoGrad no_grad;
  Batch batch = base().read(pieces);
  for (const auto& p : pieces) batch.samples.push_back(p.sample);
  batch = f_(std::move(batch));
  const auto rows = static_cast<std::int64_t>(pieces.size());
  for (const auto& x : batch.inputs) check_rows(x, "an input", rows);
  check_rows(batch.target, "the target", rows);
  check_rows(batch.weight, "the weight", rows);
  batch.samples.clear();
  batch.begins.clear();
  return batch;
}

}  // namespace maskgrad::data
