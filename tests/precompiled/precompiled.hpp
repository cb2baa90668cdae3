// What the tests of operations, layers and optimizers include, compiled once a program. No file may
// count on it: each includes what it uses, and -Db_pch=false builds without.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <maskgrad/maskgrad.hpp>
