#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <maskgrad/optim/data/dataset.hpp>

namespace maskgrad {

/// What an array of a file has a row for.
enum class ValuesPer { automatic, step, sequence };

/// How the steps of sequences stand in an array.
enum class StepLayout {
  automatic,    ///< what fits; refused where more than one does
  rows,         ///< [steps, ...]: one sequence after the other, by lengths
  padded,       ///< [sequences, time, ...]: by lengths or a mask, or all valid
  one_sequence  ///< [steps, ...]: all of it is one sequence
};

/// What ends a line of a CSV file, outside of quotes.
enum class LineEnd {
  automatic,  ///< what the file has; refused where CR stands alone among lines that end in LF
  lf,         ///< LF or CRLF; a CR alone is part of a field
  any         ///< LF, CRLF or CR
};

/// An array of a file, or a column of a CSV file, as an input, target or weight.
struct ReadField {
  std::string name = {};
  /// What batches hold; i64 for ids (whole numbers; a last axis of size 1 is left out). By default
  /// f32, and for a target of integers i64.
  std::optional<DType> dtype = {};
  ValuesPer per = ValuesPer::automatic;  ///< by default what fits; refused where both do
  std::string lengths = {};  ///< lengths of its own, where they are not those of the set
  StepLayout layout = StepLayout::automatic;  ///< with lengths of its own
  bool texts = false;  ///< CSV: a target is names of classes, also where all are numbers
};

/// Which array of a file is what. Those with a name in quotes below are taken where the file has
/// them, unless another is named; a name that is given must be there.
struct ReadOptions {
  std::vector<ReadField> inputs = {{"values"}};
  ReadField target = {};                  ///< "labels"
  ReadField weight = {};                  ///< none
  std::string lengths = {};               ///< "lengths": steps of each sequence
  std::string mask = {};                  ///< "mask": [sequences, time], true or 1 = valid
  std::string split = {};                 ///< "split": the part of each sequence, see Dataset::part
  std::string sequence = {};              ///< CSV, "sequence": which sequence a line is of
  std::vector<std::string> columns = {};  ///< CSV: features of `values`; by default all others
  StepLayout layout = StepLayout::automatic;  ///< of the first input, and of those like it
  /// Names of the target's classes in the order of their numbers, where it is texts; by default
  /// all that come, sorted.
  std::vector<std::string> classes = {};
  char delimiter = '\0';  ///< CSV; by default the one of , ; | and tab that splits the first line
  LineEnd line_end = LineEnd::automatic;  ///< CSV
  /// npz, safetensors: reads the arrays once when the file is opened, and compares them with the
  /// checksums that it carries. Else that of a stored npz array is known, and refused, when each of
  /// its rows was read once; a deflated one is read when it is opened.
  bool verify = false;
  bool allow_empty = false;  ///< a file without a step is a set of nothing, and not refused
};

/// A data set from a file, by its ending:
///   .npz          arrays, stored or deflated (np.savez, np.savez_compressed)
///   .safetensors  the same
///   .npy          x.npy is `values`; another array NAME is x_NAME.npy beside it
///   .csv          a header line; a line for each step, with the id of its sequence
/// `values` [steps, ...] holds the sequences of `lengths` one after the other; [sequences, time,
/// ...] holds them padded, by `mask` (or `lengths`, or all valid). A target of texts is numbered,
/// see Dataset::class_names; other names are read from texts `split_names` and `classes`. Sequences
/// are read from the file when a batch needs them; deflated and Fortran-ordered arrays and CSV
/// files are loaded. In a CSV file the lines of an id may stand apart; a target or weight is of
/// each step unless its field says ValuesPer::sequence.
/// Throws:   FileError, with place, what is there and what was expected; where a file has two
///           readings, or no step, with the option that decides. OptionError for other names.
/// Example:  mg::read_dataset("steps.csv", {.target = {.name = "label"}});
Dataset read_dataset(const std::filesystem::path& path, ReadOptions options = {});

}  // namespace maskgrad
