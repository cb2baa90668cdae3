#pragma once

#include <string>
#include <vector>

#include <maskgrad/core/io/array_rows.hpp>

namespace maskgrad::data {

/// Whether each row of [rows, n] has a single 1, and zeros.
bool is_one_hot(const detail::ArrayRows& r);

/// Refuses, with the place, ids that are no whole numbers, before a batch needs them.
void check_ids(const detail::ArrayRows& r);

/// Texts as numbers, in the order of `classes`; where that is empty, of all that come, sorted,
/// which it becomes. `name` is for messages.
detail::ArrayRows number_texts(const std::vector<std::string>& texts, const std::string& name,
                               std::vector<std::string>& classes);

}  // namespace maskgrad::data
