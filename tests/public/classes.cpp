#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "declared.hpp"
#include "declared_in.hpp"

namespace maskgrad::tests {
namespace {

const std::filesystem::path root = MASKGRAD_ROOT;

/// Why classes have no row of their own: what they are, and which.
const std::map<std::string, std::string>& reasons() {
  static const std::map<std::string, std::string> all{
      {"an error",
       "FileError GradError IndexError MaskError MemoryError OptionError ShapeError "
       "StateError TypeError RankError "},
      {"what a call gives",
       "BatchResult CRFDecodeResult CTCDecodeResult CausalConvolutionResult DataDescription Epoch "
       "EpochRecord FitEvent Flow Forecast LintCall LintProof LintRefusal MeasuredTime "
       "RankForecast "
       "RankTraffic StreamState "
       "TimeContract "
       "GradcheckReport LawReport LinearRecurrenceResult LoadReport MaskContract NamedParameter "
       "RecurrentResult SelectiveScanResult StepReport TopKResult UpdateEvent "},
      {"what a call takes, in the rows of those",
       "Affine CausalConvolutionOptions ReadField JsonLimits LawInput "
       "LayerInfo LinearRecurrenceOptions NoisePosition "
       "RecurrentState RecurrentWeights SchedulePosition SelectiveScanOptions Variable "},
      {"made by its name, in the rows of make_metric",
       "Accuracy BinaryAccuracy CategoricalAccuracy EditDistance F1Score "
       "MeanSquaredError Perplexity Precision R2Score Recall RootMeanSquaredError "
       "SparseCategoricalAccuracy SparseTopKCategoricalAccuracy "
       "TopKCategoricalAccuracy "},
      {"made by its name, in the rows of make_optimizer",
       "Adadelta Adagrad AdamW Adamax Lion Nadam RMSprop "},
      {"made by its name, in the rows of make_schedule",
       "CosineDecay ExponentialDecay OneCycle Plateau StepDecay WarmUp "},
      {"what classes in rows have in common", "Metric Optimizer "},
      {"a part of layers in rows",
       "LSTMCell "
       "SimpleRNNCell "},
      {"for authors of operations",
       "Adjoint Broadcast Grads NoisePlaces NoiseWords PaddedSteps "
       "Reduced Saved Second Sequences "},
      {"lives as long as a block", "Evaluate Interrupts JsonLimitsScope NoGrad "},
      {"what a function of rows hands to another", "Callable KerasCustom TrainStep "},
  };
  return all;
}

}  // namespace

std::set<std::string> declared_classes() {
  static const std::regex type(
      R"(^(?:template <.*> ?)?(?:class|struct)(?: \[\[\w+\]\])? (\w+)(?: final)?(?: :[^;]*)?(?: \{.*)?$)");
  std::set<std::string> all;
  each_public_header([&](const auto& header) { all.merge(declared_in(header, type)); });
  return all;
}

std::map<std::string, std::string> classes_without_row() {
  std::map<std::string, std::string> all;
  for (const auto& [why, names] : reasons()) {
    std::istringstream words(names);
    for (std::string name; words >> name;) all[name] = why;
  }
  return all;
}

std::set<std::string> words_of_rows() {
  static const std::regex word(R"(\w+)");
  std::set<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator(root / "tests" / "public")) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with("rows_") && name != "hostile.hpp") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      line.erase(std::min(line.find("//"), line.size()));
      for (std::sregex_iterator at(line.begin(), line.end(), word), end; at != end; ++at) {
        all.insert(at->str());
      }
    }
  }
  return all;
}

}  // namespace maskgrad::tests
