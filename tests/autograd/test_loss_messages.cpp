#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/loss/binary_cross_entropy.hpp>
#include <maskgrad/autograd/ops/loss/crf.hpp>
#include <maskgrad/autograd/ops/loss/cross_entropy.hpp>
#include <maskgrad/autograd/ops/loss/ctc.hpp>

#include "counted.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_loss_messages {

TEST_SUITE("messages of losses") {
  TEST_CASE("cross entropies") {
    const Tensor x = counted({2, 3}), ids = tensor<std::int64_t>({0, 3}, {2});
    CHECK(throws<TypeError>([&] { detail::sparse_cross_entropy(x, x); },
                            "sparse_cross_entropy: got f64[2, 3]; expected ids, i64"));
    CHECK(
        throws<TypeError>([&] { detail::sparse_cross_entropy(ids, ids); }, "expected f32 or f64"));
    CHECK(throws<ShapeError>(
        [&] {
          detail::sparse_cross_entropy(ids, counted({3, 3}));
        },
        "sparse_cross_entropy: ids i64[2] for logits f64[3, 3]; expected ids "
        "[...] and logits [..., classes]"));
    CHECK(throws<MaskError>(
        [&] {
          detail::sparse_cross_entropy(ids, counted({2, 3}).with_mask(holes()));
        },
        "sparse_cross_entropy: f64[2, 3], mask [2, 3] made by Mask::keep has a mask over classes; "
        "mask whole positions, or fill the "
        "missing logits with x.drop_mask(\"why\", -infinity)"));
    CHECK(throws<IndexError>([&] { detail::sparse_cross_entropy(ids, x); },
                             "sparse_cross_entropy: the id 3 at flat position 1 of i64[2] is no "
                             "class; expected 0 to 2"));
    CHECK(throws<ShapeError>([&] { detail::binary_cross_entropy(counted({3}), x); },
                             "binary_cross_entropy: targets f64[3] for logits f64[2, 3]; expected "
                             "one shape"));
    CHECK(throws<TypeError>(
        [&] {
          detail::binary_cross_entropy(zeros({2, 3}), x);
        },
        "binary_cross_entropy: f32[2, 3] with f64[2, 3]"));
    CHECK(throws<TypeError>([&] { detail::binary_cross_entropy(ids, ids); },
                            "binary_cross_entropy: got i64[2]"));
  }

  TEST_CASE("ctc") {
    const Tensor labels = tensor<std::int64_t>({1, 1}, {1, 2}), logits = counted({1, 3, 4});
    const auto ctc = ctc_negative_log_likelihood;
    const std::string where = "ctc_negative_log_likelihood: ";
    const auto run = [&](const Tensor& y, const Tensor& x, std::int64_t blank) {
      ctc(y, x, blank, Infeasible::refuse);
    };
    CHECK(throws<TypeError>([&] { run(logits, logits, 0); }, where + "got f64[1, 3, 4]; expected "
                                                                     "ids, i64"));
    CHECK(
        throws<TypeError>([&] { run(labels, labels, 0); }, where + "got i64[1, 2]; expected f32"));
    CHECK(throws<ShapeError>([&] { run(arange(2), logits, 0); },
                             where + "got i64[2] with 1 axes; expected 2 [batch, label]"));
    CHECK(throws<ShapeError>(
        [&] {
          run(labels, counted({1, 3}), 0);
        },
        where + "got f64[1, 3] with 2 axes; expected 3 [batch, time, "
                "classes]"));
    CHECK(throws<ShapeError>(
        [&] {
          run(labels, counted({2, 3, 4}), 0);
        },
        where + "labels i64[1, 2] for logits f64[2, 3, 4]; expected the same "
                "batch"));
    CHECK(throws<OptionError>([&] { run(labels, logits, 4); },
                              where + "the blank is class 4 of logits f64[1, 3, 4]; expected 0 to "
                                      "classes - 1"));
    CHECK(throws<IndexError>([&] { run(labels, logits, 1); },
                             where + "label 0 of sequence 0 is 1; expected a class of 0 to 3 that "
                                     "is not the blank, 1"));
    CHECK(throws<ShapeError>(
        [&] {
          run(labels, counted({1, 2, 4}), 0);
        },
        where + "sequence 0 has 2 valid steps for 2 labels, which take 3 (one "
                "each, and one between equal neighbors); give it more steps, "
                "or leave such sequences out with skip_infeasible"));
    const Tensor classes = logits.with_mask(Mask::keep(Bits(12, true), {1, 3, 4}));
    CHECK(throws<MaskError>([&] { run(labels, classes, 0); }, where + "axis 2 of f64[1, 3, 4]",
                            "mask whole steps"));
  }

  TEST_CASE("crf") {
    const Tensor tags = zeros({1, 3}, DType::i64), x = counted({1, 3, 4}), w = counted({4, 4});
    const auto loss = crf_negative_log_likelihood;
    const std::string where = "crf_negative_log_likelihood: ";
    CHECK(throws<TypeError>([&] { loss(x, x, w); }, where + "got f64[1, 3, 4]; expected ids"));
    CHECK(throws<TypeError>([&] { crf_decode(tags, w); }, "crf_decode: got i64[1, 3]"));
    CHECK(throws<TypeError>(
        [&] {
          crf_decode(x, zeros({4, 4}));
        },
        "crf_decode: f64[1, 3, 4] with f32[4, 4]"));
    CHECK(throws<ShapeError>([&] { crf_decode(w, w); },
                             "crf_decode: got f64[4, 4] with 2 axes; expected 3 [batch, time, "
                             "tags]"));
    CHECK(throws<ShapeError>(
        [&] {
          loss(tags, x, counted({4, 3}));
        },
        where + "transitions f64[4, 3] for potentials f64[1, 3, 4]; expected "
                "transitions [tags, tags], at least one tag, and potentials "
                "[batch, time, tags]"));
    CHECK(throws<ShapeError>(
        [&] {
          loss(zeros({1, 2}, DType::i64), x, w);
        },
        where + "tags i64[1, 2] for potentials f64[1, 3, 4]; expected [batch, "
                "time] and [batch, time, tags]"));
    CHECK(throws<IndexError>([&] { loss(tags + 4, x, w); },
                             where + "a tag of i64[1, 3] is 4; expected 0 to 3"));
    const Tensor over_tags = x.with_mask(Mask::keep(Bits(12, true), {1, 3, 4}));
    CHECK(throws<MaskError>([&] { crf_decode(over_tags, w); }, "crf_decode: axis 2 of f64[1, 3, 4]",
                            "mask whole steps"));
  }
}

}  // namespace maskgrad::tests::test_loss_messages
