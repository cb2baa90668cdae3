#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include <maskgrad/core/pooled.hpp>
#include <maskgrad/core/ref.hpp>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace maskgrad::tests::test_memory {
namespace {

struct Chain : detail::Counted {
  detail::Ref<Chain> next;
  int* ended = nullptr;
  ~Chain() override {
    if (ended) ++*ended;
  }
};

}  // namespace

TEST_SUITE("memory") {
  TEST_CASE("blocks are aligned, sized and counted") {
    for (std::int64_t bytes :
         {0, 1, 63, 64, 65, 80, 81, 127, 128, 129, 1000, 4096, 100000, 3000000}) {
      const extend::Storage s(bytes);
      CAPTURE(bytes);
      CHECK(s.bytes() == bytes);
      CHECK(reinterpret_cast<std::uintptr_t>(s.data()) % 64 == 0);
      std::memset(s.data(), 0xA5, static_cast<std::size_t>(bytes));
      CHECK(s.unique());
      CHECK(s.version() == 0);
    }
  }

  TEST_CASE("no size class loses more than a quarter") {
    for (std::int64_t bytes = 64; bytes < 5000000; bytes = bytes * 21 / 20 + 1) {
      const auto before = memory::stats().bytes_in_use;
      const extend::Storage s(bytes);
      const auto took = memory::stats().bytes_in_use - before;
      CAPTURE(bytes);
      CHECK(took >= bytes);
      CHECK(took * 4 <= bytes * 5 + 256);
    }
  }

  TEST_CASE("what ends is used again") {
    { const extend::Storage first(5000); }
    const auto before = memory::stats();
    for (int i = 0; i < 100; ++i) const extend::Storage s(4900 + i);
    const auto after = memory::stats();
    CHECK(after.heap_allocations == before.heap_allocations);
    CHECK(after.bytes_reserved == before.bytes_reserved);
    CHECK(after.bytes_in_use == before.bytes_in_use);
  }

  TEST_CASE("a block's version starts anew") {
    std::byte* place = nullptr;
    {
      const extend::Storage s(70000);
      s.bump_version();
      place = s.data();
      CHECK(s.version() == 1);
    }
    const extend::Storage again(70000);
    CHECK(again.data() == place);
    CHECK(again.version() == 0);
  }

  TEST_CASE("handles share, move and let go") {
    extend::Storage a(100);
    const auto in_use = memory::stats().bytes_in_use;
    {
      const extend::Storage b = a;
      CHECK(b.data() == a.data());
      CHECK_FALSE(a.unique());
    }
    CHECK(a.unique());
    extend::Storage c = std::move(a);
    CHECK_FALSE(a);
    CHECK(a.bytes() == 0);
    extend::Storage& same = c;
    c = same;
    CHECK(c.unique());
    CHECK(memory::stats().bytes_in_use == in_use);
    c = extend::Storage();
    CHECK(memory::stats().bytes_in_use < in_use);
  }

  TEST_CASE("the high water and giving back") {
    memory::reset_high_water();
    const auto before = memory::stats();
    { const extend::Storage s(1 << 22); }
    CHECK(memory::stats().high_water >= before.bytes_in_use + (1 << 22));
    memory::reset_high_water();
    CHECK(memory::stats().high_water == memory::stats().bytes_in_use);
    memory::release_unused();
    CHECK(memory::stats().bytes_reserved == memory::stats().bytes_in_use);
    const extend::Storage fresh(1 << 22);
    CHECK(memory::stats().bytes_reserved == memory::stats().bytes_in_use);
  }

  TEST_CASE("blocks and small objects may end in another thread") {
    std::vector<extend::Storage> blocks;
    std::vector<detail::Ref<Chain>> objects;
    std::thread([&] {
      for (int i = 0; i < 1000; ++i) {
        blocks.emplace_back(i * 10);
        objects.push_back(detail::make_ref<Chain>());
      }
    }).join();
    blocks.clear();
    objects.clear();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 2000; ++i) {
          const extend::Storage s(i);
          const auto object = detail::make_ref<Chain>();
        }
      });
    }
    for (auto& t : threads) t.join();
    CHECK(true);
  }

#ifdef __GLIBC__
  TEST_CASE("a thread that ends what others made keeps a bounded part of it") {
    constexpr std::size_t bytes = 1024, count = 40000;
    const auto before = mallinfo2().uordblks;
    std::vector<void*> made(count);
    std::thread([&] {
      for (auto& p : made) p = memory::take_small(bytes);
    }).join();
    const bool counts = mallinfo2().uordblks - before > count * bytes;
    for (void* p : made) memory::give_small(p, bytes);
    if (!counts) return;  // another malloc, such as a sanitizer's
    CHECK(mallinfo2().uordblks - before < (std::size_t{10} << 20));
    // What was kept is used again.
    const auto kept = mallinfo2().uordblks;
    for (int i = 0; i < 1000; ++i) made[static_cast<std::size_t>(i)] = memory::take_small(bytes);
    CHECK(mallinfo2().uordblks <= kept);
    for (int i = 0; i < 1000; ++i) memory::give_small(made[static_cast<std::size_t>(i)], bytes);
  }
#endif

  TEST_CASE("an object ends with its last handle") {
    int ended = 0;
    {
      auto a = detail::make_ref<Chain>();
      a->ended = &ended;
      const detail::Ref<detail::Counted> b = a;
      CHECK(a->handles() == 2);
      a.reset();
      CHECK(ended == 0);
    }
    CHECK(ended == 1);
  }

  TEST_CASE("pooled arrays") {
    extend::Pooled<double> none;
    CHECK(none.empty());
    CHECK(none.begin() == none.end());
    extend::Index index(3);
    index[0] = 5;
    index[2] = 7;
    const extend::Index shared = index;
    CHECK(shared.data() == index.data());
    CHECK(shared[2] == 7);
    CHECK(extend::Index(0).empty());
  }
}

}  // namespace maskgrad::tests::test_memory
