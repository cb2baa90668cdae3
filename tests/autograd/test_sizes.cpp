#include <doctest/doctest.h>

#include <cctype>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/core/random.hpp>

namespace maskgrad::tests::test_sizes {
namespace {

constexpr auto most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t big = std::int64_t{1} << 40, huge = std::int64_t{1} << 58;

struct Door {
  std::string name;
  std::function<void()> open;
  std::vector<std::string> says;
};

Tensor meta(const Shape& shape) {
  return rows::make_meta(shape, DType::f32);
}
/// One valid step of very many.
Mask long_mask() {
  return Mask::from_lengths({1}, big * 1000);
}
Tensor long_tensor() {
  return rows::make_zeros({1, big * 1000, 2}, DType::f32, long_mask());
}

const std::vector<Door>& doors() {
  static const std::vector<Door> all{
      {"zeros, no number",
       [] {
         zeros({big, big});
       },
       {"more values than can be counted"}},
      {"zeros, one axis", [] { zeros({most}); }, {"9223372036854775807"}},
      {"zeros, no memory", [] { zeros({huge}); }, {"288230376151711744", "does not give"}},
      {"full",
       [] {
         full({big, 4096}, 1, DType::f64);
       },
       {"does not give"}},
      {"arange", [] { arange(huge); }, {"does not give"}},
      {"arange, no number", [] { arange(most); }, {"9223372036854775807"}},
      {"random_normal",
       [] {
         random_normal({big, big}, Seed{1});
       },
       {"counted"}},
      {"random_uniform", [] { random_uniform({huge}, Seed{1}); }, {"does not give"}},
      {"permutation", [] { random::permutation(huge, Seed{1}); }, {"permutation", "does not give"}},
      {"from_lengths, positions",
       [] {
         Mask::from_lengths({1, 1, 1, 1}, huge);
       },
       {"Mask::from_lengths: sequences and steps, 4 * 288230376151711744, is more than"}},
      {"from_lengths, steps",
       [] {
         Mask::from_lengths({most, most});
       },
       {"9223372036854775807"}},
      {"from_lengths, no memory", [] { Mask::from_lengths({huge / 8}); }, {"does not give"}},
      {"from_lengths, of none", [] { Mask::from_lengths({0}, most); }, {"9223372036854775807"}},
      {"keep",
       [] {
         Mask::keep(std::vector<bool>(3), {big, big});
       },
       {"can be counted"}},
      {"to_vector of a mask", [] { long_mask().to_vector(); }, {"Mask::to_vector", "not give"}},
      {"at of a mask",
       [] {
         long_mask().at({0, 5});
       },
       {"does not give"}},
      {"to_vector", [] { long_tensor().to_vector<float>(); }, {"to_vector", "does not give"}},
      {"drop_mask", [] { long_tensor().drop_mask("test"); }, {"does not give"}},
      {"slice of a mask", [] { slice(long_tensor(), 1, 1, to_end); }, {"does not give"}},
      {"sum over steps", [] { sum(long_tensor(), {0}); }, {"does not give"}},
      {"reshape",
       [] {
         reshape(zeros({2, 3}), {big, big});
       },
       {"1099511627776"}},
      {"reshape, free size",
       [] {
         reshape(zeros({2, 3}), {any, big, big});
       },
       {"1099511627776"}},
      {"repeat", [] { repeat(zeros({4}), most, 0); }, {"repeat", "9223372036854775807"}},
      {"repeat, no memory", [] { repeat(zeros({4}), huge / 4, 0); }, {"does not give"}},
      {"tile", [] { tile(zeros({4}), most / 3, 0); }, {"tile", "3074457345618258602"}},
      {"pad", [] { pad(zeros({4}), 0, most, most); }, {"9223372036854775807 + 4 + 9223372036"}},
      {"pad, no memory", [] { pad(zeros({4}), 0, huge, 0); }, {"does not give"}},
      {"broadcast_to",
       [] {
         broadcast_to(zeros({1}), {big, big});
       },
       {"counted"}},
      {"broadcast_to, no memory", [] { broadcast_to(zeros({1}), {huge}); }, {"does not give"}},
      {"concatenate",
       [] {
         concatenate({meta({huge}), meta({huge}), meta({huge})}, 0);
       },
       {"concatenate: the joint axis", "288230376151711744 + 288230376151711744"}},
      {"one_hot", [] { one_hot(zeros({1}, DType::i64), huge / 8); }, {"not give"}},
      {"one_hot, no number", [] { one_hot(zeros({9}, DType::i64), most); }, {"922337203685477580"}},
      {"flatten",
       [] {
         flatten(meta({big, big}), 0, 1);
       },
       {"can be counted"}},
      {"windows",
       [] {
         windows(zeros({1, 4, 1}), {.width = big, .padding = Padding::causal});
       },
       {"width 1099511627776", "expected 1 to"}},
      {"overlap_add",
       [] {
         overlap_add(meta({1, huge, 3, 1}), {.stride = 1 << 20});
       },
       {"overlap_add", "1048576"}},
  };
  return all;
}

/// What an error of another kind, or a size that has run over, looks like in a text.
bool fine(const std::string& text) {
  const auto digit = [&](std::size_t i) {
    return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-' && digit(i + 1) && digit(i + 2)) return false;  // -1 may be a hint
  }
  return text.find("bad_alloc") == text.npos && text.find("std::") == text.npos;
}

}  // namespace

TEST_SUITE("sizes") {
  TEST_CASE("what cannot be counted or had is a typed error with the numbers") {
    const auto before = memory::stats().bytes_in_use;
    for (const auto& door : doors()) {
      CAPTURE(door.name);
      std::string text;
      try {
        door.open();
      } catch (const Error& e) {
        text = e.what();
      }
      CAPTURE(text);
      CHECK(fine(text));
      for (const auto& part : door.says) {
        CAPTURE(part);
        CHECK(text.find(part) != text.npos);
      }
    }
    CHECK(memory::stats().bytes_in_use == before);
  }

  TEST_CASE("what was refused leaves the tape usable") {
    const Tensor w = ones({3}).with_grad();
    const Tensor y = sum(w * w);
    CHECK_THROWS_AS(repeat(w, huge / 8, 0), MemoryError);
    y.backward();
    CHECK(w.grad().to_vector<float>() == std::vector<float>{2, 2, 2});
  }
}

}  // namespace maskgrad::tests::test_sizes
