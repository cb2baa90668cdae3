#include "hostile.hpp"

#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/io/npy.hpp>
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/nearest.hpp>
#include <maskgrad/core/version.hpp>

namespace maskgrad::tests {

template <>
struct Hostile<Array> {
  static std::vector<Array> values() {
    Array wrong;
    wrong.shape = {2, 3};
    Array huge;
    huge.shape = {std::numeric_limits<std::int64_t>::max(), 4};
    return {Array(), wrong, huge};
  }
};
template <>
struct Hostile<NamedArray> {
  static std::vector<NamedArray> values() {
    return {{"", {}}, {std::string("\xff"), {}}, {"a", Hostile<Array>::values()[2]}};
  }
};

namespace {

/// What every method of a tensor does.
void call_methods(const Tensor& x) {
  const std::vector<std::function<void()>> methods{
      [&] { x.shape(); },
      [&] { x.rank(); },
      [&] { x.size(0); },
      [&] { x.size(-9); },
      [&] { x.dtype(); },
      [&] { x.has_mask(); },
      [&] { x.is_meta(); },
      [&] { x.item(); },
      [&] {
        x.item({0, 0});
      },
      [&] { x.to_vector<float>(); },
      [&] { x.to_vector<bool>(); },
      [&] { x.str(); },
      [&] { x.describe(); },
      [&] { x.with_mask(Mask()); },
      [&] { x.with_mask(Mask::keep({}, {0})); },
      [&] { x.drop_mask(""); },
      [&] { x.with_grad(); },
      [&] { x.grad(); },
      [&] { x.clear_grad(); },
      [&] { x.on_tape(); },
      [&] { x.backward(); },
      [&] { x.value().str(); },
  };
  for (const auto& method : methods) {
    try {
      method();
    } catch (const Error&) {
    }
  }
}

void call_methods(const Mask& mask) {
  const std::vector<std::function<void()>> methods{
      [&] { mask.shape(); },      [&] { mask.valid(); },  [&] { mask.all_valid(); },
      [&] { mask.at({0}); },      [&] { mask.at({}); },   [&] { mask.to_vector(); },
      [&] { mask.lengths(); },    [&] { mask.origin(); }, [&] { (void)(mask == Mask()); },
      [&] { mask.same(Mask()); }, [&] { mask.at({-1}); },
  };
  for (const auto& method : methods) {
    try {
      method();
    } catch (const Error&) {
    }
  }
}

void call_methods(const Parameter& p) {
  const std::vector<std::function<void()>> methods{
      [&] { p.tensor(); },
      [&] { p.value(); },
      [&] { p.set(Tensor()); },
      [&] { p.set(zeros({7})); },
      [&] { p.shape(); },
      [&] { p.dtype(); },
      [&] { p.name(); },
      [&] { p.rename(""); },
      [&] { p.trainable(); },
      [&] { p.is_state(); },
      [&] { p.set_trainable(true); },
      [&] { p.grad(); },
      [&] { p.set_grad(Tensor()); },
      [&] { p.set_grad(zeros({7})); },
      [&] { p.clear_grad(); },
      [&] { p.grad_count(); },
      [&] { p.clone(DType::i64); },
      [&] { p.same(Parameter()); },
  };
  for (const auto& method : methods) {
    try {
      method();
    } catch (const Error&) {
    }
  }
}

Calls mask_makers() {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  return {[] { Mask::keep(Tensor()); },
          [] { Mask::drop(Tensor()); },
          [] { Mask::where_any_differs(Tensor(), 0); },
          [] { Mask::from_lengths({}); },
          [] {
            Mask::from_lengths({0, 0});
          },
          [] { Mask::from_lengths({-1}); },
          [] {
            Mask::from_lengths({most, 1});
          },
          [] {
            Mask::from_lengths({1, 1, 1}, most);
          },
          [] { Mask::from_lengths({1}, -7); },
          [] { Mask::keep(std::vector<bool>(), {}); },
          [] {
            Mask::keep(std::vector<bool>(), {most, most});
          },
          [] { Mask::drop({true}, {0}); },
          [] {
            Mask::keep({{true}, {}});
          }};
}

}  // namespace

std::vector<Row> core_rows() {
  using Spans = std::span<const std::byte>;
  return {
      {"Tensor", [] { return calls_of<Tensor>([](const Tensor& x) { call_methods(x); }); }},
      {"Mask",
       [] {
         auto all = calls_of<Mask>([](const Mask& m) { call_methods(m); });
         for (auto& call : mask_makers()) all.push_back(call);
         return all;
       }},
      {"Parameter",
       [] { return calls_of<Parameter>([](const Parameter& p) { call_methods(p); }); }},
      {"tensor",
       [] {
         return calls_of<std::vector<float>, Shape>(
             [](const auto& values, const Shape& shape) { tensor(values, shape); });
       }},
      {"from_sequences",
       [] {
         return calls_of<std::vector<std::vector<double>>, Shape, std::vector<Tensor>>(
             [](const auto& values, const Shape& step, const Tensors& tensors) {
               try {
                 from_sequences(values, step);
               } catch (const Error&) {
               }
               from_sequences(tensors);
             });
       }},
      {"Shape",
       [] {
         return calls_of<std::vector<std::int64_t>>([](const auto& sizes) {
           for (const int times : {1, 2, 9}) {
             Shape shape(sizes);
             for (int i = 1; i < times; ++i) shape = shape + Shape(sizes);
             shape.str();
             shape.count();
           }
         });
       }},
      {"scalar", [] { return calls(scalar); }},
      {"full", [] { return calls(full); }},
      {"zeros", [] { return calls(zeros); }},
      {"ones", [] { return calls(ones); }},
      {"arange", [] { return calls(arange); }},
      {"random_normal", [] { return calls(random_normal); }},
      {"random_uniform", [] { return calls(random_uniform); }},
      {"set_num_threads", [] { return calls(set_num_threads); }},
      {"num_threads", [] { return calls(num_threads); }},
      {"version", [] { return calls(version); }},
      {"fits", [] { return calls<bool, const Shape&, const Shape&>(fits); }},
      {"nearest_hint",
       [] {
         return calls_of<std::string_view, std::vector<std::string_view>>(
             [](auto name, const auto& known) { nearest_hint(name, known); });
       }},
      {"read_npy", [] { return calls(read_npy); }},
      {"read_npz", [] { return calls(read_npz); }},
      {"load_npy", [] { return calls(load_npy); }},
      {"load_npz", [] { return calls(load_npz); }},
      {"save_npy", [] { return calls(save_npy); }},
      {"save_npz",
       [] {
         return calls_of<std::filesystem::path, Tensor>([](const auto& path, const Tensor& x) {
           save_npz(path, {{"x", x}});
         });
       }},
      {"values_as",
       [] { return calls_of<Tensor>([](const Tensor& x) { values_as<std::int32_t>(x); }); }},
      {"to_sequences",
       [] {
         return calls_of<Tensor>([](const Tensor& x) {
           to_sequences<float>(x);
           to_sequences(x);
         });
       }},
      {"text_of", [] { return calls(text_of); }},
      {"read_safetensors", [] { return calls(read_safetensors); }},
      {"npy_rows", [] { return calls(detail::npy_rows); }},
      {"npy_texts", [] { return calls(detail::npy_texts); }},
      {"parse_npy", [] { return calls<Array, Spans, std::string_view>(parse_npy); }},
      {"parse_npz", [] { return calls<NamedArrays, Spans, std::string_view>(parse_npz); }},
      {"parse_safetensors",
       [] { return calls<Safetensors, Spans, std::string_view>(detail::parse_safetensors); }},
      {"write_npy", [] { return calls(write_npy); }},
      {"write_npz", [] { return calls(write_npz); }},
      {"write_safetensors", [] { return calls(write_safetensors); }},
      {"npy_bytes", [] { return calls(npy_bytes); }},
      {"npz_bytes", [] { return calls(npz_bytes); }},
      {"safetensors_bytes", [] { return calls(detail::safetensors_bytes); }},
      {"write_file", [] { return calls(write_file); }},
      {"remove_left_behind", [] { return calls(remove_left_behind); }},
      {"make_folders",
       [] {
         return Calls{[] { make_folders("", "test"); }, [] { make_folders("/", "test"); },
                      [] { make_folders("/proc/none/at/all", "test"); },
                      [] { make_folders("/dev/null/none", ""); },
                      [] { make_folders(std::string(5000, 'a'), "test"); }};
       }},
      {"next_default_seed", [] { return calls(detail::next_default_seed); }},
      {"set_default_seed",
       [] {
         return Calls{[] { set_default_seed({}); },
                      [] { set_default_seed(Seed{std::numeric_limits<std::uint64_t>::max()}); }};
       }},
      {"noise_key", [] { return Calls{[] { extend::noise_key({}); }}; }},
      {"recording", [] { return calls(recording); }},
      {"training", [] { return calls(training); }},
      {"noise_position", [] { return calls(noise_position); }},
      {"variable_of", [] { return calls(variable_of); }},
      {"gradcheck",
       [] {
         return calls_of<std::vector<Tensor>>([](const Tensors& x) {
           const std::function<Tensor(const Tensor&)> none;
           try {
             gradcheck(none, x);
           } catch (const Error&) {
           }
           try {
             gradcheck([](const Tensors&) { return Tensors{}; }, x);
           } catch (const Error&) {
           }
           gradcheck([](const Tensor&) { return Tensor(); }, x);
         });
       }},
      {"check_mask_laws",
       [] {
         return Calls{[] { check_mask_laws([](const Tensors& x) { return x; }, {}, {}); },
                      [] { check_mask_laws(std::function<Tensor(const Tensor&)>(), {}, {}); },
                      [] { check_mask_laws(Dense{{.units = 1}}, Spec::f32({})); }};
       }},
  };
}

}  // namespace maskgrad::tests
