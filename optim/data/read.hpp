#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <maskgrad/optim/data/dataset.hpp>

namespace maskgrad {

/// What an array of a file has a row for.
enum class Per { automatic, step, sequence };

/// An array of a file, or a column of a CSV file, as an input, target or weight.
struct Field {
  std::string name = {};
  /// What batches hold; i64 for ids (whole numbers; a last axis of size 1 is left out). By default
  /// f32, and for a target of integers i64.
  std::optional<DType> dtype = {};
  /// By default what fits; where a file has as many steps as sequences, an input has steps.
  Per per = Per::automatic;
  std::string lengths = {};  ///< lengths of its own, where they are not those of the set
};

/// Which array of a file is what. Those with a name in quotes below are taken where the file has
/// them, unless another is named; a name that is given must be there.
struct ReadOptions {
  std::vector<Field> inputs = {{"values"}};
  Field target = {};                      ///< "labels"
  Field weight = {};                      ///< none
  std::string lengths = {};               ///< "lengths": steps of each sequence
  std::string mask = {};                  ///< "mask": [sequences, time], true or 1 = valid
  std::string split = {};                 ///< "split": the part of each sequence, see Dataset::part
  std::string sequence = {};              ///< CSV, "sequence": which sequence a line is of
  std::vector<std::string> columns = {};  ///< CSV: features of `values`; by default all others
};

/// A data set from a file, by its ending:
///   .npz          arrays, stored or deflated (np.savez, np.savez_compressed)
///   .safetensors  the same
///   .npy          x.npy is `values`; another array NAME is x_NAME.npy beside it
///   .csv          a header line; a line for each step, with the id of its sequence
/// `values` [steps, ...] holds the sequences of `lengths` one after the other; [sequences, time,
/// ...] holds them padded, by `mask` (or `lengths`, or all valid). Names of parts and classes are
/// read from texts `split_names` and `classes`. Sequences are read from the file when a batch needs
/// them, so that a set may be larger than memory; deflated and Fortran-ordered arrays and CSV files
/// are loaded. In a CSV file the lines of a sequence may stand apart; a target or weight is of each
/// step unless its field says Per::sequence.
/// Throws:   FileError, with file, place, what is there and what was expected; OptionError for a
///           name that is not there.
Dataset read_dataset(const std::filesystem::path& path, ReadOptions options = {});

}  // namespace maskgrad
