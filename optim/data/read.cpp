#include <maskgrad/optim/data/read.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/optim/data/array_file.hpp>
#include <maskgrad/optim/data/columns.hpp>

namespace maskgrad {
namespace {

using data::Column;
using data::Runs;

constexpr std::string_view where = "read_dataset";

/// Makes the columns of a data set from the arrays of a file.
class Assembler {
 public:
  Assembler(const std::filesystem::path& path, ReadOptions options)
      : path_(path.string()), options_(std::move(options)) {
    if (options_.inputs.empty()) {
      fail<OptionError>(where, ".inputs is empty; expected the names of one array or more");
    }
    file_ = data::open_array_file(path, options_);
    auto& first = options_.inputs[0];
    if (first.per == Per::automatic) first.per = Per::step;
  }

  Dataset dataset() {
    find_steps();
    data::ColumnSet set;
    for (const auto& field : options_.inputs) set.inputs.push_back(column(field, "inputs"));
    options_.target.name = name_of(options_.target.name, "labels");
    if (!options_.target.name.empty()) set.target.push_back(column(options_.target, "target"));
    if (!options_.weight.name.empty()) set.weight.push_back(column(options_.weight, "weight"));
    set.parts = parts();
    set.size = static_cast<std::int64_t>(steps_->length.size());
    auto names = std::make_shared<data::Names>(std::move(names_));
    return Dataset(std::make_shared<data::ColumnSource>(std::move(set)), std::move(names));
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) const {
    fail<FileError>(where, "{}: {}", path_, detail::format(text, fmt::make_format_args(args...)));
  }

  ArrayRows rows(std::string_view option, const std::string& name) const {
    if (file_->contains(name)) return checked(file_->rows(name), name);
    const auto names = file_->names();
    const std::vector<std::string_view> known(names.begin(), names.end());
    fail<OptionError>(where, "{} has no array '{}' (.{}); {}", path_, name, option,
                      known.empty() ? "it has none" : nearest_hint(name, known));
  }

  /// Rows without values take no bytes: a file could claim any number of them.
  ArrayRows checked(ArrayRows r, const std::string& name) const {
    if (r.rows() == 0 || r.width() > 0) return r;
    refuse("the array '{}' has the shape [{}]; expected rows of at least one value", name,
           fmt::join(r.shape(), ", "));
  }

  /// The name that was given, else the usual one where the file has it, else nothing.
  std::string name_of(const std::string& given, const std::string& usual) const {
    if (!given.empty()) return given;
    return file_->contains(usual) ? usual : std::string();
  }

  std::vector<std::int64_t> whole_numbers(std::string_view option, const std::string& name) const {
    const ArrayRows r = rows(option, name);
    if (r.shape().size() != 1) {
      refuse("the array '{}' has the shape [{}]; expected one axis, a number for each sequence",
             name, fmt::join(r.shape(), ", "));
    }
    std::vector<std::int64_t> values(static_cast<std::size_t>(r.rows()));
    r.read(0, r.rows(), DType::i64, reinterpret_cast<std::byte*>(values.data()));
    return values;
  }

  void check_count(const std::string& name, std::size_t values) const {
    if (values == steps_->length.size()) return;
    refuse("'{}' has {} values; expected one for each of {} sequences", name, values,
           steps_->length.size());
  }

  void find_steps();
  Runs runs_of_lengths(const std::string& name, const ArrayRows& values, const std::string& array);
  Runs runs_of_mask(const std::string& name);
  Column column(const Field& field, std::string_view option);
  bool has_steps(const Field& field, const ArrayRows& r, bool input) const;
  std::vector<std::int64_t> parts();

