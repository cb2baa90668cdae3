#include <maskgrad/optim/train/carried_rows.hpp>

#include <algorithm>
#include <cstring>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/distributed/shards.hpp>

namespace maskgrad::detail {
namespace {

std::size_t bytes_of_row(const Tensor& x) {
  return static_cast<std::size_t>(x.shape()[1]) * (x.dtype() == DType::f64 ? 8 : 4);
}
const std::byte* bytes_in(const Tensor& x) {
  return reinterpret_cast<const std::byte*>(x.impl().storage.data());
}
std::byte* bytes_of_new(const Tensor& x) {
  return const_cast<std::byte*>(bytes_in(x));
}

Tensor take_rows_of(const Tensor& x, const std::vector<std::int64_t>& rows) {
  const Tensor made = rows::make({std::ssize(rows), x.shape()[1]}, x.dtype());
  const auto width = bytes_of_row(x);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(bytes_of_new(made) + i * width,
                bytes_in(x) + static_cast<std::size_t>(rows[i]) * width, width);
  }
  return made;
}

/// `whole`, or zeros, with these rows in their places.
Tensor put_rows(const Tensor& whole, const Tensor& own, const std::vector<std::int64_t>& rows,
                std::int64_t batch) {
  const Tensor made = rows::make_zeros({batch, own.shape()[1]}, own.dtype());
  const auto width = bytes_of_row(own);
  if (whole.defined()) {
    std::memcpy(bytes_of_new(made), bytes_in(whole), static_cast<std::size_t>(batch) * width);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(bytes_of_new(made) + static_cast<std::size_t>(rows[i]) * width,
                bytes_in(own) + i * width, width);
  }
  return made;
}

/// The rows that a rank computes where each keeps its place.
std::vector<std::int64_t> rows_of_rank(std::int64_t batch, const RankOptions& ranks, int rank) {
  const auto shards =
      shard_rows(std::vector<std::int64_t>(static_cast<std::size_t>(batch)), ranks, true);
  const auto [from, to] = shards_of_rank(std::ssize(shards), rank, ranks.communicator.size());
  std::vector<std::int64_t> rows;
  for (auto s = from; s < to; ++s) {
    const auto& own = shards[static_cast<std::size_t>(s)];
    rows.insert(rows.end(), own.begin(), own.end());
  }
  return rows;
}

}  // namespace

CarriedRows::CarriedRows(const ModelRef& model, std::int64_t batch) : batch_(batch) {
  model.visit([&](const LayerView& view) {
    if (view.carried) layers_.push_back({view.carried, view.carried->states(), {}});
  });
}

CarriedRows::~CarriedRows() {
  for (auto& layer : layers_) layer.carried->set(std::move(layer.whole));
}

void CarriedRows::begin(const std::vector<std::int64_t>& rows) const {
  for (const auto& layer : layers_) {
    Tensors own;
    for (const Tensor& x : layer.whole) own.push_back(take_rows_of(x, rows));
    layer.carried->set(std::move(own));
  }
}

void CarriedRows::end(const std::vector<std::int64_t>& rows) {
  for (auto& layer : layers_) {
    const Tensors& own = layer.carried->states();
    layer.whole.resize(own.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      layer.whole[i] = put_rows(layer.whole[i], own[i], rows, batch_);
    }
  }
}

void CarriedRows::turn(std::size_t from, std::size_t to) {
  for (auto& layer : layers_) {
    layer.aside[from] = layer.carried->states();
    const auto at = layer.aside.find(to);
    if (at != layer.aside.end()) layer.carried->set(at->second);
  }
}

void share_carried(const ModelRef& model, const RankOptions& ranks) {
  const Communicator& all = ranks.communicator;
  if (all.size() == 1) return;
  model.visit([&](const LayerView& view) {
    if (!view.carried) return;
    Tensors states = view.carried->states();
    // A rank that had no rows yet has no states: it takes how many there are from rank 0.
    double shape[4] = {static_cast<double>(states.size()), 0, 0, 0};
    if (!states.empty()) shape[1] = static_cast<double>(states[0].shape()[0]);
    all.max(shape);
    const auto batch = static_cast<std::int64_t>(shape[1]);
    const auto own = rows_of_rank(batch, ranks, all.rank());
    for (std::size_t i = 0; i < static_cast<std::size_t>(shape[0]); ++i) {
      const Tensor mine = i < states.size() ? take_rows_of(states[i], own) : Tensor();
      const auto bytes = mine.defined() ? own.size() * bytes_of_row(mine) : 0;
      const auto texts =
          all.gather({bytes > 0 ? reinterpret_cast<const char*>(bytes_in(mine)) : "", bytes});
      if (i >= states.size()) continue;
      for (int r = 0; r < all.size(); ++r) {
        const auto rows = rows_of_rank(batch, ranks, r);
        const auto& text = texts[static_cast<std::size_t>(r)];
        if (text.empty()) continue;
        const Tensor theirs =
            rows::make({std::ssize(rows), states[i].shape()[1]}, states[i].dtype());
        std::memcpy(bytes_of_new(theirs), text.data(), text.size());
        states[i] = put_rows(states[i], theirs, rows, batch);
      }
    }
    if (!states.empty()) view.carried->set(std::move(states));
  });
}

}  // namespace maskgrad::detail
