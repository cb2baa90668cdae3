#include <maskgrad/layers/registry.hpp>

#include <maskgrad/layers/activation.hpp>
#include <maskgrad/layers/bidirectional.hpp>
#include <maskgrad/layers/conv1d.hpp>
#include <maskgrad/layers/dense.hpp>
#include <maskgrad/layers/dropout.hpp>
#include <maskgrad/layers/embedding.hpp>
#include <maskgrad/layers/global_pooling.hpp>
#include <maskgrad/layers/gru.hpp>
#include <maskgrad/layers/lstm.hpp>
#include <maskgrad/layers/masking.hpp>
#include <maskgrad/layers/simple_rnn.hpp>

namespace maskgrad {

std::vector<RegisteredLayer> builtin_layers() {
  return {
      registered<Masking>(),       registered<Embedding>(),
      registered<Dense>(),         registered<Activation>(),
      registered<Dropout>(),       registered<SimpleRNN>(),
      registered<GRU>(),           registered<LSTM>(),
      registered<Bidirectional>(), registered<GlobalAveragePooling1D>(),
      registered<MaskedConv1D>(),  registered<Conv1D>(),
  };
}

}  // namespace maskgrad
