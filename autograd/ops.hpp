#pragma once

/// Every operation.

#include <maskgrad/autograd/ops/activations.hpp>
#include <maskgrad/autograd/ops/additive_attention.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/attention.hpp>
#include <maskgrad/autograd/ops/batched_matmul.hpp>
#include <maskgrad/autograd/ops/binary_cross_entropy.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/concatenate.hpp>
#include <maskgrad/autograd/ops/crf.hpp>
#include <maskgrad/autograd/ops/cross_entropy.hpp>
#include <maskgrad/autograd/ops/ctc.hpp>
#include <maskgrad/autograd/ops/cumulative.hpp>
#include <maskgrad/autograd/ops/dropout.hpp>
#include <maskgrad/autograd/ops/einsum.hpp>
#include <maskgrad/autograd/ops/gather.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/matmul.hpp>
#include <maskgrad/autograd/ops/normalise.hpp>
#include <maskgrad/autograd/ops/permute.hpp>
#include <maskgrad/autograd/ops/positions.hpp>
#include <maskgrad/autograd/ops/recurrent.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/repeat.hpp>
#include <maskgrad/autograd/ops/reshape.hpp>
#include <maskgrad/autograd/ops/segment.hpp>
#include <maskgrad/autograd/ops/select_where.hpp>
#include <maskgrad/autograd/ops/sequence.hpp>
#include <maskgrad/autograd/ops/slice.hpp>
#include <maskgrad/autograd/ops/softmax.hpp>
#include <maskgrad/autograd/ops/sort.hpp>
#include <maskgrad/autograd/ops/standardise.hpp>
#include <maskgrad/autograd/ops/steps.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
#include <maskgrad/autograd/ops/windows.hpp>
