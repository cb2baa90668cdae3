#include "hostile.hpp"

#include <maskgrad/core/io/array_rows.hpp>
#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/io/npz.hpp>

// What classes do that are made of nothing, of null and of what cannot be.

namespace maskgrad::tests {
namespace {

constexpr auto most = std::numeric_limits<std::int64_t>::max();
constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
constexpr const char* no_text = nullptr;

/// A layer of default-made options, on every tensor.
template <class L>
void call_default(Calls& all) {
  for (const bool built : {false, true}) {
    for (std::size_t i = 0; i < Hostile<Tensor>::values().size(); ++i) {
      all.push_back([=] {
        L layer{typename L::Options{}};
        if (built) build(layer, Spec::f32({any, any, 3}));
        call(layer, Hostile<Tensor>::values()[i]);
      });
    }
  }
}
template <class... Ls>
Calls defaults() {
  Calls all;
  (call_default<Ls>(all), ...);
  return all;
}

Calls wrapper_calls() {
  const auto on = [](auto make) {
    return [=] {
      auto layer = make();
      build(layer, Spec::f32({any, any, 3}).masked(2));
      call(layer, Tensor());
    };
  };
  const AnyLayer dense = Dense{{.units = 2}};
  return {on([=] { return RNN{dense}; }),
          on([=] { return TimeDistributed{dense}; }),
          on([=] { return TimeDistributed{Lambda{[](const Tensors&) { return Tensors(); }}}; }),
          on([=] { return TimeDistributed{Sequential(std::vector<AnyLayer>())}; }),
          on([=] { return Sequential(std::vector<AnyLayer>()); }),
          on([=] { return Bidirectional{GRU{{}}}; }),
          on([=] { return Bidirectional{RNN{GRUCell{{}}}}; }),
          on([=] { return RNN{StackedRNNCells(std::vector<AnyLayer>())}; }),
          on([=] { return RNN{StackedRNNCells({dense})}; }),
          on([=] { return RNN{GRUCell{{.units = most}}}; }),
          on([=] { return EinsumDense{{}}; }),
          [=] { AnyLayer(dense).as<LSTM>(); },
          [=] { AnyLayer(dense).call({}); },
          [=] { AnyLayer(dense).call({Tensor()}); },
          [=] { TimeDistributed{dense}(Tensor()); }};
}

Calls functional_calls() {
  const auto with = [](auto f) {
    return [=] {
      Functional model;
      const auto x = model.input();
      f(model, x);
    };
  };
  return {with([](auto& m, auto) { m.add(Dense{{.units = 1}}, {}); }),
          with([](auto& m, auto) {
            m.add(Dense{{.units = 1}}, {{-1, 0}});
          }),
          with([](auto& m, auto) {
            m.add(Dense{{.units = 1}}, {{0, -1}});
          }),
          with([](auto& m, auto x) { m.add(Dense{{.units = 1}}, {x[1 << 30]}); }),
          with([](auto& m, auto x) {
            m.outputs({x, x}), m.build({Spec::f32({})});
          }),
          with([](auto& m, auto x) { m.outputs({x[7]}), m.build({Spec::f32({})}); }),
          with([](auto& m, auto x) { m.outputs({x}), m.predict({Tensor()}); }),
          with([](auto& m, auto x) { m.outputs({x}), predict(m, Tensor()); }),
          with([](auto& m, auto) { predict(m, ones({2})); }),
          with([](auto& m, auto) { m.layer(most); }),
          with([](auto& m, auto) { m.layer(-1); }),
          with([](auto& m, auto) { m.layer(""); }),
          with([](auto& m, auto) { m.template layer<Dense>(); }),
          with([](auto& m, auto x) { m.call({99}, {x}); }),
          [] { Sequential{Dense{{.units = 1}}}.layer(most); },
          [] { Sequential{Dense{{.units = 1}}}.layer(""); },
          [] { Sequential{Dense{{.units = 1}}}.layer<GRU>(); }};
}

Calls loss_calls() {
  return calls_of<std::string, Tensor, double>([](const auto& name, const Tensor& x, double count) {
    const Loss loss(name, x, Reduction::none, -1, count, x);
    loss.str();
    loss.fallen_away();
    (count * loss + loss).value();
    loss.backward();
  });
}

Calls sums_calls() {
  auto all = calls_of<Tensor, Tensor>([](const Tensor& x, const Tensor& weight) {
    Mean mean;
    mean.update(x, weight);
    mean.value();
  });
  for (auto& call : calls_of<double, double>([](double x, double weight) {
         Mean mean;
         mean.update(x, weight);
         mean.value();
       })) {
    all.push_back(call);
  }
  for (auto call : std::initializer_list<void (*)()>{
           [] { ConfusionMatrix{{}}; },
           [] { ConfusionMatrix{{.num_classes = most}}.update(zeros({2}, DType::i64), ones({2})); },
           [] { ConfusionMatrix{{.num_classes = 1LL << 32}}; },
           [] { AUC{{.num_thresholds = most}}.update(ones({2}), ones({2})); },
           [] { AUC{{.num_thresholds = 1LL << 40}}.update(ones({2}), ones({2})); },
           [] { AUC{{.num_thresholds = -1}}; }, [] { detail::LossTotal().value(); },
           [] { detail::LossTotal().set_counted({1}); },
           [] {
             detail::LossTotal().set_counted({nan, 1, 2, 3, 4});
           },
           [] { detail::LossTotal().end_batch(); }, [] { Mean().set_counted({}); },
           [] {
             Mean().set_counted({-1, nan});
           }}) {
    all.push_back(call);
  }
  return all;
}

Calls schedule_calls() {
  Calls all;
  for (const auto name : schedule_names()) {
    for (const double epoch : Hostile<double>::values()) {
      for (const auto step : Hostile<std::int64_t>::values()) {
        for (const char* options : {"{}", R"({"over": 1})", R"({"over": 9e300})",
                                    R"({"boundaries": [], "values": []})"}) {
          all.push_back([=] { make_schedule(name, options).factor({epoch, step}); });
        }
      }
    }
    for (const char* options : {"{}", R"({"over": 1})"}) {
      all.push_back([=] { make_schedule(name, options).end_epoch({}); });
      all.push_back([=] { make_schedule(name, options).rule()->set_state({}); });
      all.push_back([=] { make_schedule(name, options).rule()->set_state({nan}); });
      all.push_back([=] { make_schedule(name, options).rule()->set_state({1, 2, nan, 1e300}); });
    }
  }
  all.push_back([] { Schedule().factor({}); });
  all.push_back([] { Schedule().end_epoch({}); });
  all.push_back([] { Schedule{std::unique_ptr<ScheduleRule>()}.factor({}); });
  all.push_back([] { describe(Schedule()); });
  all.push_back([] { Logs().at("", ""); });
  all.push_back([] { detail::MonitoredValue("", "", Better::automatic, nan); });
  all.push_back([] { detail::MonitoredValue("", "", Better::automatic, 0).better({}); });
  return all;
}

Calls data_calls() {
  return {
      [] { Dataset(nullptr).batch({0}); },
      [] { Dataset(nullptr).describe(); },
      [] { Dataset(nullptr).map([](Batch b) { return b; }).batch({0}); },
      [] { Dataset().standardized(Standardizer(zeros({1}), ones({1}))).batch({0}); },
      [] { Standardizer(Tensor(), Tensor()).apply(Tensor()); },
      [] { Standardizer(zeros({1}), ones({1})).apply(Tensor()); },
      [] { Standardizer(zeros({1}), ones({1})).undo(Tensor()); },
      [] { Standardizer(zeros({1}), ones({1})).save(""); },
      [] { Standardizer::load(""); },
      [] { Batches(Dataset()).epoch(-1); },
      [] { Batches(Dataset()).epoch(most, most); },
      [] { Batches(Dataset(), {.batch_size = most, .bucket = true, .bucket_size = most}); },
      [] {
        Dataset::from_callback({.lengths = {most, most}, .sample = {}}).steps();
      },
      [] { Dataset::from_callback({.lengths = {-1}, .sample = {}}); },
      [] {
        Dataset::from_callback({.lengths = {most}, .sample = [](auto) { return SequenceData{}; }})
            .batch({0});
      }};
}

Calls file_calls() {
  Calls all;
  for (const auto& path : Hostile<std::filesystem::path>::values()) {
    all.push_back([=] { AtomicFile(path, "").commit(); });
    all.push_back([=] { NpzReader{path}; });
    all.push_back([=] { detail::SafetensorsReader{path}; });
    all.push_back([=] { Standardizer::load(path); });
  }
  const Calls some{[] { detail::ArrayRows().dtype(); },
                   [] { detail::ArrayRows().in_file(); },
                   [] { detail::ArrayRows().name(); },
                   [] { detail::ArrayRows().merged(); },
                   [] { detail::ArrayRows().read_all(); },
                   [] {
                     std::byte to[8];
                     detail::ArrayRows().read(0, 1, DType::f32, to);
                   },
                   [] {
                     detail::ArrayRows(DType::f32, {2, 3}, {}, nullptr, "").read_all();
                   },
                   [] {
                     detail::ArrayRows(DType::f32, {most, most}, {}, nullptr, "");
                   },
                   [] { detail::ArrayRows(DType::f32, {-1}, {}, nullptr, "").read_all(); },
                   [] { CheckpointFolder{{}}; },
                   [] { CheckpointFolder({.folder = "/proc/none"}).write(-1, {}, ""); },
                   [] { CheckpointFolder({.folder = "/proc/none", .keep = -1}); },
                   [] {
                     std::vector<std::string> notes;
                     CheckpointFolder({.folder = "/proc/none"}).newest({}, notes);
                   },
                   [] { write_report("/", History(), {.title = "\xff", .parameters = -1}); }};
  all.insert(all.end(), some.begin(), some.end());
  return all;
}

Calls builder_calls() {
  Calls all{[] { Initializer{no_text}; },
            [] { Initializer{""}; },
            [] { Builder::current(); },
            [] { Builder({}, DType::i64).weight("", {2}, "zeros"); },
            [] { Builder({}, DType::f32).weight("", {2}, "zeros"); },
            [] { Builder({}, DType::f32).layer_seed(); },
            [] { detail::CarriedState().begin(-1); },
            [] { detail::CarriedState().keep({}); },
            [] { detail::CarriedState().keep({Tensor()}); },
            [] { detail::CarriedState({most}).begin(most); },
            [] { detail::CarriedState().set({Tensor()}); },
            [] { detail::CarriedState().trouble_with({Tensor()}, DType::f32); },
            [] { detail::CarriedState({3}).trouble_with({Tensor()}, DType::f32); },
            [] { detail::CarriedState().reset("", {0}); },
            [] { extend::NoiseSamplesScope{nullptr}; },
            [] {
              const NoiseStep step({.sequence = -1});
              const NoiseScope scope;
              extend::noise_key({});
            }};
  for (const char* name : {"zeros", "ones", "glorot_uniform", "he_normal", "orthogonal"}) {
    for (const Shape& shape : Hostile<Shape>::values()) {
      all.push_back([=] { Initializer(name).make(shape, {}, DType::f32); });
      all.push_back([=] { Initializer(name).make(shape, {}, DType::i64); });
    }
  }
  return all;
}

}  // namespace

std::vector<Row> class_rows() {
  return {
      {"layers of default-made options",
       defaults<ELU, LeakyReLU, PReLU, ReLU, AdditiveAttention, Attention, AttentionPooling1D,
                GroupedQueryAttention, MultiHeadAttention, SinePositionEncoding, PositionEmbedding,
                RotaryEmbedding, TransformerDecoder, TransformerEncoder, Activation, Dense,
                EinsumDense, Embedding, Masking, Softmax, Conv1D, MaskedConv1D, Conv1DTranspose,
                DepthwiseConv1D, UpSampling1D, ZeroPadding1D, Cropping1D, SeparableConv1D, CRF,
                Concatenate, Dot, BatchNormalization, GroupNormalization, LayerNormalization,
                RMSNormalization, UnitNormalization, GRU, LSTM, SimpleRNN, MinGRU, MinLSTM, RGLRU,
                S6, LinearAttention, AlphaDropout, Dropout, GaussianDropout, GaussianNoise,
                SpatialDropout1D, Flatten, Permute, RepeatVector, Reshape, Reverse>},
      {"layers around layers", wrapper_calls},
      {"Functional's nodes", functional_calls},
      {"Loss", loss_calls},
      {"Mean and other sums", sums_calls},
      {"Schedule", schedule_calls},
      {"data sets of nothing", data_calls},
      {"files", file_calls},
      {"Initializer and Builder", builder_calls},
  };
}

}  // namespace maskgrad::tests
