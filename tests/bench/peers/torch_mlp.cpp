// What `compare` runs beside overhead/mlp in PyTorch's C++: a 16-32-1 network over 32 rows, forward
// and backward. Reads a line `steps`, answers with the median ms of one.

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <vector>

int main() {
  torch::set_num_threads(1);
  torch::manual_seed(1);
  torch::nn::Linear first(16, 32), second(32, 1);
  const auto x = torch::randn({32, 16}), y = torch::randn({32, 1});
  const auto step = [&] {
    torch::mse_loss(second(torch::relu(first(x))), y).backward();
    first->zero_grad();
    second->zero_grad();
  };
  for (int steps = 0; std::cin >> steps;) {
    for (int i = 0; i < 100; ++i) step();
    std::vector<double> ms;
    for (int i = 0; i < steps; ++i) {
      const auto start = std::chrono::steady_clock::now();
      step();
      ms.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
              .count());
    }
    std::nth_element(ms.begin(), ms.begin() + steps / 2, ms.end());
    std::cout << ms[static_cast<std::size_t>(steps / 2)] << std::endl;
  }
}
