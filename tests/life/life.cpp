// The life of a process: each case is a process of its own, which has to end by itself.

#include <dlfcn.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <maskgrad/maskgrad.hpp>

namespace mg = maskgrad;

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

namespace {

[[noreturn]] void wrong(const char* what) {
  std::fprintf(stderr, "wrong: %s\n", what);
  std::_Exit(1);
}
void expect(bool right, const char* what) {
  if (!right) wrong(what);
}

mg::Sequential built() {
  mg::Sequential model{mg::GRU{{.units = 48, .return_sequences = true}}, mg::Dense{{.units = 3}}};
  model.build(mg::Spec::f32({mg::any, mg::any, 16}), mg::Seed{1});
  return model;
}

mg::Tensor batch(std::int64_t sequences = 16, std::int64_t steps = 40) {
  return mg::random_normal({sequences, steps, 16}, mg::Seed{2})
      .with_mask(mg::Mask::from_lengths(
          std::vector<std::int64_t>(static_cast<std::size_t>(sequences), steps)));
}

double train(mg::Sequential& model, mg::Adam& adam, int steps = 2) {
  double value = 0;
  const mg::Tensor x = batch();
  for (int i = 0; i < steps; ++i) {
    const mg::Loss loss = mg::mean_squared_error(mg::slice(x, -1, 0, 3), model(x));
    loss.backward();
    adam.step();
    value = loss.value();
  }
  return value;
}

/// The large product that uses all threads.
mg::Tensor product() {
  const mg::Tensor a = mg::random_normal({400, 300}, mg::Seed{3});
  return mg::matmul(a, mg::random_normal({300, 200}, mg::Seed{4}));
}

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

std::atomic<bool> computing{false};

void compute_for_ever() {
  auto model = built();
  mg::Adam adam{model.parameters()};
  for (;;) {
    product();
    train(model, adam, 1);
    computing = true;
  }
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
         return mg::Sample{.inputs = {mg::full({1}, static_cast<double>(i))}};
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
    mg::parallel_for(8, [&](std::int64_t) {
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
    mg::parallel_for(5, [&](std::int64_t) {
      mg::set_num_threads(threads);
      ++shards;
    });
    expect(mg::num_threads() == threads, "the number set inside work");
    product();
  }
  expect(shards == 15, "all shards");
  return 0;
}

/// Leaves the process so much of its address space beyond what it has.
void leave(std::int64_t bytes) {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur =
      bytes < 0 ? limit.rlim_max : static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + bytes);
  setrlimit(RLIMIT_AS, &limit);
}

bool can_limit() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;  // they reserve the whole address space
#else
  return true;
#endif
}

int no_room_for_blas() {
  if (!can_limit()) return 0;
  const mg::Tensor a = mg::ones({400, 300}), b = mg::ones({300, 200});
  leave(std::int64_t{60} << 20);
  try {
    mg::matmul(a, b);
    wrong("OpenBLAS without room");
  } catch (const mg::MemoryError& e) {
    const std::string text = e.what();
    expect(e.wanted > (std::int64_t{128} << 20), "the bytes of a work buffer");
    expect(text.find("OpenBLAS") == 0 && text.find("a work buffer") != text.npos, e.what());
  }
  leave(-1);
  leave(std::int64_t{250} << 20);  // for one thread, which the others wait for
  for (int i = 0; i < 20; ++i) {
    expect(mg::matmul(a, b).item({399, 199}) == 300, "with room for one");
  }
  leave(-1);
  expect(mg::matmul(a, b).item({399, 199}) == 300, "with room for all");
  return 0;
}

int no_memory() {
  if (!can_limit()) return 0;
  auto model = built();
  mg::Adam adam{model.parameters()};
  const double before = train(model, adam);
  const auto weight = [&] { return model.parameters()[0].value().to_vector<float>(); };
  const auto weights = weight();
  { const mg::Tensor large = mg::ones({24 << 20}); }  // 96 MiB that the pool keeps
  expect(mg::memory::stats().bytes_reserved > (std::int64_t{90} << 20), "what the pool keeps");
  leave(std::int64_t{24} << 20);
  const mg::Tensor other = mg::ones({4, 5 << 20});  // gives back what was kept, to have 80 MiB
  expect(other.item({3, 7}) == 1, "what fits once free memory has gone back");
  try {
    const mg::Tensor x = batch(64, 4000);
    mg::mean_squared_error(mg::slice(x, -1, 0, 3), model(x)).backward();
    wrong("a step without memory");
  } catch (const mg::MemoryError& e) {
    expect(e.wanted > 0 && e.held > (std::int64_t{80} << 20), "the fields of the error");
    expect(std::string(e.what()).find("which the system does not give") != std::string::npos,
           e.what());
  }
  expect(weight() == weights, "weights after a step that failed");
  expect(train(model, adam) <= before, "a step that fits, after one that did not");
  return 0;
}

struct Case {
  std::string_view name;
  int (*run)();
};

}  // namespace

int main(int count, char** arguments) {
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
