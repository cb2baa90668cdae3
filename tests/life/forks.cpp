// A process that forks: parent and child go on properly, each with threads and locks of its own.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "life.hpp"

namespace life {
namespace {

/// Whether a child ends well before the alarm.
template <class F>
bool child(F&& f) {
  const pid_t id = fork();
  if (id == 0) {
    alarm(20);
    f();
    std::exit(0);
  }
  int status = 0;
  waitpid(id, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

int forks() {
  auto model = built();
  mg::Adam adam{model.parameters()};
  train(model, adam);
  const auto right = product().to_vector<float>();
  const auto next = [&] {
    auto same = model.clone();
    mg::Adam own{same.parameters()};
    return train(same, own);
  };
  const double loss = next();
  expect(child([&] { expect(product().to_vector<float>() == right, "a product in a child"); }),
         "a child that multiplies");
  expect(child([&] { expect(next() == loss, "a training in a child"); }), "a child that trains");
  expect(child([] {
           mg::set_num_threads(2);
           product();
           mg::set_num_threads(5);
           product();
         }),
         "a child with another number of threads");
  expect(child([&] { expect(child([&] { next(); }), "a grandchild"); }), "a child that forks");
  expect(child([] {}), "a child that does nothing");
  expect(next() == loss, "the parent afterwards");
  return 0;
}

int forks_while_threads_compute() {
  for (int i = 0; i < 2; ++i) std::thread(compute_for_ever).detach();
  while (!computing) std::this_thread::yield();
  for (int i = 0; i < 15; ++i) {
    expect(child([] {
             auto model = built();
             mg::Adam adam{model.parameters()};
             train(model, adam, 1);
             product();
           }),
           "a child of a process with threads");
  }
  return 0;
}

int forks_beside_a_loader() {
  const mg::Dataset data = mg::Dataset::from_callback(
      {.lengths = std::vector<std::int64_t>(20, 1), .sample = [](std::int64_t i) {
         return mg::SequenceData{.inputs = {mg::full({1}, static_cast<double>(i))}};
       }});
  const mg::Batches batches{data, {.batch_size = 1, .shuffle = false, .prefetch = 2}};
  mg::Epoch epoch = batches.epoch(0);
  auto at = epoch.begin();
  for (int i = 0; i < 3; ++i) ++at;
  usleep(50000);  // two batches are ready, and the thread waits
  const auto goes_on = [&] {
    std::int64_t next = 3;
    for (; at != epoch.end(); ++at, ++next) expect(at->samples[0] == next, "the next batch");
    expect(next == 20, "all batches");
  };
  expect(child(goes_on), "a child in the middle of an epoch");
  expect(child([&] { mg::Epoch let_go = std::move(epoch); }), "a child that ends the epoch");
  goes_on();
  return 0;
}

int fork_inside_work() {
  const auto parent = getpid();
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<int> forked{0};
  try {
    mg::extend::parallel_for(8, [&](std::int64_t) {
      if (std::this_thread::get_id() != caller || forked.exchange(1)) return;
      const pid_t id = fork();
      if (id == 0) return;
      int status = 0;
      waitpid(id, &status, 0);
      expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "a child of a shard");
    });
    expect(getpid() == parent, "a child that is missing work says so");
  } catch (const mg::StateError&) {
    if (getpid() == parent) return 1;
    product();
    std::exit(7);
  }
  return 0;
}

}  // namespace life
