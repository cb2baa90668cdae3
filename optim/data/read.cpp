#include <maskgrad/optim/data/read.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <maskgrad/core/io/room.hpp>
#include <maskgrad/core/nearest.hpp>
#include <maskgrad/core/quoted.hpp>
#include <maskgrad/optim/data/array_file.hpp>
#include <maskgrad/optim/data/array_values.hpp>
#include <maskgrad/optim/data/columns.hpp>
#include <maskgrad/optim/data/step_runs.hpp>

namespace maskgrad {
namespace {

using data::Column;
using data::Runs;

constexpr std::string_view in_read_dataset = "read_dataset";

/// Makes the columns of a data set from the arrays of a file.
class Assembler {
 public:
  Assembler(const std::filesystem::path& path, ReadOptions options)
      : path_(path.string()), options_(std::move(options)) {
    if (options_.inputs.empty()) {
      fail<OptionError>(in_read_dataset,
                        ".inputs is empty; expected the names of one array or more");
    }
    file_ = data::open_array_file(path, options_);
    auto& first = options_.inputs[0];
    if (first.per == ValuesPer::automatic) first.per = ValuesPer::step;
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
    fail<FileError>(in_read_dataset, "{}: {}", path_,
                    detail::format(text, fmt::make_format_args(args...)));
  }

  detail::ArrayRows rows(std::string_view option, const std::string& name) const {
    if (file_->contains(name)) {
      const detail::ArrayRows found = checked(file_->rows(name), name);
      if (options_.verify && found.in_file()) file_->verify(name);  // others were read whole
      return found;
    }
    const auto names = file_->names();
    const std::vector<std::string_view> known(names.begin(), names.end());
    fail<OptionError>(in_read_dataset, "{} has no array '{}' (.{}); {}", path_, name, option,
                      known.empty() ? "it has none" : nearest_hint(name, known));
  }

