#pragma once

#include <maskgrad/layers/basic/lambda.hpp>
#include <maskgrad/layers/keras/make.hpp>

/// Parts of the functions of Keras 3's ops that stand in a graph.
namespace maskgrad::detail {

inline constexpr MaskContract op_by_value{.role = MaskRole::propagates,
                                          .why = "each value is mapped by itself"};
inline constexpr MaskContract op_over_steps{.role = MaskRole::consumes,
                                            .why = "reduces each sequence's valid steps"};
inline constexpr MaskContract op_inside_steps{.role = MaskRole::propagates,
                                              .why = "stays inside of each step"};
inline constexpr MaskContract op_by_position{.role = MaskRole::unsupported,
                                             .why = "it goes by the steps' positions",
                                             .ways_out = "x.drop_mask(\"why\")"};

/// An option of a function: in its own configuration, by keyword, or by position.
Json op_option(const KerasStep& step, const char* key, std::size_t position);
std::vector<int> op_axes(const Json& json);
AnyLayer op_lambda(const std::string& name, Callable function, MaskContract contract);

/// Functions that take, move, join or reshape; none for others.
std::optional<AnyLayer> make_keras_shaping(const KerasStep& step, const KerasMaking& making);

}  // namespace maskgrad::detail
