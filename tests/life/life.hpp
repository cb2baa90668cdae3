#pragma once

#include <atomic>
#include <cstdint>

#include <maskgrad/maskgrad.hpp>

/// What the cases are made of: each is a process of its own, which has to end by itself.
namespace life {

namespace mg = maskgrad;

/// Ends the process with a failure.
[[noreturn]] void wrong(const char* what);
void expect(bool right, const char* what);

/// A small model of 16 features, and a batch for it.
mg::Sequential built();
mg::Tensor batch(std::int64_t sequences = 16, std::int64_t steps = 40);
/// The loss of the last step.
double train(mg::Sequential& model, mg::Adam& adam, int steps = 2);
/// The large product that uses all threads.
mg::Tensor product();

/// Set once compute_for_ever has done some of it.
extern std::atomic<bool> computing;
void compute_for_ever();

// The cases: 0 where all is well.
int forks();
int forks_while_threads_compute();
int forks_beside_a_loader();
int fork_inside_work();
int no_room_for_blas();
int no_memory();

}  // namespace life
