#include <algorithm>
#include <numeric>
#include <optional>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/stream_rows.hpp>
#include <maskgrad/layers/layer/streaming.hpp>

// What is made of a stream's context alone, once for each context.

namespace maskgrad::detail {
namespace {

using Places = std::vector<std::int64_t>;

Tensors taken(const Tensors& xs, const Places& from) {
  Tensors some;
  for (const auto& x : xs) some.push_back(reordered(x, from));
  return some;
}

/// Results for some sequences behind those for others; none where they are not of sequences.
std::optional<Tensors> behind(const std::vector<Tensors>& parts, const Places& sizes) {
  Tensors all;
  for (std::size_t i = 0; i < parts[0].size(); ++i) {
    Tensors own;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (parts[p].size() != parts[0].size()) return {};
      const Tensor& x = parts[p][i];
      if (x.rank() == 0 || x.shape()[0] != sizes[p] || rows::mask_rank(x) > 2) return {};
      own.push_back(x.value());
    }
    if (!are_alike(own)) return {};
    all.push_back(own.size() == 1 ? own[0] : one_behind_other(own));
  }
  return all;
}

/// Sequences whose part is not of the context that they have now, each context once.
struct Stale {
  Places places;  ///< all of them
  Places which;   ///< of each, which of `first` has its context
  Places first;

  Stale(const Places& of, const Places& now) {
    for (std::size_t s = 0; s < now.size(); ++s) {
      if (!of.empty() && (now[s] < 0 || of[s] == now[s])) continue;
      const auto place = static_cast<std::int64_t>(s);
      const auto same = std::find_if(first.begin(), first.end(), [&](std::int64_t other) {
        return now[s] >= 0 && now[static_cast<std::size_t>(other)] == now[s];
      });
      places.push_back(place);
      which.push_back(same - first.begin());
      if (same == first.end()) first.push_back(place);
    }
  }
};

/// What `make` gives for the contexts `first`, one by one or together, behind what there is.
std::optional<Tensors> made_more(const MadeOfContext& made, const Places& first,
                                 const Tensors& inputs, const MadeByContext& make, bool singly) {
  std::vector<Tensors> parts;
  Places sizes;
  if (!made.of.empty()) parts.push_back(made.tensors), sizes.push_back(std::ssize(made.of));
  const auto step = singly ? 1 : std::ssize(first);
  for (auto at = first.begin(); at != first.end(); at += step) {
    parts.push_back(make(taken(inputs, {at, at + step})));
    sizes.push_back(step);
  }
  return behind(parts, sizes);
}

/// Brings `made` up to the contexts that the sequences have now.
void renew(MadeOfContext& made, const Places& now, const Tensors& inputs, const MadeByContext& make,
           bool singly) {
  const Stale stale(made.of, now);
  const StreamRun::Outside outside;
  const bool all = stale.first.size() == now.size() && !singly;
  std::optional<Tensors> more;
  // In training noise goes by the sequence's index, and gradients through all: nothing is put in.
  if (!training() && !all && !stale.first.empty()) {
    more = made_more(made, stale.first, inputs, make, singly);
  }
  if (more) {
    Places from(now.size());
    std::iota(from.begin(), from.end(), 0);
    for (std::size_t i = 0; i < stale.places.size(); ++i) {
      from[static_cast<std::size_t>(stale.places[i])] = std::ssize(made.of) + stale.which[i];
    }
    made.tensors = taken(*more, from);
  } else if (!stale.first.empty()) {
    if (singly) {
      fail<OptionError>(layer_title(),
                        "what it makes of the context of one sequence alone is not that of a "
                        "sequence, [1, ...]; .batch_invariant needs that");
    }
    made.tensors = make(inputs);
  }
  made.of = now;
}

}  // namespace

bool StreamRun::is_context(const Tensor& x) const {
  return std::any_of(held_.begin(), held_.end(), [&](const Tensor& held) {
    return &held.impl() == &x.impl() || (x.has_mask() && x.mask().same(held.mask()));
  });
}

void StreamRun::hold(const Tensors& of_context) {
  for (const auto& x : of_context) {
    if (!is_context(x)) held_.push_back(x);
  }
}

Tensors StreamRun::once(std::string_view place, const Tensors& inputs, const MadeByContext& make) {
  MadeOfContext& made = asked(constants_->of_context, place);
  if (made.of != constants_->context_of) {
    renew(made, constants_->context_of, inputs, make, options_.batch_invariant);
    for (auto& x : made.tensors) {  // equal masks are one, which is found at once
      const auto same = std::find_if(held_.begin(), held_.end(), [&](const Tensor& held) {
        return x.has_mask() && held.mask() == x.mask();
      });
      if (same != held_.end() && !training()) x = rows::share(x, x.shape(), same->mask());
    }
  }
  hold(made.tensors);
  return made.tensors;
}

}  // namespace maskgrad::detail
