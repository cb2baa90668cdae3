// What most files of the library include, compiled once for all of them.
// No file may count on it: each includes what it uses, and -Db_pch=false builds without.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <maskgrad/core/error.hpp>
#include <maskgrad/core/mask.hpp>
#include <maskgrad/core/tensor.hpp>
