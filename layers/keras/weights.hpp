#pragma once

#include <map>

#include <maskgrad/layers/keras/file.hpp>
#include <maskgrad/layers/keras/graph.hpp>

namespace maskgrad::detail {

/// The weights of a Keras file, found for each layer: in HDF5 by the layer's name, in the order of
/// the attribute `weight_names`; in `.keras` by the class's name in snake case and a count, in the
/// order of the layers.
class KerasWeights {
 public:
  KerasWeights(const KerasFile& file, const KerasModel& model);

  /// A layer's own, in Keras's order; of a nested model those of all of its layers, unless the
  /// file tells them by layer. Null where the file has none for it.
  const std::vector<const Hdf5Object*>* find(const KerasLayer& layer) const;
  Array read(const Hdf5Object& object) const { return file_.weights().read(object); }
  /// Whether the bias of a GRU has two rows.
  bool two_biases(const KerasLayer& layer, std::int64_t units) const;
  /// What is odd about how they are stored, in whole sentences.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Group;
  using Found = std::vector<const Hdf5Object*>;
  void by_name(const KerasModel& model);
  void by_count(const KerasModel& model, const Group& group);

  const KerasFile& file_;
  std::map<const KerasLayer*, Found> found_;
  std::vector<std::string> notes_;
};

}  // namespace maskgrad::detail
