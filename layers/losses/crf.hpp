#pragma once

#include <maskgrad/autograd/ops/decoding/crf_decode_best.hpp>
#include <maskgrad/autograd/ops/loss/crf.hpp>
#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

/// Minus the log likelihood of tags under a linear-chain conditional random field; a sequence is
/// one position.
/// Shapes:   tags [batch, time] i64, potentials [batch, time, tags], transitions [tags, tags].
/// Mask:     consumes; a step counts where tags and potentials are valid. A sequence without one
///           does not count. mean and per_sequence are both over the sequences.
/// Gradient: of the reported value, to potentials and transitions.
/// Throws:   ShapeError, TypeError, MaskError; IndexError for a tag out of range.
/// Example:  mg::crf_loss(labels, model(x), mg::zeros({3, 3})).backward();
Loss crf_loss(const Tensor& tags, const Tensor& potentials, const Tensor& transitions,
              const LossOptions& options = {});

struct CRFOptions {
  bool use_boundary = true;  ///< weights of a sequence's first and last tag
  Initializer transition_initializer = "glorot_uniform";
  Initializer boundary_initializer = "zeros";
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("use_boundary", o.use_boundary);
    f("transition_initializer", o.transition_initializer);
    f("boundary_initializer", o.boundary_initializer);
    f("name", o.name);
  }
};

/// The weights of a linear-chain conditional random field, behind a Dense with a unit a tag. Its
/// output are the potentials: x, with left_boundary added at a sequence's first valid step and
/// right_boundary at its last. `loss`, `decode` and `decode_best` read them with the transitions.
/// Shapes:   x [batch, time, tags]; transitions [tags, tags], boundaries [tags].
/// Mask:     supports.
/// Throws:   ShapeError, MaskError.
/// Source:   Lafferty et al. 2001.
/// Example:  mg::Sequential tagger{mg::Dense{{.units = 3}}, mg::CRF{}};
///           tagger.build(mg::Spec::f32({mg::any, mg::any, 3}).masked(2));
///           tagger.layer<mg::CRF>().loss(labels, tagger(x)).backward();
///           tagger.layer<mg::CRF>().decode(tagger.predict(x));  // i64 [4, 5]
class CRF {
 public:
  using Options = CRFOptions;
  static constexpr std::string_view kind = "CRF";
  static constexpr MaskContract contract{
      .role = MaskRole::supports,
      .why = "scores the first and last valid step of each sequence",
      .full_role = MaskRole::unsupported,
      .ways_out = "a mask over whole steps"};
  static constexpr TimeContract time{
      .look_back = 1,
      .look_ahead = 1,
      .by_options = "back 1 · ahead 1, to know the first and the last; without use_boundary 0"};
  TimeContract time_now() const { return options_.use_boundary ? time : TimeContract{}; }

  explicit CRF(CRFOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  /// crf_loss with these transitions.
  Loss loss(const Tensor& tags, const Tensor& potentials, const LossOptions& options = {}) const;
  /// The likeliest tags, [batch, time] i64, under the mask of the potentials.
  Tensor decode(const Tensor& potentials) const;
  /// The n likeliest, [batch, n, time], best first, and their scores, as crf_decode_best.
  CRFDecodeResult decode_best(const Tensor& potentials, std::int64_t n) const;
  const Parameter& transitions() const { return transitions_; }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("transitions", self.transitions_);
    if (!self.options_.use_boundary) return;
    f("left_boundary", self.left_);
    f("right_boundary", self.right_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  CRFOptions options_;
  Parameter transitions_, left_, right_;
};

}  // namespace maskgrad
