#include <maskgrad/optim/data/columns.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/core/mask_rows.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad::data {

Runs Runs::of_lengths(std::vector<std::int64_t> lengths) {
  Runs made;
  std::int64_t row = 0;
  for (const auto n : lengths) {
    made.first.push_back(static_cast<std::int64_t>(made.first.size()));
    made.runs.push_back({row, n});
    row += n;
  }
  made.first.push_back(static_cast<std::int64_t>(made.runs.size()));
  made.length = std::move(lengths);
  return made;
}

Runs Runs::of_padded(std::vector<std::int64_t> lengths, std::int64_t time) {
  Runs made = of_lengths(std::move(lengths));
  for (std::size_t s = 0; s < made.runs.size(); ++s) {
    made.runs[s].row = static_cast<std::int64_t>(s) * time;
  }
  return made;
}

Runs Runs::of_bits(std::span<const bool> valid, std::int64_t sequences, std::int64_t time) {
  Runs made;
  std::int64_t row = 0;
  for (std::int64_t s = 0; s < sequences; ++s) {
    made.first.push_back(static_cast<std::int64_t>(made.runs.size()));
    std::int64_t length = 0;
    bool goes_on = false;
    for (std::int64_t t = 0; t < time; ++t, ++row) {
      const bool is = valid[static_cast<std::size_t>(row)];
      if (is && !goes_on) made.runs.push_back({row, 0, length});
      if (is) ++made.runs.back().steps;
      length += is;
      goes_on = is;
    }
    made.length.push_back(length);
  }
  made.first.push_back(static_cast<std::int64_t>(made.runs.size()));
  return made;
}

namespace {

/// Reads steps `first` ... of a sequence to `to`, run by run.
void read_steps(const Column& c, const Piece& piece, std::byte*& to) {
  const auto bytes_a_row = c.rows.width() * static_cast<std::int64_t>(size_of(c.dtype));
  const auto sample = static_cast<std::size_t>(piece.sample);
  const auto begin = c.runs->runs.begin() + c.runs->first[sample];
  const auto end = c.runs->runs.begin() + c.runs->first[sample + 1];
  // The last run that begins at or before the piece: pieces of a sequence of many runs are found
  // without walking through those before.
  auto run = std::upper_bound(begin, end, piece.first,
                              [](std::int64_t first, const auto& r) { return first < r.before; });
  if (run != begin) --run;
  std::int64_t skip = piece.first - (run == end ? 0 : run->before), left = piece.steps;
  for (; left > 0; ++run) {
    const auto from = std::min(skip, run->steps), count = std::min(left, run->steps - from);
    skip -= from;
    if (count == 0) continue;
    c.rows.read(run->row + from, count, c.dtype, to);
    to += count * bytes_a_row;
    left -= count;
  }
}

/// Assembles the columns of a batch; those with the same steps get the same mask.
class Assembly {
 public:
  explicit Assembly(std::span<const Piece> pieces) : pieces_(pieces) {}

  Tensor read(const Column& c) {
    if (c.runs) return read_steps_of(c);
    Tensor x = rows::make(Shape{static_cast<std::int64_t>(pieces_.size())} + c.inner, c.dtype);
    auto* to = x.impl().storage.data();
    for (const auto& p : pieces_) {
      c.rows.read(p.sample, 1, c.dtype, to);
      to += c.rows.width() * static_cast<std::int64_t>(size_of(c.dtype));
    }
    return x;
  }

 private:
  /// Where lengths differ from those of the first input, sequences are whole.
  static Piece piece_of(const Column& c, const Piece& p) {
    return c.even ? p : Piece{p.sample, 0, c.runs->length[static_cast<std::size_t>(p.sample)]};
  }

  Tensor read_steps_of(const Column& c) {
    const Mask mask = mask_of(c);
    Tensor x = rows::make(mask.shape() + c.inner, c.dtype, mask);
    auto* to = x.impl().storage.data();
    for (const auto& p : pieces_) read_steps(c, piece_of(c, p), to);
    return x;
  }

  Mask mask_of(const Column& c) {
    const Runs* key = c.even ? nullptr : c.runs.get();
    for (const auto& [runs, mask] : masks_) {
      if (runs == key) return mask;
    }
    std::vector<std::int64_t> lengths;
    for (const auto& p : pieces_) lengths.push_back(piece_of(c, p).steps);
    masks_.emplace_back(key, masks::from_lengths(lengths, any, "Dataset"));
    return masks_.back().second;
  }

  std::span<const Piece> pieces_;
  std::vector<std::pair<const Runs*, Mask>> masks_;
};

}  // namespace

ColumnSource::ColumnSource(ColumnSet set) : set_(std::move(set)) {
  for (const auto& c : set_.inputs) {
    if (!steps_) steps_ = c.runs;
  }
  for (std::size_t i = 0; i < set_.inputs.size(); ++i) {
    compare(set_.inputs[i], fmt::format("input {}", i));
  }
  for (auto& c : set_.target) compare(c, "the target");
  for (auto& c : set_.weight) compare(c, "the weight");
}

void ColumnSource::compare(Column& c, const std::string& name) {
  if (!c.runs || !steps_) return;
  const auto& expected = steps_->length;
  const auto& found = c.runs->length;
  const auto [a, b] = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  c.even = a == expected.end();
  if (c.even || !uneven_.empty()) return;
  uneven_ = fmt::format("sequence {} has {} steps in the first input and {} in {}",
                        a - expected.begin(), *a, *b, name);
}

std::int64_t ColumnSource::length(std::int64_t sample) const {
  return steps_ ? steps_->length[static_cast<std::size_t>(sample)] : 1;
}

std::int64_t ColumnSource::part(std::int64_t sample) const {
  return set_.parts.empty() ? -1 : set_.parts[static_cast<std::size_t>(sample)];
}

Batch ColumnSource::read(std::span<const Piece> pieces) const {
  Assembly assembly(pieces);
  Batch batch;
  for (const auto& c : set_.inputs) batch.inputs.push_back(assembly.read(c));
  for (const auto& c : set_.target) batch.target = assembly.read(c);
  for (const auto& c : set_.weight) batch.weight = assembly.read(c);
  return batch;
}

void ColumnSource::check_cuts(std::string_view where) const {
  if (steps_ && uneven_.empty()) return;
  fail<ShapeError>(
      where,
      "{}, so sequences cannot be cut; expected inputs and target of the same lengths; "
      "leave them whole",
      steps_ ? uneven_ : "no input has steps");
}

}  // namespace maskgrad::data
