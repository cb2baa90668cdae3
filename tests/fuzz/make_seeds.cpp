// Writes the files from which the fuzzers of models and checkpoints begin:
//   make_seeds MODELS CHECKPOINTS
#include "checkpoint_training.hpp"

namespace mg = maskgrad;
namespace fs = std::filesystem;

namespace {

fs::path numbered(const fs::path& folder) {
  static int count = 0;
  return folder / (std::to_string(count++) + ".safetensors");
}

template <class M>
void save(M model, const fs::path& folder, const std::vector<mg::Spec>& specs) {
  mg::build(model, specs, mg::Seed{1});
  mg::save_model(model, numbered(folder), specs, mg::Seed{1});
}

void write_models(const fs::path& to) {
  const std::vector<mg::Spec> steps{mg::Spec::f32({mg::any, mg::any, 2}).masked(2)};
  const std::vector<mg::Spec> flat{mg::Spec::f64({mg::any, 2})}, ids{mg::Spec::ids({mg::any, 3})};
  save(mg::Dense{{.units = 2, .activation = "relu"}}, to, flat);
  save(mg::Sequential{mg::Masking{{}}, mg::GRU{{.units = 2}}}, to, steps);
  save(mg::Sequential{mg::Bidirectional{mg::SimpleRNN{{.units = 1, .return_sequences = true}}},
                      mg::TimeDistributed{mg::Dense{{.units = 1}}}},
       to, steps);
  save(mg::RNN{mg::StackedRNNCells({mg::GRUCell{{.units = 1}}, mg::LSTMCell{{.units = 1}}})}, to,
       steps);
  save(mg::Sequential{mg::Embedding{{.input_dim = 3, .output_dim = 2, .mask_zero = true}},
                      mg::GlobalAveragePooling1D{{}}, mg::BatchNormalization{{}}},
       to, ids);
  save(mg::Sequential{mg::MaskedConv1D{{.filters = 1, .kernel_size = 2}},
                      mg::LayerNormalization{{}}},
       to, steps);
  save(mg::Sequential{mg::Reshape{{.target_shape = {1, 2}}}, mg::Permute{{.dims = {2, 1}}},
                      mg::Flatten{{}}, mg::Dropout{{.rate = 0.5}}, mg::RepeatVector{{.n = 2}}},
       to, flat);
  mg::Dense shared{{.units = 2}};
  mg::build(shared, flat, mg::Seed{1});
  save(mg::Sequential{shared, mg::Sequential{shared, shared}}, to, flat);
  mg::Functional model;
  const auto a = model.input("a"), b = model.input("b");
  const auto dense = model.layer(mg::Dense{{.units = 2}});
  const auto both = model.add(mg::Concatenate{}, {model.call(dense, {a}), model.call(dense, {b})});
  model.outputs({model.add(mg::Add{}, {both, both}), a});
  save(model, to, {flat[0], flat[0]});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  write_models(argv[1]);
  for (const std::int64_t step : {1, 2, 3, 4, 5}) {
    const auto folder = fs::path(argv[2]) / "run";
    fs::create_directories(folder);
    fuzz::Training().run(folder, step);
    for (const auto& entry : fs::directory_iterator(folder)) {
      fs::rename(entry.path(), fs::path(argv[2]) / entry.path().filename());
    }
    fs::remove_all(folder);
  }
  return 0;
}
