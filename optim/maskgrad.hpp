#pragma once

/// All that users of the library need: `#include <maskgrad/maskgrad.hpp>`, `namespace mg =
/// maskgrad`.

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/core/memory.hpp>
#include <maskgrad/core/random.hpp>
#include <maskgrad/core/threads.hpp>
#include <maskgrad/layers/accepts_masks.hpp>
#include <maskgrad/layers/basic/activation.hpp>
#include <maskgrad/layers/basic/dense.hpp>
#include <maskgrad/layers/basic/embedding.hpp>
#include <maskgrad/layers/basic/masking.hpp>
#include <maskgrad/layers/convolution/conv1d.hpp>
#include <maskgrad/layers/factory.hpp>
#include <maskgrad/layers/losses/losses.hpp>
#include <maskgrad/layers/metrics/metrics.hpp>
#include <maskgrad/layers/model/functional.hpp>
#include <maskgrad/layers/model/model.hpp>
#include <maskgrad/layers/model/sequential.hpp>
#include <maskgrad/layers/model/weights_file.hpp>
#include <maskgrad/layers/model/weights_torch.hpp>
#include <maskgrad/layers/pooling/global_pooling.hpp>
#include <maskgrad/layers/recurrent/bidirectional.hpp>
#include <maskgrad/layers/recurrent/gru.hpp>
#include <maskgrad/layers/recurrent/lstm.hpp>
#include <maskgrad/layers/recurrent/rnn.hpp>
#include <maskgrad/layers/recurrent/simple_rnn.hpp>
#include <maskgrad/layers/regularization/dropout.hpp>
#include <maskgrad/layers/support.hpp>
#include <maskgrad/layers/testing.hpp>
#include <maskgrad/optim/accumulate.hpp>
#include <maskgrad/optim/adam.hpp>
#include <maskgrad/optim/clip.hpp>
#include <maskgrad/optim/factory.hpp>
#include <maskgrad/optim/sgd.hpp>
