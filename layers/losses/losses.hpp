#pragma once

/// Every loss.

#include <maskgrad/layers/losses/classification.hpp>
#include <maskgrad/layers/losses/crf.hpp>
#include <maskgrad/layers/losses/ctc.hpp>
#include <maskgrad/layers/losses/focal.hpp>
#include <maskgrad/layers/losses/hinge.hpp>
#include <maskgrad/layers/losses/probabilistic.hpp>
#include <maskgrad/layers/losses/regression.hpp>
