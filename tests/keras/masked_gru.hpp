#pragma once

#include "keras/keras_files.hpp"

/// What many files hold: Masking, GRU and Dense over a batch of three padded sequences.
namespace keras_files {

inline maskgrad::Tensor padded_input() {
  maskgrad::Tensor x = maskgrad::random_normal({3, 5, 2}, maskgrad::Seed{7});
  return x.with_mask(maskgrad::Mask::from_lengths({5, 2, 3})).drop_mask("zeros as padding");
}
inline maskgrad::Tensor masked_input() {
  return padded_input().with_mask(maskgrad::Mask::from_lengths({5, 2, 3}));
}

inline const std::vector<hdf5_writer::Data> gru_weights{numbers({2, 9}, 1), numbers({3, 9}, 2),
                                                        numbers({2, 9}, 3)};
inline const std::vector<hdf5_writer::Data> dense_weights{numbers({3, 2}, 4), numbers({2}, 5)};

/// Masking, GRU and Dense with these weights.
inline maskgrad::Tensor expected(const maskgrad::Tensor& x) {
  maskgrad::Sequential model{maskgrad::Masking{}, maskgrad::GRU{{.units = 3}},
                             maskgrad::Dense{{.units = 2, .activation = "softmax"}}};
  model.build(maskgrad::Spec::f32({maskgrad::any, maskgrad::any, 2}), maskgrad::Seed{1});
  auto all = gru_weights;
  all.insert(all.end(), dense_weights.begin(), dense_weights.end());
  set(model, all);
  return model.predict(x);
}

inline const std::string gru_config =
    R"("units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": true,
       "return_sequences": false, "reset_after": true, "implementation": 2)";

}  // namespace keras_files
