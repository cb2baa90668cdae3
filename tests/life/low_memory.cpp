// A process to which the system gives no more memory.

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "life.hpp"

namespace life {
namespace {

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
  mallopt(M_ARENA_MAX, 1);  // an arena of a thread of its own takes 128 MiB of address space
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;  // they reserve the whole address space
#else
  return true;
#endif
}

}  // namespace

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

}  // namespace life
