#include <maskgrad/layers/model/weights_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/safetensors.hpp>
#include <maskgrad/core/io/torch/torch_file.hpp>

namespace maskgrad {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_ending(std::string_view where, const fs::path& path) {
  fail<OptionError>(where, "'{}' ends in '{}'; expected .safetensors, .npz or .pt", path.string(),
                    path.extension().string());
}

/// A name without what Keras's paths add: `gru_cell/`, `forward_gru` for `forward`, `:0`.
std::string plain(std::string name) {
  if (name.ends_with(":0")) name.resize(name.size() - 2);
  std::string made;
  for (std::size_t from = 0; from <= name.size();) {
    const auto to = std::min(name.find('/', from), name.size());
    std::string part = name.substr(from, to - from);
    from = to + 1;
    if (part.ends_with("_cell") && to != name.size()) continue;
    if (part.starts_with("forward_")) part = "forward";
    if (part.starts_with("backward_")) part = "backward";
    if (part == "attention_output") part = "output";
    made = detail::join_path(made, part);
  }
  return made;
}

/// Each parameter once, under its first name.
std::vector<NamedParameter> each_once(const std::vector<NamedParameter>& parameters) {
  std::vector<NamedParameter> each;
  detail::FirstTime first;
  for (const auto& named : parameters) {
    if (first(named.parameter)) each.push_back(named);
  }
  return each;
}

/// The arrays without those of a parameter's further names, one of which counts where the first
/// name has none.
NamedArrays without_further_names(const std::vector<NamedParameter>& parameters,
                                  const std::vector<NamedParameter>& each, NamedArrays arrays) {
  std::map<std::string, std::string> first_of;  // of a further name, the first one
  std::set<std::string> there, own;
  for (const auto& a : arrays) there.insert(a.name);
  for (const auto& named : each) own.insert(named.name);
  for (const auto& named : parameters) {
    if (own.count(named.name)) continue;
    const auto first = std::find_if(each.begin(), each.end(), [&](const auto& other) {
      return other.parameter.same(named.parameter);
    });
    first_of.emplace(named.name, first->name);
  }
  std::erase_if(arrays, [&](auto& a) {
    const auto at = first_of.find(a.name);
    if (at == first_of.end()) return false;
    a.name = at->second;
    return !there.insert(a.name).second;
  });
  return arrays;
}

/// The arrays under the model's names, where one that Keras gave can be told from it.
NamedArrays with_own_names(const std::vector<NamedParameter>& parameters, NamedArrays arrays) {
  std::set<std::string> own, wanted;
  for (const auto& p : parameters) own.insert(p.name);
  wanted = own;
  for (const auto& a : arrays) wanted.erase(a.name);
  for (auto& a : arrays) {
    if (own.count(a.name) > 0) continue;
    const std::string whole = plain(a.name), inside = whole.substr(whole.find('/') + 1);
    for (const auto& name : {whole, inside}) {
      if (!wanted.erase(name)) continue;
      a.name = name;
      break;
    }
  }
  return arrays;
}

}  // namespace

namespace detail {

void collect_named(const LayerView& view, FirstTime& first, std::vector<NamedParameter>& into) {
  check_built(view);
  for (const auto& entry : view.parameters) {
    if (first(*entry.second)) into.push_back({entry.first, *entry.second});
  }
}

NamedArrays read_arrays(std::string_view where, const fs::path& path) {
  const auto kind = weights_kind(path, where);
  if (kind == WeightsKind::torch) return read_torch(path);
  if (kind == WeightsKind::npz) return read_npz(path);
  if (kind == WeightsKind::safetensors) return read_safetensors(path).arrays;
  check_weights_ending(where, path);
  if (path.extension() == ".npz") return read_npz(path);  // which says what is wrong with it
  if (path.extension() == ".safetensors") return read_safetensors(path).arrays;
  return read_torch(path);
}

void check_weights_ending(std::string_view where, const fs::path& path) {
  for (const auto* ending : {".safetensors", ".npz", ".pt", ".pth"}) {
    if (path.extension() == ending) return;
  }
  refuse_ending(where, path);
}

void write_arrays(const fs::path& path, const NamedArrays& arrays) {
  if (path.extension() == ".npz") return write_npz(path, arrays);
  if (path.extension() != ".safetensors") return write_torch(path, arrays);
  write_safetensors(path, arrays, {}, Checksum::crc32);
}

LoadReport put_weights(std::string_view where, const fs::path& path,
                       const std::vector<NamedParameter>& parameters, const NamedArrays& arrays,
                       LoadOptions options) {
  return put_values({where, fmt::format("'{}'", path.string()), "model"}, saved_values(parameters),
                    arrays, options);
}

SavedValues saved_values(const std::vector<NamedParameter>& parameters) {
  SavedValues values;
  for (const auto& named : parameters) {
    const Parameter p = named.parameter;
    values.push_back({named.name, p.tensor().value(), [p](const Tensor& x) { p.set(x); }});
  }
  return values;
}

NamedArrays weight_arrays(std::string_view where, const std::vector<NamedParameter>& parameters) {
  std::set<std::string_view> names;
  for (const auto& p : parameters) {
    if (names.insert(p.name).second) continue;
    fail<OptionError>(where, "two parameters are named '{}'; give their layers names of their own",
                      p.name);
  }
  return arrays_of(saved_values(parameters));
}

}  // namespace detail

void save_weights(const std::vector<NamedParameter>& parameters, const fs::path& path) {
  detail::check_weights_ending("save_weights", path);
  detail::write_arrays(path, detail::weight_arrays("save_weights", each_once(parameters)));
}

LoadReport load_weights(const std::vector<NamedParameter>& parameters, const fs::path& path,
                        LoadOptions options) {
  constexpr std::string_view where = "load_weights";
  auto arrays = detail::read_arrays(where, path);
  const auto each = each_once(parameters);
  arrays = without_further_names(parameters, each, std::move(arrays));
  arrays = with_own_names(each, std::move(arrays));
  return detail::put_weights(where, path, each, arrays, options);
}

}  // namespace maskgrad
