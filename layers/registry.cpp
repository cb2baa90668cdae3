#include <maskgrad/layers/registry.hpp>

#include <maskgrad/layers/activation.hpp>
#include <maskgrad/layers/conv1d.hpp>
#include <maskgrad/layers/dense.hpp>
#include <maskgrad/layers/dropout.hpp>
#include <maskgrad/layers/embedding.hpp>
#include <maskgrad/layers/global_pooling.hpp>
#include <maskgrad/layers/gru.hpp>
#include <maskgrad/layers/masking.hpp>

namespace maskgrad {

std::vector<MaskSupport> builtin_layers() {
  return {
      mask_support<Masking>(),
      mask_support<Embedding>(),
      mask_support<Dense>(),
      mask_support<Activation>(),
      mask_support<Dropout>(),
      mask_support<GRU>(),
      mask_support<GlobalAveragePooling1D>(),
      mask_support<MaskedConv1D>(),
      mask_support<Conv1D>(),
  };
}

}  // namespace maskgrad
