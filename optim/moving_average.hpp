#pragma once

#include <vector>

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

struct MovingAverageOptions {
  double decay = 0.999;  ///< what is kept of the average at each step
  bool warm_up = true;   ///< step t keeps at most (1 + t) / (10 + t), so that the beginning fades

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("decay", o.decay);
    f("warm_up", o.warm_up);
  }
};

/// The moving average of a model's weights, which often judges better than the weights themselves:
/// a = decay a + (1 - decay) p after each step, beginning with the weights as they are. States of
/// layers (moving statistics) are not averaged again; a weight that stands twice is averaged once.
/// Throws:   OptionError unless decay is in [0, 1).
/// Source:   Polyak and Juditsky 1992; TensorFlow, ExponentialMovingAverage (warm_up).
/// Example:  mg::MovingAverage average{model.parameters()};
///           adam.step(), average.update();  // and so on
///           const mg::MovingAverage::Use use(average);
///           mg::evaluate(model, batches, "sparse_categorical_crossentropy");
class MovingAverage {
 public:
  explicit MovingAverage(const std::vector<Parameter>& parameters,
                         MovingAverageOptions options = {});

  void update();
  /// While one lives the parameters hold the average; then their own values again.
  class Use {
   public:
    explicit Use(MovingAverage& average) : average_(average) { average_.swap(); }
    ~Use() { average_.swap(); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    MovingAverage& average_;
  };
  /// Exchanges the parameters' values and the average.
  void swap();
  /// What it remembers, under names such as `gru/kernel`; the second of a name is `gru/kernel_1`.
  detail::SavedValues saved_values();

 private:
  MovingAverageOptions options_;
  std::vector<Parameter> parameters_;
  std::vector<Tensor> averages_;
  std::int64_t steps_ = 0;
};

}  // namespace maskgrad
