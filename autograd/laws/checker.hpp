#pragma once

#include <fmt/core.h>

#include <string>
#include <vector>

#include <maskgrad/autograd/laws/run.hpp>

namespace maskgrad::laws {

/// Runs the laws one after the other and writes down what does not hold.
class Checker {
 public:
  Checker(const Subject& subject, const LawOptions& options, LawReport& report)
      : subject_(subject), options_(options), report_(report) {}

  /// All laws under all patterns of one kind of mask.
  void check(MaskOver over, MaskRole role);

 private:
  using Values = std::vector<double>;
  /// A run and the part of the data that it ran on.
  struct View {
    const Batch& batch;
    const Outcome& out;
  };
  class Sums;

  void holds(const Pattern& p);

  // padding.cpp: 1 and 7.
  void same_bits(const Outcome& a, const Outcome& b, std::string_view garbage);
  void zero_where_masked(const Pattern& p, const Outcome& out);
  void finite(const Outcome& out);
  void zero_where_nothing_is_valid(const Outcome& out);
  void zero(const Tensor& g, const std::string& name);

  // zeros.cpp: 1, of what has a gradient of 0, and 3, of rows that are read by no other.
  void zero_selects(const Pattern& p);
  void rows_stay_apart(const Pattern& p, const Outcome& base);
  void reads_nothing(int law, const Pattern& p, const Unread& unread, std::string_view text);
  void same_results(int law, const Pattern& p, const Unread& unread, const Outcome& a,
                    const Outcome& b, std::string_view text);
  void same_gradients(int law, const Pattern& p, const Unread& unread, const Outcome& a,
                      const Outcome& b, std::string_view text);

  // parts.cpp: 2 and 5.
  void alone_or_together(const Pattern& p, const Outcome& whole);
  void split(const Pattern& p, const Outcome& whole);
  void same_sequences(int law, const Pattern& p, const View& whole, const View& part,
                      std::string_view how);
  Values result_of(const View& view, std::size_t k, std::size_t s) const;
  Values gradient_of(const Pattern& p, const View& view, std::size_t i, std::size_t s) const;
  void same(int law, const Values& whole, const Values& part, const std::string& what,
            std::string_view how);

  // roles.cpp: 3 and 4.
  void role_with_mask(const Pattern& p, const Outcome& out);
  void role_without_mask(const Outcome& out);
  void same_without_data();
  void refuses(bool with_data);

  /// Calls f(tensor of a, the same of b, name) for all results and gradients.
  template <class F>
  void for_each_tensor(const Outcome& a, const Outcome& b, F&& f) {
    for (std::size_t k = 0; k < a.results.size(); ++k) {
      f(a.results[k], b.results.at(k), "result " + std::to_string(k));
    }
    for (std::size_t i = 0; i < a.gradients.size(); ++i) {
      if (!a.gradients[i].defined()) continue;
      f(a.gradients[i], b.gradients[i], "the gradient of " + subject_.inputs()[i].name);
    }
    for (std::size_t i = 0; i < a.variables.size(); ++i) {
      f(a.variables[i], b.variables[i], "the gradient of " + options_.variables[i].name);
    }
  }

  template <class... Args>
  void put(int law, fmt::format_string<Args...> text, Args&&... args) {
    put_text(law, fmt::format(text, std::forward<Args>(args)...));
  }
  void put_text(int law, std::string what);

  const Subject& subject_;
  const LawOptions& options_;
  LawReport& report_;
  MaskOver over_ = MaskOver::nothing;
  MaskRole role_ = MaskRole::propagates;
  const Pattern* pattern_ = nullptr;  // null: without data
};

}  // namespace maskgrad::laws
