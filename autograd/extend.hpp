#pragma once

/// For authors of operations: rows, the tape, and checks. Users of tensors need none of it.

#include <maskgrad/autograd/check.hpp>
#include <maskgrad/autograd/tape.hpp>
#include <maskgrad/core/rows.hpp>
