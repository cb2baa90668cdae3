#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/optim/data/batches.hpp>
#include <maskgrad/optim/distributed/rank_options.hpp>

namespace maskgrad::detail {

/// OptionError, on all ranks alike, where one has other settings (JSON) than rank 0: each
/// difference with both values. What lets other numbers of ranks have other bits, and nothing else,
/// is given back as lines to be said: instructions, the compiler.
std::vector<std::string> check_agreement(std::string_view where, const Communicator& communicator,
                                         const std::string& settings);

/// What tells the data of two ranks apart: the lengths of all sequences, and the values of the
/// first batch. JSON.
std::string fingerprint(const Batches& batches);
/// The same of named values. JSON.
std::string fingerprint(const std::vector<std::pair<std::string, Tensor>>& values);

/// Runs `f`; where it throws, all other ranks are told.
template <class F>
auto or_abort(const Communicator& communicator, F&& f) {
  try {
    return f();
  } catch (const RankError&) {
    throw;  // of another rank, or known to all
  } catch (const std::exception& error) {
    communicator.abort(error.what());
    throw;
  }
}

}  // namespace maskgrad::detail