  /// Rows without values take no bytes: a file could claim any number of them.
  detail::ArrayRows checked(detail::ArrayRows r, const std::string& name) const {
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
    const detail::ArrayRows r = rows(option, name);
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
  void take_steps(data::StepRuns found) {
    time_ = found.time;
    steps_ = std::make_shared<Runs>(std::move(found.runs));
  }
  Runs runs_of_mask(const std::string& name);
  Column column(const ReadField& field, std::string_view option);
  bool must_be_steps(const detail::ArrayRows& r, std::string_view option) const;
  bool has_steps(const ReadField& field, const detail::ArrayRows& r, std::string_view option) const;
  detail::ArrayRows numbered(const std::string& name) {
    names_.classes = options_.classes;
    return data::number_texts(file_->texts(name), path_ + ", array " + detail::in_quotes(name),
                              names_.classes);
  }
  std::vector<std::int64_t> parts();

  std::string path_;
  ReadOptions options_;
  std::unique_ptr<data::ArrayFile> file_;
  std::shared_ptr<const Runs> steps_;
  std::int64_t time_ = -1;  // of padded arrays; -1 where sequences stand one after the other
  std::int64_t step_rows_ = 0, longest_ = 0;
  data::Names names_;
};

/// Where each sequence's steps stand in the first input, and in the arrays like it.
void Assembler::find_steps() {
  const auto& name = options_.inputs[0].name;
  const detail::ArrayRows values = rows("inputs", name);
  const auto lengths = name_of(options_.lengths, "lengths");
  auto mask = options_.mask;
  if (mask.empty() && options_.lengths.empty()) mask = name_of(mask, "mask");
  const data::ArrayFacts facts{path_, name, values.shape(), options_.layout};
  const bool one = options_.layout == StepLayout::one_sequence;
  if (one && !(lengths.empty() && mask.empty())) {
    fail<OptionError>(in_read_dataset,
                      "{} has '{}', but .layout says that it is one sequence; leave out one", path_,
                      lengths.empty() ? mask : lengths);
  }
  if (!mask.empty()) {
    if (!lengths.empty() || options_.layout == StepLayout::rows) {
      fail<OptionError>(in_read_dataset,
                        "{} has both '{}' and '{}'; say which of them tells the steps, in .lengths "
                        "or .mask",
                        path_, lengths.empty() ? ".layout = StepLayout::rows" : lengths, mask);
    }
    steps_ = std::make_shared<Runs>(runs_of_mask(mask));
  } else {
    take_steps(lengths.empty()
                   ? data::runs_without_lengths(facts, file_->names())
                   : data::runs_by_lengths(facts, lengths, whole_numbers("lengths", lengths)));
  }
  if (time_ < 0) step_rows_ = values.rows();
  longest_ =
      steps_->length.empty() ? 0 : *std::max_element(steps_->length.begin(), steps_->length.end());
  if (longest_ > 0 || options_.allow_empty) return;
  refuse(
      "nothing is there: {} sequences without a step; expected at least one step; set .allow_empty "
      "where a set of nothing is meant",
      steps_->length.size());
}

Runs Assembler::runs_of_mask(const std::string& name) {
  const detail::ArrayRows r = rows("mask", name);
  if (r.shape().size() != 2) {
    refuse("the mask '{}' has the shape [{}]; expected [sequences, time]", name,
           fmt::join(r.shape(), ", "));
  }
  time_ = r.shape()[1];
  const auto size = static_cast<std::size_t>(r.rows() * time_);
  std::unique_ptr<bool[]> bits;
  detail::with_room({std::string(in_read_dataset), path_}, size,
                    [&] { bits = std::make_unique<bool[]>(size); });
  r.read(0, r.rows(), DType::boolean, reinterpret_cast<std::byte*>(bits.get()));
  return Runs::of_bits({bits.get(), size}, r.rows(), time_);
}

/// Whether an array that has a row for each sequence and one for each step can only have steps.
bool Assembler::must_be_steps(const detail::ArrayRows& r, std::string_view option) const {
  if (time_ < 0 || time_ == 1) return false;
  // [sequences, time] of real numbers may be a vector for each sequence, numbers hardly so.
  if (r.shape().size() > 2 || option == "weight") return true;
  return r.dtype() != DType::f32 && r.dtype() != DType::f64 && !data::is_one_hot(r);
}

/// Whether an array has a row for each step; otherwise it has one for each sequence.
bool Assembler::has_steps(const ReadField& field, const detail::ArrayRows& r,
                          std::string_view option) const {
  const auto& shape = r.shape();
  const auto sequences = static_cast<std::int64_t>(steps_->length.size());
  const bool padded = time_ >= 0;
  const bool steps = padded ? shape.size() >= 2 && shape[0] == sequences && shape[1] == time_
                            : !shape.empty() && shape[0] == step_rows_;
  const bool whole = !shape.empty() && shape[0] == sequences;
  const auto rows_of_steps = padded
                                 ? fmt::format("[{}, {}, ...], rows of each step", sequences, time_)
                                 : fmt::format("a row for each of {} steps", step_rows_);
  const auto rows_of_sequences = fmt::format("a row for each of {} sequences", sequences);
  const auto given = fmt::format("the array {} has the shape [{}]", detail::in_quotes(field.name),
                                 fmt::join(shape, ", "));
  if (field.per == ValuesPer::automatic && sequences > 0) {
    if (steps && whole) {
      if (must_be_steps(r, option)) return true;
      refuse(
          "{}; that fits {}, and {}; set .per of the field to ValuesPer::step or "
          "ValuesPer::sequence",
          given, rows_of_steps, rows_of_sequences);
    }
    if (!padded && whole && shape.size() >= 2 && longest_ > 1 && shape[1] == longest_) {
      refuse(
          "{}; that fits {}, and padded steps; set .per of the field to ValuesPer::sequence, or "
          ".lengths "
          "of the field to '{}' where it holds padded steps",
          given, rows_of_sequences, name_of(options_.lengths, "lengths"));
    }
  }
  const bool wants =
      field.per == ValuesPer::step || (field.per == ValuesPer::automatic && steps && !whole);
  if (wants ? steps : whole) return wants;
  refuse("{}; expected {}", given,
         field.per == ValuesPer::step       ? rows_of_steps
         : field.per == ValuesPer::sequence ? rows_of_sequences
                                            : rows_of_steps + ", or " + rows_of_sequences);
}

Column Assembler::column(const ReadField& field, std::string_view option) {
  const bool texts =
      option == "target" && file_->contains(field.name) && file_->holds_texts(field.name);
  const detail::ArrayRows r = texts ? numbered(field.name) : rows(option, field.name);
  Column c{r};
  if (!field.lengths.empty()) {
    const data::ArrayFacts facts{path_, field.name, r.shape(), field.layout};
    auto found =
        data::runs_by_lengths(facts, field.lengths, whole_numbers("lengths", field.lengths));
    c.runs = std::make_shared<Runs>(std::move(found.runs));
    check_count(field.lengths, c.runs->length.size());
    if (found.time >= 0) c.rows = r.merged();
  } else if (has_steps(field, r, option)) {
    c.runs = steps_;
    if (time_ >= 0) c.rows = r.merged();
  }
  const bool classes = r.dtype() == DType::i64 && option == "target";
  c.dtype = field.dtype.value_or(classes ? DType::i64 : DType::f32);
  if (c.dtype == DType::i64) data::check_ids(r);
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
  if (names_.classes.empty()) names_.classes = file_->classes();
  if (names_.classes.empty()) names_.classes = options_.classes;
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
