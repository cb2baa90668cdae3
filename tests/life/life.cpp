// The life of a process: each case is a process of its own, which has to end by itself.

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "life.hpp"

namespace {

std::atomic<int> threads_left{1 << 20};  // that pthread_create may still make

}  // namespace

/// Refuses as the system does where a process may have no more threads.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*run)(void*), void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto real = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (threads_left.fetch_sub(1) <= 0) return EAGAIN;
  return real(thread, attributes, run, argument);
}

namespace life {
namespace {

namespace kept {
std::optional<mg::Sequential> model;
std::optional<mg::Adam> adam;
mg::Tensor first = mg::ones({3, 4});
std::vector<mg::Tensor> tape;
mg::Parameter weight(mg::ones({2, 2}), "w");
mg::Mask mask = mg::Mask::from_lengths({3, 1});
}  // namespace kept

int statics() {
  kept::model = built();
  kept::adam.emplace(kept::model->parameters());
  train(*kept::model, *kept::adam);
  mg::Tensor y = kept::weight;
  for (int i = 0; i < 100000; ++i) y = y + kept::first.item({0, 0});
  kept::tape = {y, mg::sum(y)};
  return 0;
}

int return_while_a_thread_computes() {
  for (int i = 0; i < 2; ++i) std::thread(compute_for_ever).detach();
  while (!computing) std::this_thread::yield();
  return 0;
}

int exit_in_a_thread() {
  std::thread([] {
    while (!computing) std::this_thread::yield();
    std::exit(0);
  }).detach();
  compute_for_ever();
  return 1;
}

int few_threads() {
  const auto right = product().to_vector<float>();
  for (int more : {3, 1, 0}) {
    mg::set_num_threads(1);
    mg::set_num_threads(6);
    threads_left = more;
    expect(product().to_vector<float>() == right, "a product with fewer threads than asked for");
    auto model = built();
    mg::Adam adam{model.parameters()};
    train(model, adam);
    expect(mg::num_threads() == 6, "the number of threads that was asked for");
  }
  return 0;
}

int set_threads_inside_work() {
  std::atomic<int> shards{0};
  for (int threads : {3, 1, 2}) {
    mg::extend::parallel_for(5, [&](std::int64_t) {
      mg::set_num_threads(threads);
      ++shards;
    });
    expect(mg::num_threads() == threads, "the number set inside work");
    product();
  }
  expect(shards == 15, "all shards");
  return 0;
}

struct Case {
  std::string_view name;
  int (*run)();
};

}  // namespace
}  // namespace life

int main(int count, char** arguments) {
  using namespace life;
  const std::vector<Case> cases{
      {"statics", statics},
      {"return_while_a_thread_computes", return_while_a_thread_computes},
      {"exit_in_a_thread", exit_in_a_thread},
      {"forks", forks},
      {"forks_while_threads_compute", forks_while_threads_compute},
      {"forks_beside_a_loader", forks_beside_a_loader},
      {"fork_inside_work", fork_inside_work},
      {"few_threads", few_threads},
      {"set_threads_inside_work", set_threads_inside_work},
      {"no_room_for_blas", no_room_for_blas},
      {"no_memory", no_memory},
  };
  alarm(60);
  mg::set_num_threads(4);
  for (const auto& c : cases) {
    if (count == 2 && c.name == arguments[1]) return c.run();
  }
  std::fprintf(stderr, "usage: life CASE\n");
  return 2;
}
