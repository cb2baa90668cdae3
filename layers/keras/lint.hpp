#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <maskgrad/layers/keras/load.hpp>

namespace maskgrad {

/// A layer that refuses a mask here.
struct LintRefusal {
  std::string layer, class_name, why;
};

/// One call of a layer in Keras, nested models written out.
struct LintCall {
  std::string layer, class_name;
  bool mask_in = false;
  /// `makes`, `reads, passes`, `reads, ends`, `passes`, `drops`, `ignores`, `part of a mask`,
  /// `unknown`, or `none` where no mask comes in.
  std::string does = "none";
  std::string why = "";   ///< may be empty
  bool mask_out = false;  ///< of its first result
  bool padded = false;    ///< reads steps of which some are padding
  bool known = true;      ///< what it does with steps: of a custom class or a Lambda only once told
  /// Calls that it reads, and whether their masks come with them; inputs have the numbers behind
  /// the calls.
  std::vector<std::pair<std::size_t, bool>> sources = {};
};

/// How far an output moves when nothing but padding changes. Without a number where it was not
/// run, infinite where a value turns NaN or is there no more.
struct LintProof {
  std::string output;
  std::optional<double> alone;  ///< between each sequence alone and in a padded batch
  std::optional<double> large;  ///< when padding is 1e30
  std::optional<double> nan;    ///< when padding is NaN
};

/// What a model file of Keras does with masks and with padding.
struct Lint {
  std::string file, container, keras_version;
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> inputs;
  std::vector<std::string> outputs;
  std::vector<LintCall> calls;
  std::vector<std::string> mask_made_by, mask_read_by, mask_ends_in, mask_dropped_by,
      mask_ignored_by, padding_read_as_data_by, mask_unknown_in;
  std::vector<std::pair<std::string, bool>> output_carries_mask;
  std::vector<LintRefusal> refuses_now;     ///< here, for the file as it is
  std::vector<LintRefusal> refuses_masked;  ///< with a mask at every input that has steps
  std::optional<bool> padding_reaches_result;
  std::string padding_reaches_result_is;  ///< how that is known
  std::vector<LintProof> proof;
  std::vector<std::string> notes;  ///< what is odd about the file
  std::vector<std::string> what_to_do;
  std::string says;     ///< all of it in a sentence or two
  bool custom = false;  ///< a layer that nobody told makes it impossible to say

  /// 0: padding reaches no result; 1: it does; 3: a custom layer makes it impossible to say.
  int status() const;
  std::string table() const;
  std::string json() const;
  std::string dot() const;   ///< for Graphviz
  std::string html() const;  ///< one page with a picture, which needs nothing else
};

/// Reads a model file of Keras, and says layer by layer where masks are made, read, passed on,
/// dropped and ignored, by the rules of the Keras that wrote it; which layers read padding as data;
/// and what to do. Where all layers are known it runs the model, to see which outputs move when
/// padding does. Nothing in the file is run.
/// Throws:   FileError for what cannot be read.
Lint lint(const std::filesystem::path& path, const KerasOptions& options = {});

}  // namespace maskgrad
