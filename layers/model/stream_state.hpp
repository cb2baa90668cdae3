#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/layers/model/stream.hpp>

/// Whether a stream can go on from a state.
namespace maskgrad::detail {

/// Of each layer a line that tells it from others as far as states go: its path, its kind, its
/// options where it lists them, its weights' types and shapes.
std::vector<std::string> layer_lines(const StreamedModel& model);
/// The first line in which two models differ, as a sentence; empty where none does.
std::string first_difference(const std::vector<std::string>& there,
                             const std::vector<std::string>& here);

/// ShapeError or OptionError, which begin with `where`, unless a stream that stands at `now` can go
/// on from `state`: the same sequences and context, and a model of the same layers.
void check_state(std::string_view where, const StreamState& state, const StreamState& now);

}  // namespace maskgrad::detail
