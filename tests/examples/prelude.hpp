#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <maskgrad/maskgrad.hpp>

#include "examples.hpp"

namespace mg = maskgrad;

/// Fails where `f` does not throw an E, or where its message lacks one of these lines.
template <class E, class F>
void must_throw(const std::string& lines, F&& f) {
  try {
    f();
  } catch (const E& e) {
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);) {
      if (std::string(e.what()).find(line) == std::string::npos) {
        throw std::runtime_error("it says\n" + std::string(e.what()) + "\nwithout\n" + line);
      }
    }
    return;
  }
  throw std::runtime_error("it does not throw");
}

/// What Examples may use without making it: they run as members of a struct that derives from this.
struct Standing {
  static mg::Sequential made_model() {
    mg::Sequential model{mg::GRU{{.units = 8, .return_sequences = true}}, mg::Dense{{.units = 3}}};
    model.build(mg::Spec::f32({mg::any, mg::any, 3}).masked(2), mg::Seed{1});
    return model;
  }
  static mg::Tensor whole_numbers(const mg::Shape& shape, double low, double high) {
    return mg::cast(mg::random_uniform(shape, mg::Seed{2}, low, high), mg::DType::i64);
  }
  mg::History trained() {
    return mg::fit(model, adam, batches,
                   {.loss = "sparse_categorical_crossentropy", .progress = mg::Progress::off});
  }

  mg::Mask steps = mg::Mask::from_lengths({5, 3, 1, 4});

  // Sequences of three features, as inputs and as targets; x with zeros for padding; two heads.
  mg::Tensor x = mg::random_normal({4, 5, 3}, mg::Seed{3}).with_mask(steps);
  mg::Tensor y = mg::random_normal({4, 5, 3}, mg::Seed{4}).with_mask(steps);
  mg::Tensor padded = x.drop_mask("zeros as padding");
  mg::Tensor heads = mg::random_normal({4, 5, 2, 4}, mg::Seed{5}).with_mask(steps);
  // One row a sequence; a matrix for features.
  mg::Tensor dense = mg::random_normal({4, 3}, mg::Seed{6});
  mg::Tensor weight = mg::random_normal({3, 2}, mg::Seed{7});
  // Classes 0 to 2 of each step, and ids 1 to 8 with 0 as padding.
  mg::Tensor labels = whole_numbers({4, 5}, 0, 3).with_mask(steps);
  mg::Tensor onehot = mg::one_hot(labels, 3);
  mg::Tensor ids = whole_numbers({4, 5}, 1, 9).with_mask(steps).drop_mask("0 as padding");

  // What x (and y), padded and heads are to a model that is built.
  mg::Spec spec = mg::Spec::f32({mg::any, mg::any, 3}).masked(2);
  mg::Spec padded_spec = mg::Spec::f32({mg::any, mg::any, 3});
  mg::Spec heads_spec = mg::Spec::f32({mg::any, mg::any, 2, 4}).masked(2);

  // A model that gives [4, 5, 3] for x, and what it is trained with.
  mg::Sequential model = made_model();
  mg::Adam adam{model.parameters()};
  mg::Dataset train = mg::Dataset::from_memory({x}, labels), valid = train;
  mg::Batches batches{train, {.batch_size = 2}};
  mg::Batch batch = train.batch({0, 1, 2, 3});
  mg::History history = trained();
};
