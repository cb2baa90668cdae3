#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/layers/layer/streaming.hpp>
#include <maskgrad/layers/model/model.hpp>
#include <maskgrad/layers/model/time.hpp>

namespace maskgrad {

struct StreamOptions {
  std::int64_t sequences = 1;  ///< places, each for one sequence at a time
  /// The model's last inputs, which each sequence has as a whole from its beginning, such as what
  /// an encoder read: [sequences, ...], or [sequences / n, ...], each for n places side by side.
  Tensors context = {};
  /// Each step runs alone: the same bits however sequences are cut and whatever runs beside them.
  bool batch_invariant = false;
};

namespace detail {
/// A model as a stream holds it, whatever its type.
struct StreamedModel {
  std::function<Tensors(const Tensors&)> run;
  std::function<void(const LayerVisitor&)> visit;
};
}  // namespace detail

/// What a stream keeps of its sequences. A value: later pushes do not change it.
struct StreamState {
  detail::StreamSlots slots = {};        ///< of each call of a layer that keeps something
  std::vector<std::int64_t> steps = {};  ///< pushed so far, of each sequence
  detail::StreamConstants constants = {};
  Tensors inputs = {};  ///< as they are pushed, without steps
  /// Whose state it is; null: not known.
  std::shared_ptr<const detail::StreamedModel> model = {};
};

/// Runs a model over sequences whose steps come piece by piece: each push gives some sequences some
/// steps, and gives back the outputs that have become final; together they are those of the whole
/// sequences. Follows the mode of the thread, which stays that of its making: under Evaluate to
/// predict, else with gradients through the pushes. Holds a copy of the model, which shares its
/// weights; a copy of a stream goes its own way.
/// Shapes:   x [sequences, time, ...] under a mask [sequences, time], or all valid. Behind these
///           inputs the model gets the context, if there is one.
/// Throws:   OptionError for a model that does not stream, which says which layer, why, and the ways
///           out; StateError before the model is built, and in another mode; ShapeError.
/// Example:  const mg::Evaluate evaluate;
///           mg::Stream stream{model, {.sequences = 4}};
///           stream.push(x);     // [4, 5, 3]: each sequence by its own number of steps
///           stream.finish(2);   // what waited for more; place 2 is free for a new sequence
class Stream {
 public:
  template <Model M>
  explicit Stream(const M& model, StreamOptions options = {})
      : Stream(held(model), detail::time_of_model(model, std::ssize(options.context)), options) {
    detail::check_streams(model, time_, !options.context.empty());
  }
  Stream(const Stream& other);
  Stream& operator=(const Stream& other);
  Stream(Stream&&) = default;
  Stream& operator=(Stream&&) = default;
  ~Stream() = default;

  /// The outputs that have become final; nothing changes where it throws.
  Tensor push(const Tensor& x) { return push(Tensors{x}).front(); }
  Tensors push(const Tensors& inputs);
  /// The sequence ends: the outputs that waited for more steps, under a mask that the others are
  /// not in. A new one may begin in its place. IndexError for a place that is not there.
  Tensor finish(std::int64_t sequence) { return finish(std::vector{sequence}).front(); }
  Tensors finish(const std::vector<std::int64_t>& sequences);
  /// The sequence ends, and what it waited for is dropped.
  void restart(std::int64_t sequence);
  /// The same, and the next sequence there has this context: [1, ...] each; what is made of it is
  /// made anew for this place alone (in training for all). ShapeError.
  /// Example:  const mg::Evaluate evaluate;
  ///           mg::Functional reads;
  ///           const auto y = reads.input("y"), heard = reads.input("heard");
  ///           reads.outputs({reads.add(mg::MultiHeadAttention{{.num_heads = 1, .key_dim = 2}},
  ///                                    {y, heard})});
  ///           reads.build({spec, spec});
  ///           mg::Stream stream{reads, {.sequences = 4, .context = {x}}};
  ///           stream.push(x);
  ///           stream.restart(2, {mg::slice(x, 0, 0, 1)});
  void restart(std::int64_t sequence, const Tensors& context);
  /// Place i goes on from where place `from[i]` stands, as a beam search takes it. Cuts gradients.
  /// IndexError, ShapeError.
  void reorder(const std::vector<std::int64_t>& from);

  /// What it keeps, to go on from there: in this stream or one of the same model and sequences.
  StreamState state() const;
  /// ShapeError for a state of another number of sequences; OptionError for one of another model.
  void set_state(const StreamState& state);
  /// The same as a `.safetensors` file with a checksum, which is replaced as a whole or not at all;
  /// a stream of the same model, weights and options goes on from it with the same bits.
  /// Throws:   StateError in training, whose gradients no file keeps; OptionError for another
  ///           ending; FileError where the system refuses, and, listing what differs, for a file of
  ///           another model, other options or another version. The stream is then as it was.
  /// Example:  const mg::Evaluate evaluate;
  ///           mg::Stream call{model, {.sequences = 4}}, later{model, {.sequences = 4}};
  ///           call.push(x);
  ///           call.save_state("call.safetensors");
  ///           later.load_state("call.safetensors");
  void save_state(const std::filesystem::path& path) const;
  void load_state(const std::filesystem::path& path);

  std::int64_t sequences() const { return std::ssize(state_.steps); }
  /// Steps that were pushed of the sequence so far.
  std::int64_t steps(std::int64_t sequence) const;
  const TimeContract& time() const { return time_; }
  /// How many input steps later than its own an output comes.
  std::int64_t latency() const { return time_.look_ahead; }

 private:
  using Held = std::shared_ptr<const detail::StreamedModel>;

  Stream(Held model, TimeContract time, const StreamOptions& options);
  template <class M>
  static Held held(const M& model) {
    parameters(model);  // says so where it was not built
    auto copy = std::make_shared<M>(model);
    return std::make_shared<const detail::StreamedModel>(detail::StreamedModel{
        [copy](const Tensors& xs) { return detail::run_model(*copy, xs); },
        [copy](const detail::LayerVisitor& f) { detail::visit_model(*copy, f); }});
  }
  void check_place(std::string_view where, std::int64_t sequence) const;
  void check_context(const Tensors& inputs) const;
  Tensors run(const Tensors& inputs, const std::vector<bool>& ends);
  /// `run` step by step, and what ends one by one.
  Tensors run_singly(const Tensors& inputs, const std::vector<bool>& ends);
  Tensors run_any(const Tensors& inputs, const std::vector<bool>& ends);
  void clear(const std::vector<bool>& sequences);
  void check_file(std::string_view where, const std::filesystem::path& path) const;

  Held model_;
  TimeContract time_;
  StreamState state_;
  bool training_, batch_invariant_, pushed_ = false;
  extend::NoiseOfSteps noise_;  ///< each push draws what one call over all steps would
};

}  // namespace maskgrad
