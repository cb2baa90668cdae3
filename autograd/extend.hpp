#pragma once

/// For authors of operations: rows, the tape, and checks. Users of tensors need none of it. What is
/// theirs alone stands in namespace maskgrad::extend, which whoever includes this sees in maskgrad.

#include <maskgrad/autograd/adjoint.hpp>
#include <maskgrad/autograd/check.hpp>
#include <maskgrad/autograd/record.hpp>
#include <maskgrad/core/dtype.hpp>
#include <maskgrad/core/pooled.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/core/shape.hpp>
#include <maskgrad/core/threads.hpp>

namespace maskgrad {
using namespace extend;
}  // namespace maskgrad