  std::string path_;
  ReadOptions options_;
  std::unique_ptr<data::ArrayFile> file_;
  std::shared_ptr<const Runs> steps_;
  std::int64_t time_ = -1;  // of padded arrays; -1 where sequences stand one after the other
  std::int64_t step_rows_ = 0;
  data::Names names_;
};

/// Where each sequence's steps stand in the first input, and in the arrays like it.
void Assembler::find_steps() {
  const auto& name = options_.inputs[0].name;
  const ArrayRows values = rows("inputs", name);
  const auto lengths = name_of(options_.lengths, "lengths");
  auto mask = options_.mask;
  if (mask.empty() && options_.lengths.empty()) mask = name_of(mask, "mask");
  const auto& shape = values.shape();
  if (!mask.empty()) {
    if (!lengths.empty()) {
      fail<OptionError>(where,
                        "{} has both '{}' and '{}'; say which of them tells the steps, in .lengths "
                        "or .mask",
                        path_, lengths, mask);
    }
    steps_ = std::make_shared<Runs>(runs_of_mask(mask));
  } else if (!lengths.empty()) {
    steps_ = std::make_shared<Runs>(runs_of_lengths(lengths, values, name));
  } else if (shape.size() >= 3) {
    time_ = shape[1];
    const auto all = std::vector<std::int64_t>(static_cast<std::size_t>(shape[0]), time_);
    steps_ = std::make_shared<Runs>(Runs::of_padded(all, time_));
  } else {
    refuse(
        "there are no lengths and no mask, and '{}' has the shape [{}]; expected lengths "
        "[sequences], a mask [sequences, time], or values [sequences, time, ...] that are all "
        "valid; it has {}",
        name, fmt::join(shape, ", "), fmt::join(file_->names(), ", "));
  }
  if (time_ < 0) step_rows_ = values.rows();
}

Runs Assembler::runs_of_lengths(const std::string& name, const ArrayRows& values,
                                const std::string& array) {
  auto lengths = whole_numbers("lengths", name);
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  std::int64_t sum = 0, longest = 0;
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    const auto n = lengths[s];
    if (n < 0) refuse("'{}' of sequence {} is {}; expected 0 or more", name, s, n);
    sum = n > most - sum ? most : sum + n;
    longest = std::max(longest, n);
  }
  const auto& shape = values.shape();
  if (!shape.empty() && sum == shape[0]) return Runs::of_lengths(std::move(lengths));
  const auto sequences = static_cast<std::int64_t>(lengths.size());
  if (shape.size() >= 2 && shape[0] == sequences && longest <= shape[1]) {
    time_ = shape[1];
    return Runs::of_padded(std::move(lengths), time_);
  }
  refuse(
      "'{}' has the shape [{}] and '{}' {} sequences of {} steps together, {} at most; expected "
      "one row for each step, or padded sequences [{}, {} or more, ...]",
      array, fmt::join(shape, ", "), name, sequences, sum, longest, sequences, longest);
}

Runs Assembler::runs_of_mask(const std::string& name) {
  const ArrayRows r = rows("mask", name);
  if (r.shape().size() != 2) {
    refuse("the mask '{}' has the shape [{}]; expected [sequences, time]", name,
           fmt::join(r.shape(), ", "));
  }
  time_ = r.shape()[1];
  const auto size = static_cast<std::size_t>(r.rows() * time_);
  const auto bits = std::make_unique<bool[]>(size);
  r.read(0, r.rows(), DType::boolean, reinterpret_cast<std::byte*>(bits.get()));
  return Runs::of_bits({bits.get(), size}, r.rows(), time_);
}

/// Whether an array has a row for each step; otherwise it has one for each sequence.
bool Assembler::has_steps(const Field& field, const ArrayRows& r, bool input) const {
  const auto& shape = r.shape();
  const auto sequences = static_cast<std::int64_t>(steps_->length.size());
  const bool padded = time_ >= 0;
  const bool steps = padded ? shape.size() >= 2 && shape[0] == sequences && shape[1] == time_
                            : !shape.empty() && shape[0] == step_rows_;
  const bool whole = !shape.empty() && shape[0] == sequences;
  const bool wants = field.per == Per::step ||
                     (field.per == Per::automatic && steps && (input || padded || !whole));
  if (wants ? steps : whole) return wants;
  const auto rows_of_steps = padded
                                 ? fmt::format("[{}, {}, ...], rows of each step", sequences, time_)
                                 : fmt::format("a row for each of {} steps", step_rows_);
  const auto rows_of_sequences = fmt::format("a row for each of {} sequences", sequences);
  refuse("the array '{}' has the shape [{}]; expected {}", field.name, fmt::join(shape, ", "),
         field.per == Per::step       ? rows_of_steps
         : field.per == Per::sequence ? rows_of_sequences
                                      : rows_of_steps + ", or " + rows_of_sequences);
}

Column Assembler::column(const Field& field, std::string_view option) {
  const bool input = option == "inputs";
  const ArrayRows r = rows(option, field.name);
  Column c{r};
  if (!field.lengths.empty()) {
    const auto time = std::exchange(time_, -1);
    c.runs = std::make_shared<Runs>(runs_of_lengths(field.lengths, r, field.name));
    check_count(field.lengths, c.runs->length.size());
    if (time_ >= 0) c.rows = r.merged();
    time_ = time;
  } else if (has_steps(field, r, input)) {
    c.runs = steps_;
    if (time_ >= 0) c.rows = r.merged();
  }
  const bool classes = r.dtype() == DType::i64 && option == "target";
  c.dtype = field.dtype.value_or(classes ? DType::i64 : DType::f32);
  const auto& shape = c.rows.shape();
  for (std::size_t axis = 1; axis < shape.size(); ++axis) c.inner.push_back(shape[axis]);
  if (c.dtype == DType::i64 && c.inner.rank() > 0 && c.inner.back() == 1) {
    c.inner = c.inner.sub(0, c.inner.rank() - 1);
  }
  return c;
}

/// Of which part each sequence is, and what parts and classes are called.
std::vector<std::int64_t> Assembler::parts() {
  const auto texts = [&](const std::string& name) {
    const bool there = file_->contains(name) && file_->holds_texts(name);
    return there ? file_->texts(name) : std::vector<std::string>();
  };
  names_.classes = texts("classes");
  const auto name = name_of(options_.split, "split");
  if (name.empty()) return {};
  auto numbers = whole_numbers("split", name);
  check_count(name, numbers.size());
  names_.parts = texts(name + "_names");
  const auto named = static_cast<std::int64_t>(names_.parts.size());
  for (std::size_t s = 0; s < numbers.size(); ++s) {
    if (numbers[s] >= 0 && (named == 0 || numbers[s] < named)) continue;
    refuse("'{}' of sequence {} is {}; expected the number of a part, {}", name, s, numbers[s],
           named == 0 ? std::string("0 or more") : fmt::format("0 to {}", named - 1));
  }
  return numbers;
}

}  // namespace

Dataset read_dataset(const std::filesystem::path& path, ReadOptions options) {
  return Assembler(path, std::move(options)).dataset();
}

}  // namespace maskgrad
