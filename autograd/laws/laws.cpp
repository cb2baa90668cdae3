#include <maskgrad/autograd/laws/laws.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/laws/checker.hpp>

namespace maskgrad {
namespace laws {

void Checker::put_text(int law, std::string what) {
  const std::string_view pattern = pattern_ ? std::string_view(pattern_->name) : "without data";
  report_.failures.push_back({law, fmt::format("{}, {}", name(over_), pattern), std::move(what)});
}

void Checker::holds(const Pattern& p) {
  const Outcome base = subject_.run(p, p.batch, true);
  finite(base);
  if (p.over != MaskOver::nothing) {
    zero_where_masked(p, base);
    for (const auto& garbage : garbage_kinds()) {
      same_bits(base, subject_.run(p, p.batch, true, garbage), garbage.name);
    }
    role_with_mask(p, base);
  } else {
    role_without_mask(base);
  }
  zero_selects(p);
  if (p.over != MaskOver::nothing && role_ == MaskRole::propagates) rows_stay_apart(p, base);
  if (options_.dtype == DType::f32) return;
  if (!p.any_valid) zero_where_nothing_is_valid(base);
  const bool cut_by_steps = p.over == MaskOver::steps || p.over == MaskOver::samples;
  const bool alone = options_.not_alone.empty() && options_.fixed_steps.empty();
  if (alone && cut_by_steps) alone_or_together(p, base);
  if (options_.not_split.empty()) split(p, base);
}

void Checker::check(MaskOver over, MaskRole role) {
  over_ = over;
  role_ = role;
  for (const auto& pattern : subject_.patterns(over)) {
    pattern_ = &pattern;
    if (role == MaskRole::unsupported && over != MaskOver::nothing) {
      refuses(true);
      continue;
    }
    try {
      holds(pattern);
    } catch (const std::exception& e) {
      put(3, "declared {}, but it throws: {}", maskgrad::name(role), e.what());
    }
  }
  pattern_ = nullptr;
  if (!options_.without_data.empty()) return;
  if (role == MaskRole::unsupported && over != MaskOver::nothing) return refuses(false);
  try {
    same_without_data();
  } catch (const std::exception& e) {
    pattern_ = nullptr;  // that of same_without_data is gone
    put(3, "declared {}, but without data it throws: {}", maskgrad::name(role), e.what());
  }
}

}  // namespace laws

std::string LawReport::str() const {
  constexpr std::size_t most = 10;
  std::string text = fmt::format("{} of {} checks failed", failures.size(), checks);
  for (std::size_t i = 0; i < std::min(failures.size(), most); ++i) {
    const auto& [law, pattern, what] = failures[i];
    text += fmt::format("\n  law {} under {}: {}", law, pattern, what);
  }
  if (failures.size() > most) text += fmt::format("\n  and {} more", failures.size() - most);
  for (const auto& reason : exempt) text += "\n  not run: " + reason;
  return text;
}

LawReport check_mask_laws(const Callable& f, const std::vector<LawInput>& inputs,
                          const MaskContract& contract, const LawOptions& options) {
  const laws::Subject subject(f, inputs, options);
  LawReport report;
  laws::Checker checker(subject, options, report);
  using laws::MaskOver;
  checker.check(MaskOver::nothing, contract.role);
  if (options.steps) checker.check(MaskOver::steps, contract.role);
  if (options.samples) checker.check(MaskOver::samples, contract.under_sample());
  if (options.full) checker.check(MaskOver::full, contract.under_full());
  auto exempt = [&](std::string_view what, std::string_view why) {
    if (!why.empty()) report.exempt.push_back(fmt::format("{} ({})", what, why));
  };
  exempt("law 2", options.not_alone);
  exempt("law 2 and no steps", options.fixed_steps);
  exempt("law 5", options.not_split);
  exempt("law 7 for what sequences share", options.empty_gradient);
  exempt("law 3 without data", options.without_data);
  return report;
}

}  // namespace maskgrad
