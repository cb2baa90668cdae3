#include <doctest/doctest.h>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/core/memory.hpp>
#include <maskgrad/core/random.hpp>

namespace maskgrad::tests::test_tape_memory {

TEST_SUITE("memory of the tape") {
  TEST_CASE("a chain of a million steps neither overflows backward nor the end of it") {
    const Tensor x = scalar(0, DType::f64).with_grad(), one = scalar(1, DType::f64);
    {
      Tensor y = x;
      for (int i = 0; i < 1000000; ++i) y = y + one;
      CHECK(y.item() == 1000000);
      y.backward();
    }
    CHECK(x.grad().item() == 1);
    {
      Tensor y = x;
      for (int i = 0; i < 1000000; ++i) y = y + one;
    }  // ends without a backward
    CHECK(x.grad().item() == 1);
  }

  TEST_CASE("a step that has run before takes no memory from the system") {
    const Parameter w(random_normal({16, 16}, {1}), "w");
    const Mask mask = Mask::from_lengths({7, 0, 3, 12}, 12);
    const Tensor x = random_normal({4, 12, 16}, {2});
    std::int64_t from = 0;
    for (int step = 0; step < 10; ++step) {
      if (step == 2) from = memory::stats().heap_allocations;
      Tensor h = x.with_mask(mask);
      for (int layer = 0; layer < 3; ++layer) h = maximum(matmul(h, w), 0) + 0.1;
      const Tensor ones_column = ones({16, 1});
      const Tensor y = matmul(h, ones_column);
      const Tensor seed = rows::make_zeros(y.shape(), y.dtype(), y.mask());
      tape::backward({&y, 1}, {&seed, 1});
      w.clear_grad();
    }
    CHECK(memory::stats().heap_allocations == from);
  }

  TEST_CASE("the memory of a step follows the valid rows") {
    auto bytes = [](std::int64_t valid) {
      const Tensor x = random_normal({8, 64, 32}, {2})
                           .with_mask(Mask::from_lengths(std::vector<std::int64_t>(8, valid), 64));
      const Parameter w(random_normal({32, 32}, {1}), "w");
      memory::reset_high_water();
      const auto before = memory::stats().bytes_in_use;
      Tensor h = x;
      for (int layer = 0; layer < 4; ++layer) h = maximum(matmul(h, w), 0) + 0.1;
      const Tensor seed = rows::make_zeros(h.shape(), h.dtype(), h.mask());
      tape::backward({&h, 1}, {&seed, 1});
      return static_cast<double>(memory::stats().high_water - before);
    };
    const double all = bytes(64), quarter = bytes(16);
    CHECK(quarter < 0.35 * all);
    CHECK(bytes(0) < 0.05 * all);
  }
}

}  // namespace maskgrad::tests::test_tape_memory
