#include <maskgrad/layers/model/generate.hpp>
#include <maskgrad/layers/model/stream.hpp>

#include "hostile.hpp"

namespace maskgrad::tests {
namespace in_rows_streams {

Sequential spelling() {
  Sequential model{Embedding{{.input_dim = 4, .output_dim = 3}},
                   GRU{{.units = 3, .return_sequences = true}}, Dense{{.units = 4}}};
  model.build(Spec::ids({any, any}).masked(2), Seed{1});
  return model;
}

Stream stream() {
  Sequential model{MaskedConv1D{{.filters = 2, .kernel_size = 3, .padding = "same"}},
                   MultiHeadAttention{{.num_heads = 1, .key_dim = 2, .use_causal_mask = true}},
                   GRU{{.units = 2}}};
  model.build(Spec::f32({any, any, 3}).masked(2), Seed{1});
  return Stream(model, {.sequences = 2});
}

Calls streams() {
  auto all = calls_of<Tensor>([](const Tensor& x) { stream().push(x); });
  const auto add = [&](Calls more) { all.insert(all.end(), more.begin(), more.end()); };
  add(calls_of<std::int64_t>([](std::int64_t i) { stream().finish(i); }));
  add(calls_of<std::int64_t>([](std::int64_t i) { stream().restart(i); }));
  add(calls_of<std::int64_t>([](std::int64_t i) { stream().steps(i); }));
  add(calls_of<std::int64_t>([](std::int64_t i) { stream().reorder({i, 0}); }));
  add(calls_of<std::int64_t>([](std::int64_t n) {
    Stream(spelling(), {.sequences = n}).push(zeros({1, 1}, DType::i64));
  }));
  add({[] { stream().push(Tensors{}); }, [] { stream().finish(std::vector<std::int64_t>{}); },
       [] { stream().reorder({}); }, [] { stream().set_state({}); },
       [] { stream().set_state(Stream(spelling(), {.sequences = 2}).state()); },
       [] {
         Stream s = stream();
         s.push(ones({2, 4, 3}));
         s.set_state({{{"gru", {}}}, {0, 0}});
         s.push(ones({2, 4, 3}));
       },
       [] { stream().save_state("state.txt"); }, [] { stream().load_state("nowhere.safetensors"); },
       [] { Stream{Dense{{.units = 1}}}; }, [] { Stream{Sequential(std::vector<AnyLayer>())}; }});
  return all;
}

Calls generated() {
  auto all = calls_of<Tensor>([](const Tensor& x) { generate(spelling(), x); });
  const auto add = [&](Calls more) { all.insert(all.end(), more.begin(), more.end()); };
  const auto prompt = [] { return ones({1, 1}, DType::i64); };
  add(calls_of<double>([=](double v) { generate(spelling(), prompt(), {.temperature = v}); }));
  add(calls_of<double>([=](double v) { generate(spelling(), prompt(), {.top_p = v}); }));
  add(calls_of<double>([=](double v) {
    generate(spelling(), prompt(), {.max_steps = 2, .beam = 2, .length_penalty = v});
  }));
  add(calls_of<std::int64_t>([=](std::int64_t n) {
    generate(spelling(), prompt(), {.max_steps = std::min<std::int64_t>(n, 3)});
  }));
  add(calls_of<std::int64_t>(
      [=](std::int64_t n) { generate(spelling(), prompt(), {.top_k = n}); }));
  add({[=] {
         generate(spelling(), full({1, 1}, 9, DType::i64));
       },
       [=] {
         generate(spelling(), full({1, 1}, -1, DType::i64));
       },
       [=] { generate(spelling(), prompt(), {.beam = -1}); },
       [=] {
         generate(spelling(), prompt(), {.max_steps = 2, .stop = {-5, 1000}});
       }});
  return all;
}

Calls time_laws() {
  const auto spec = Spec::f64({any, any, 3});
  return {[=] {
            Sequential model{Dense{{.units = 1}}};
            check_time_laws(model, {spec});
          },
          [=] {
            Sequential model{Dense{{.units = 1}}};
            model.build(spec);
            check_time_laws(model, {});
          },
          [=] {
            Sequential model{Dense{{.units = 1}}};
            model.build(spec);
            measured_time(model, {Spec::f64({2})});
          }};
}

}  // namespace in_rows_streams

std::vector<Row> stream_rows() {
  using namespace in_rows_streams;
  return {
      {"a Stream", streams},
      {"generate", generated},
      {"check_time_laws", time_laws},
      {"measured_time", time_laws},
      {"time_contract", [] { return Calls{[] { time_contract(Dense{{.units = 1}}); }}; }},
      {"latency", [] { return Calls{[] { latency(Sequential{Dense{{.units = 1}}}); }}; }},
      {"time_of", [] { return Calls{[] { time_of(Dense{{.units = 1}}); }}; }},
  };
}

}  // namespace maskgrad::tests
