#include <algorithm>
#include <array>
#include <maskgrad/core/io/torch/pickle_machine.hpp>

/// What a pickle names and calls: nothing is called, the few that make tensors are understood.
namespace maskgrad::detail {
namespace {

struct StorageClass {
  std::string_view name;
  FileType type;
};

constexpr std::array storage_classes = {
    StorageClass{"FloatStorage", FileType::f32}, StorageClass{"DoubleStorage", FileType::f64},
    StorageClass{"HalfStorage", FileType::f16},  StorageClass{"BFloat16Storage", FileType::bf16},
    StorageClass{"LongStorage", FileType::i64},  StorageClass{"IntStorage", FileType::i32},
    StorageClass{"ShortStorage", FileType::i16}, StorageClass{"CharStorage", FileType::i8},
    StorageClass{"ByteStorage", FileType::u8},   StorageClass{"BoolStorage", FileType::boolean},
};

const StorageClass* storage_class(std::string_view name) {
  const auto* at = std::find_if(storage_classes.begin(), storage_classes.end(),
                                [&](const auto& c) { return c.name == name; });
  return at == storage_classes.end() ? nullptr : at;
}

bool is_type(std::string_view name) {
  constexpr std::array types = {"float16", "bfloat16", "float32", "float64", "int8",
                                "int16",   "int32",    "int64",   "uint8",   "bool"};
  return std::find(types.begin(), types.end(), name) != types.end();
}

/// What may be called, and passed over: it makes no tensor.
bool is_plain(std::string_view module, std::string_view name) {
  return (module == "torch" && (name == "Size" || name == "device")) ||
         ((module == "builtins" || module == "__builtin__") && name == "set");
}

bool makes_tensors(std::string_view module, std::string_view name) {
  return module == "torch._utils" && (name == "_rebuild_tensor_v2" || name == "_rebuild_tensor" ||
                                      name == "_rebuild_parameter");
}

}  // namespace

void PickleMachine::global(std::string_view module, std::string_view name) {
  const bool known = makes_tensors(module, name) || is_plain(module, name) ||
                     (module == "collections" && name == "OrderedDict") ||
                     (module == "torch" && (storage_class(name) || is_type(name)));
  if (!known) {
    refuse(
        "the file names {}.{}, which is no tensor; nothing in a file is run here; save the weights "
        "alone, with torch.save(model.state_dict(), path) or as safetensors",
        in_quotes(module), in_quotes(name));
  }
  // The name is enough to tell them apart; it is a view of the pickle's bytes.
  const auto begin = static_cast<std::int64_t>(name.data() - as_text(made_.bytes).data());
  push(add({PickleKind::global, static_cast<std::uint32_t>(name.size()), begin, {}}));
}

/// ("storage", its class, its key, where it lived, elements), in old files with a view behind.
void PickleMachine::persistent() {
  const auto& id = value(pop());
  const auto is = [&](std::size_t i, PickleKind kind) {
    return i < id.items.size() && value(id.items[i]).kind == kind;
  };
  const bool storage = id.kind == PickleKind::tuple && is(0, PickleKind::text) &&
                       is(1, PickleKind::global) && is(2, PickleKind::text) &&
                       is(4, PickleKind::integer) && made_.text(value(id.items[0])) == "storage" &&
                       value(id.items[4]).number >= 0;
  if (!storage) refuse("something outside of the pickle is named that is no storage of a tensor");
  const auto* type = storage_class(made_.text(value(id.items[1])));
  if (!type) refuse("a storage without a type; save it again with torch.save");
  if (id.items.size() > 5 && !is(5, PickleKind::none)) {
    refuse("a storage is a view of another; save it again with PyTorch 1.6 or later");
  }
  made_.storages.push_back({type->type, made_.text(value(id.items[2])),
                            static_cast<std::uint64_t>(value(id.items[4]).number)});
  push_new(PickleKind::storage, static_cast<std::int64_t>(made_.storages.size() - 1));
}

void PickleMachine::reduce() {
  const auto arguments = pop(), function = pop();
  if (value(function).kind != PickleKind::global || value(arguments).kind != PickleKind::tuple) {
    refuse("something is called that is no function; the pickle is damaged, save it again");
  }
  push(call(made_.text(value(function)), value(arguments).items));
}

std::uint32_t PickleMachine::call(std::string_view function, const std::vector<Index>& arguments) {
  if (function == "OrderedDict" && arguments.empty()) return add({PickleKind::dict, 0, 0, {}});
  if (makes_tensors("torch._utils", function)) return tensor(function, arguments);
  const bool one = arguments.size() == 1;
  if (function == "Size" && one && value(arguments[0]).kind == PickleKind::tuple) {
    return arguments[0];
  }
  if (function == "set" || function == "device") return add({PickleKind::other, 0, 0, {}});
  refuse("{} is called with what torch.save does not write; save it again with torch.save",
         in_quotes(function));
}

std::uint32_t PickleMachine::tensor(std::string_view function, const std::vector<Index>& given) {
  const auto is = [&](std::size_t i, PickleKind kind) {
    return i < given.size() && value(given[i]).kind == kind;
  };
  if (function == "_rebuild_parameter" && is(0, PickleKind::tensor)) return given[0];
  const bool whole = is(0, PickleKind::storage) && is(1, PickleKind::integer) &&
                     is(2, PickleKind::tuple) && is(3, PickleKind::tuple) &&
                     value(given[2]).items.size() == value(given[3]).items.size();
  if (function == "_rebuild_parameter" || !whole) {
    refuse("a tensor is not made of a storage, an offset, a shape and strides; save it again");
  }
  return add({PickleKind::tensor, 0, 0, {given[0], given[1], given[2], given[3]}});
}

}  // namespace maskgrad::detail
