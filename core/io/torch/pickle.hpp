#pragma once

#include <deque>
#include <optional>

#include <maskgrad/core/io/bytes.hpp>
#include <maskgrad/core/io/decode.hpp>

namespace maskgrad::detail {

/// What a value of a pickle is.
enum class PickleKind : std::uint8_t {
  none,
  boolean,
  integer,
  real,
  text,
  list,    ///< also a set
  tuple,   ///< items
  dict,    ///< items: key, value, key, value ...
  global,  ///< text: module and name, as `torch.FloatStorage`
  storage,
  tensor,  ///< items: storage, offset, size, strides
  other,   ///< what is passed over: bytes, integers of more than 64 bits, a device
};

/// A value of a pickle. Texts are views of the pickle's bytes, items the places of other values.
struct PickleValue {
  PickleKind kind = PickleKind::none;
  std::uint32_t length = 0;  ///< of a text
  std::int64_t number = 0;   ///< an integer, a boolean, where a text begins, which storage
  std::vector<std::uint32_t> items = {};
};

/// The elements of tensors, by the key that the file has for them.
struct PickleStorage {
  FileType type = FileType::f32;
  std::string_view key;
  std::uint64_t count = 0;  ///< elements
};

/// What a pickle holds: values, of which `root` is the whole.
struct Pickle {
  std::deque<PickleValue> values;
  std::vector<PickleStorage> storages;
  std::uint32_t root = 0;
  std::span<const std::byte> bytes;
  std::size_t end = 0;  ///< of its bytes, behind STOP

  std::string_view text(const PickleValue& value) const {
    return as_text(bytes.subspan(static_cast<std::size_t>(value.number), value.length));
  }
};

/// Reads a pickle as torch.save writes it, of protocols 2 to 5, and runs nothing. It knows plain
/// values, lists, tuples, dictionaries, and PyTorch's tensors; any other class or function is
/// refused by its name. The bytes must outlive what is read. Nothing here calls itself, and what is
/// allocated is at most 64 times the bytes.
/// Throws:   FileError with file, byte offset, what is there and what was expected.
/// Source:   Python's pickletools; torch.serialization of PyTorch 2.6.
Pickle read_pickle(std::span<const std::byte> bytes, const Place& place);

/// A tensor in a pickle: where its elements lie in their storage.
struct PickleTensor {
  std::uint32_t storage = 0;
  std::uint64_t offset = 0;  ///< of its first element, in elements
  std::vector<std::int64_t> shape;
  std::vector<std::uint64_t> strides;
};

/// A name of a tensor and its value's place in the pickle.
struct PickleName {
  std::string name;
  std::uint32_t value = 0;
};

/// The tensors of the pickle's state dict, by name. That is the whole where it is a dictionary of
/// tensors; else the dictionary of tensors inside it, as in {"state_dict": {...}, "epoch": 3}. Of
/// several, `state_dict`, `model_state_dict` or `model`; else all of them with their names in
/// front. Dictionaries under numbers, as those of optimizers, are passed over.
std::vector<PickleName> state_dict_of(const Pickle& pickle, const Place& place);

/// The tensor of a value. FileError where it leaves its storage, or has more elements than that.
PickleTensor tensor_in(const Pickle& pickle, const PickleName& name, const Place& place);

}  // namespace maskgrad::detail
