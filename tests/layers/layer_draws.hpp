#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/core/random.hpp>

namespace maskgrad::tests {

/// Random choices; the same for the same seed.
class Dice {
 public:
  explicit Dice(Seed seed) : seed_(seed) {}

  /// low to high, both included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    const auto n = static_cast<double>(high - low + 1);
    return low + static_cast<std::int64_t>(n * random::unit_at(seed_, next_++));
  }
  bool coin() { return between(0, 1) == 1; }
  template <class T>
  T one_of(const std::vector<T>& all) {
    return all[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(all.size()) - 1))];
  }

 private:
  Seed seed_;
  std::uint64_t next_ = 0;
};

/// How the options of a layer are drawn for random models, as JSON, for an input of so many
/// features. The model may refuse them (other axes, sizes that do not share evenly): then it draws
/// again.
struct LayerDraw {
  std::string_view kind;
  std::function<nlohmann::json(Dice&, std::int64_t features)> options = {};
  int inputs = 1;                   ///< at most; the further ones are earlier values of the model
  int least = 1;                    ///< inputs at least
  std::string_view behind = {};     ///< what it stands behind where no other layers are drawn
  std::string_view left_out = {};   ///< why there are no options: it is in no random model
  std::string_view not_alone = {};  ///< why law 2 does not hold
};

/// A row for each registered layer, in the order of the registry. One without a row fails the
/// suite.
const std::vector<LayerDraw>& layer_draws();

}  // namespace maskgrad::tests
