#pragma once

/// Every operation for users.

#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/linear/batched_matmul.hpp>
#include <maskgrad/autograd/ops/linear/einsum.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/loss/crf.hpp>
#include <maskgrad/autograd/ops/loss/ctc.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/noise/dropout.hpp>
#include <maskgrad/autograd/ops/normalization/normalize.hpp>
#include <maskgrad/autograd/ops/reduce/cumulative.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/autograd/ops/reduce/standardize.hpp>
#include <maskgrad/autograd/ops/sequence/depthwise.hpp>
#include <maskgrad/autograd/ops/sequence/overlap_add.hpp>
#include <maskgrad/autograd/ops/sequence/positions.hpp>
#include <maskgrad/autograd/ops/sequence/recurrent.hpp>
#include <maskgrad/autograd/ops/sequence/segment.hpp>
#include <maskgrad/autograd/ops/sequence/sequence.hpp>
#include <maskgrad/autograd/ops/sequence/windows.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/autograd/ops/shape/sort.hpp>
#include <maskgrad/autograd/ops/shape/steps.hpp>
