#pragma once

#include <string_view>

#include <maskgrad/layers/keras/load.hpp>

namespace maskgrad {

/// What stands for a custom layer, said in a word, for `.custom` and `maskgrad-lint --custom`: a
/// layer of this library, with its options as JSON behind it or none (`GlobalSumPooling1D`,
/// `Softmax{"axis": -1}`); or a role alone, for the lint: `propagates` (each step by itself, run as
/// the identity); and, which cannot be run, `supports` (over all steps, which stay), `consumes`
/// (over all steps, which end), `unsupported` (steps side by side). The mask itself ends in it:
/// classes of one's own drop masks in Keras.
/// Throws:   OptionError for another word, which lists the roles, and for options that do not fit.
/// Example:  mg::keras_stand_in("consumes");
KerasFactory keras_stand_in(std::string_view rule);

}  // namespace maskgrad
