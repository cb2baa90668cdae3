// Values of tensors beside those of other code, without copies: a span of the rows that are stored,
// an Eigen map of it, indices as std::mdspan has them, and the way back. Eigen is used where it is
// installed (libeigen3-dev).

#include <fmt/core.h>

#include <array>
#include <filesystem>
#include <span>
#include <vector>

#include <maskgrad/maskgrad.hpp>

#ifdef MASKGRAD_EIGEN
#include <Eigen/Core>
#endif

namespace mg = maskgrad;

/// Values of a dense tensor by their indices, as std::mdspan of C++23 has them: view(b, t, f).
template <class T, std::size_t axes>
class View {
 public:
  explicit View(const mg::Tensor& x) : values_(mg::rows::of<T>(x)) {
    for (std::size_t a = 0; a < axes; ++a) extents_[a] = x.shape()[static_cast<int>(a)];
  }
  template <class... Index>
  T operator()(Index... index) const {
    static_assert(sizeof...(Index) == axes);
    std::int64_t at = 0;
    std::size_t axis = 0;
    ((at = at * extents_[axis++] + static_cast<std::int64_t>(index)), ...);
    return values_[static_cast<std::size_t>(at)];
  }

 private:
  std::span<const T> values_;
  std::array<std::int64_t, axes> extents_;
};

int main() {
  constexpr std::int64_t features = 3;
  // Three sequences, of 2, 0 and 1 steps: data in as other code has them.
  const std::vector<std::vector<float>> steps{{1, 2, 3, 4, 5, 6}, {}, {7, 8, 9}};
  const mg::Tensor x = mg::from_sequences<float>(steps, {features});
  fmt::print("{}\n", x.describe());

  // What is stored are the valid rows, [3, 3]; padding does not exist.
  const std::span<const float> rows = mg::rows::of<float>(x);
  fmt::print("{} values are stored\n", rows.size());

  mg::Tensor sums;  // of each row
#ifdef MASKGRAD_EIGEN
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const Rows> map(rows.data(), mg::rows::total(x) / features, features);
  const Eigen::VectorXf by_eigen = map.rowwise().sum();
  sums = mg::tensor(std::span<const float>(by_eigen.data(), static_cast<std::size_t>(map.rows())),
                    {map.rows()});
#else
  std::vector<float> by_hand;
  for (std::size_t r = 0; r < rows.size(); r += features) {
    by_hand.push_back(rows[r] + rows[r + 1] + rows[r + 2]);
  }
  sums = mg::tensor(by_hand, {std::ssize(by_hand)});
#endif
  fmt::print("sums of rows: {}\n", sums);

  // Where padding has to stand somewhere, it is told what.
  const mg::Tensor dense = x.drop_mask("for other code", -1);
  const View<float, 3> view(dense);
  fmt::print("dense {}: [0, 1, 2] is {}, padding [2, 1, 0] is {}\n", dense.shape(), view(0, 1, 2),
             view(2, 1, 0));

  // And back: sequences of their own lengths, integers, a file.
  for (const auto& sequence : mg::to_sequences<float>(x)) {
    fmt::print("a sequence of {} values\n", sequence.size());
  }
  const std::vector<int> rounded = mg::values_as<int>(dense);
  const auto file = std::filesystem::temp_directory_path() / "maskgrad_arrays.npy";
  mg::save_npy(file, dense);
  const bool same = mg::values_as<int>(mg::load_npy(file)) == rounded;
  std::filesystem::remove(file);
  fmt::print("the same from a file: {}\n", same);
  return same ? 0 : 1;
}
