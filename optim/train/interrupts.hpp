#pragma once

namespace maskgrad {

/// While one lives, the first SIGINT (Ctrl-C) or SIGTERM is noted and said on stderr, and the
/// second does what it did before, as a rule ends the process at once. A signal that was ignored
/// (as by nohup) stays so. What handled them before is put back at the end. Several may live at a
/// time, in any threads; all are told.
class Interrupts {
 public:
  /// Does nothing where `on` is false.
  explicit Interrupts(bool on);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  /// Whether a signal came since the first of those that live was made.
  bool asked() const;

 private:
  bool on_;
};

}  // namespace maskgrad
