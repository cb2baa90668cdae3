#pragma once

#include <maskgrad/layers/onnx/families.hpp>
#include <maskgrad/layers/recurrent/recurrent_options.hpp>

namespace maskgrad::onnx {

/// How a recurrent layer runs.
struct Run {
  kernels::Cell cell = kernels::Cell::simple_rnn;
  detail::RecurrentSettings settings{.units = 1};
  bool backwards = false;
  bool flipped = false;  ///< outputs stand in the other order of time
  bool sequences = false;
};

/// What it gives: the output under its mask, and the states behind the last step.
struct RunResult {
  std::string output;
  MaskRef mask;
  Names states;
};

/// The output of each step of packed x, at the steps' own places, then the last states: what the
/// operators give, written out step by step.
Names run_scan(const Call& call, const Value& x, const Names& states, const Run& how);

/// The run over the valid steps of x, with the weights of the layer that is called.
RunResult run(const Call& call, const Value& x, const Values& initial, const Run& how);

}  // namespace maskgrad::onnx
