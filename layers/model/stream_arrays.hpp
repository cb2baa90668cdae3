#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/layers/layer/streaming.hpp>
#include <maskgrad/layers/model/stream_notes.hpp>

/// What a stream keeps, as arrays of a file.
namespace maskgrad::detail {

/// Writes tensors of sequences, what notes say of them along with it.
class StreamArraysOut {
 public:
  explicit StreamArraysOut(StreamNotes& notes) : notes_(notes) {}
  /// OptionError for one under a mask over more than steps.
  void add(const std::string& name, const Tensor& x);
  void add(const std::string& name, const Tensors& xs);
  void add_counts(const std::string& name, const std::vector<std::int64_t>& counts);
  void add_slot(const std::string& place, const extend::StreamSlot& slot);
  const NamedArrays& arrays() const { return arrays_; }

 private:
  StreamNotes& notes_;
  NamedArrays arrays_;
};

/// Reads them. FileError, which names the file and the array, for what is not as it was written.
class StreamArraysIn {
 public:
  StreamArraysIn(const std::filesystem::path& path, const NamedArrays& arrays,
                 const StreamNotes& notes);
  /// Those that are named `name/0`, `name/1` and so on.
  Tensors all(const std::string& name);
  std::vector<std::int64_t> counts(const std::string& name);
  extend::StreamSlot slot(const std::string& place);
  /// Every array was asked for.
  void finish() const;
  [[noreturn]] void refuse(const std::string& name, std::string_view expected) const;

 private:
  const Array* find(const std::string& name);
  Tensor read(const std::string& name, const Array& array);
  /// So many steps of each sequence; of equal ones the same mask.
  Mask steps(const std::vector<std::int64_t>& lengths, std::int64_t time);

  const std::filesystem::path& path_;
  const StreamNotes& notes_;
  std::map<std::string_view, const Array*> left_;  ///< those that nobody asked for
  std::vector<Mask> masks_;
};

}  // namespace maskgrad::detail
