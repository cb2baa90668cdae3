#pragma once

/// All that users of the library need: `#include <maskgrad/maskgrad.hpp>`, `namespace mg =
/// maskgrad`.

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/core/memory.hpp>
#include <maskgrad/core/random.hpp>
#include <maskgrad/core/threads.hpp>
#include <maskgrad/layers/activation.hpp>
#include <maskgrad/layers/bidirectional.hpp>
#include <maskgrad/layers/conv1d.hpp>
#include <maskgrad/layers/dense.hpp>
#include <maskgrad/layers/dropout.hpp>
#include <maskgrad/layers/embedding.hpp>
#include <maskgrad/layers/factory.hpp>
#include <maskgrad/layers/global_pooling.hpp>
#include <maskgrad/layers/gru.hpp>
#include <maskgrad/layers/losses.hpp>
#include <maskgrad/layers/lstm.hpp>
#include <maskgrad/layers/masking.hpp>
#include <maskgrad/layers/metrics.hpp>
#include <maskgrad/layers/model.hpp>
#include <maskgrad/layers/sequential.hpp>
#include <maskgrad/layers/simple_rnn.hpp>
#include <maskgrad/layers/support.hpp>
#include <maskgrad/layers/testing.hpp>
#include <maskgrad/layers/weights_file.hpp>
#include <maskgrad/layers/weights_torch.hpp>
#include <maskgrad/optim/accumulate.hpp>
#include <maskgrad/optim/adam.hpp>
#include <maskgrad/optim/clip.hpp>
#include <maskgrad/optim/factory.hpp>
#include <maskgrad/optim/sgd.hpp>
