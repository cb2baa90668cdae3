#pragma once

#include <maskgrad/layers/keras/flat.hpp>

/// What Keras's layers do with a mask and with padding, by class and options.
namespace maskgrad::detail {

/// What a layer does with a mask that comes in, in Keras.
enum class KerasRole : std::uint8_t {
  makes,         ///< Masking, Embedding with mask_zero
  reads,         ///< recurrent layers, attention, GlobalAveragePooling1D
  passes,        ///< supports_masking: hands it on without reading it
  merges,        ///< Add, Multiply, ...: one mask of several
  concatenates,  ///< Concatenate
  drops,         ///< warns, or does not even do that
  compares,      ///< an operation that makes a mask as a tensor
  unknown        ///< a custom class
};

/// What the layer does with steps, whoever computes it.
enum class KerasSteps : std::uint8_t {
  each,       ///< each step by itself
  reads,      ///< reads all steps, and gives one result for each
  ends,       ///< reads all steps, and gives one result
  windows,    ///< mixes neighboring steps
  positions,  ///< moves or merges steps by their positions
  unknown
};

/// A custom class or Lambda that the user told, and how it treats steps.
struct KerasTold {
  bool told = false;
  KerasSteps steps = KerasSteps::unknown;
};

struct KerasTraits {
  KerasRole role = KerasRole::unknown;
  KerasSteps steps = KerasSteps::unknown;
  std::string reads_padding = "";  ///< why, where padding is data to it
  bool silent = false;             ///< drops a mask without a warning
};

/// `rank` is that of its first input, `steps` how many steps that has (mg::any: not known).
KerasTraits keras_traits(const KerasLayer& layer, int rank, std::int64_t steps,
                         KerasTold told = {});

/// The rank and the steps of what a layer gives, from those of its inputs.
struct KerasShape {
  int rank = 0;  ///< 0: not known
  std::int64_t steps = any;
};
KerasShape keras_shape(const KerasLayer& layer, const std::vector<KerasShape>& inputs, int result);

bool is_recurrent(const KerasLayer& layer);
bool is_attention(const KerasLayer& layer);
/// Of a recurrent layer, or of the one in a Bidirectional.
bool returns_sequences(const KerasLayer& layer);
/// Whether the class is a layer's, and no function of keras.ops has its name.
bool is_layer_alone(std::string_view class_name);
/// Whether this library, or what was told, knows the class.
bool is_custom(const KerasLayer& layer);

}  // namespace maskgrad::detail
