#include <maskgrad/autograd/mode.hpp>

#include <utility>

namespace maskgrad {
namespace {

thread_local bool recording_now = true;
thread_local bool training_now = true;

}  // namespace

NoGrad::NoGrad() : before_(std::exchange(recording_now, false)) {}
NoGrad::~NoGrad() {
  recording_now = before_;
}
Evaluate::Evaluate() : before_(std::exchange(training_now, false)) {}
Evaluate::~Evaluate() {
  training_now = before_;
}
detail::Recording::Recording(bool on) : before_(std::exchange(recording_now, on)) {}
detail::Recording::~Recording() {
  recording_now = before_;
}
bool recording() {
  return recording_now;
}
bool training() {
  return training_now;
}

}  // namespace maskgrad
