#include <maskgrad/optim/train/interrupts.hpp>

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <string_view>

namespace maskgrad {
namespace {

constexpr std::array signals = {SIGINT, SIGTERM};
std::array<struct sigaction, signals.size()> before;
volatile sig_atomic_t seen = 0;
std::mutex users_mutex;
int users = 0;

/// Only what is safe in a handler.
void handle(int signal) {
  if (seen == 0) {
    seen = 1;
    constexpr std::string_view text =
        "\ninterrupted: the step is finished and saved first; once more leaves at once\n";
    const int error = errno;
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    errno = error;
    return;
  }
  for (std::size_t i = 0; i < signals.size(); ++i) {
    if (signals[i] == signal) ::sigaction(signal, &before[i], nullptr);
  }
  ::raise(signal);
}

void install() {
  seen = 0;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < signals.size(); ++i) {
    ::sigaction(signals[i], nullptr, &before[i]);
    const bool ignored = !(before[i].sa_flags & SA_SIGINFO) && before[i].sa_handler == SIG_IGN;
    if (!ignored) ::sigaction(signals[i], &action, nullptr);
  }
}

}  // namespace

Interrupts::Interrupts(bool on) : on_(on) {
  const std::lock_guard lock(users_mutex);
  if (on_ && users++ == 0) install();
}

Interrupts::~Interrupts() {
  const std::lock_guard lock(users_mutex);
  if (!on_ || --users > 0) return;
  for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &before[i], nullptr);
}

bool Interrupts::asked() const {
  return on_ && seen != 0;
}

}  // namespace maskgrad
