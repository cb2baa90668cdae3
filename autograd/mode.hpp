#pragma once

namespace maskgrad {

/// While one lives, this thread records nothing on the tape.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// While one lives, this thread evaluates: no tape, dropout off, moving statistics used and not
/// updated.
class Evaluate {
 public:
  Evaluate();
  ~Evaluate();
  Evaluate(const Evaluate&) = delete;
  Evaluate& operator=(const Evaluate&) = delete;

 private:
  NoGrad no_grad_;
  bool before_;
};

namespace detail {
/// While one lives, this thread records or does not, as `on` says.
class Recording {
 public:
  explicit Recording(bool on);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  bool before_;
};
}  // namespace detail

/// Whether operations are recorded in this thread.
bool recording();
/// Whether this thread trains: true outside of an Evaluate.
bool training();

}  // namespace maskgrad
