#include <maskgrad/optim/train/fit.hpp>

#include <maskgrad/optim/distributed/agreement.hpp>
#include <maskgrad/optim/train/fit_run.hpp>

namespace maskgrad {

History fit(detail::ModelRef model, Optimizer& optimizer, const Batches& batches,
            FitOptions options) {
  const Communicator ranks = options.ranks.communicator;
  return detail::or_abort(ranks, [&] {
    return detail::FitRun(std::move(model), optimizer, batches, std::move(options)).run();
  });
}

}  // namespace maskgrad
