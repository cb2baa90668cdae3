#include <maskgrad/optim/data/array_values.hpp>

#include <algorithm>
#include <unordered_map>

#include <maskgrad/core/quoted.hpp>

namespace maskgrad::data {

bool is_one_hot(const detail::ArrayRows& r) {
  std::vector<std::int64_t> row(static_cast<std::size_t>(r.width()));
  for (std::int64_t i = 0; i < r.rows(); ++i) {
    r.read(i, 1, DType::i64, reinterpret_cast<std::byte*>(row.data()));
    const auto ones = std::count(row.begin(), row.end(), 1);
    if (ones != 1 || ones + std::count(row.begin(), row.end(), 0) != r.width()) return false;
  }
  return r.rows() > 0;
}

void check_ids(const detail::ArrayRows& r) {
  if (!is_real(r.dtype()) || r.rows() == 0) return;
  const auto part = std::max<std::int64_t>(1, 65536 / r.width());
  std::vector<std::int64_t> ids(static_cast<std::size_t>(std::min(part, r.rows()) * r.width()));
  for (std::int64_t first = 0; first < r.rows(); first += part) {
    r.read(first, std::min(part, r.rows() - first), DType::i64,
           reinterpret_cast<std::byte*>(ids.data()));
  }
}

detail::ArrayRows number_texts(const std::vector<std::string>& texts, const std::string& name,
                               std::vector<std::string>& classes) {
  if (classes.empty()) {
    classes = texts;
    std::sort(classes.begin(), classes.end());
    classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  }
  std::unordered_map<std::string_view, std::int64_t> number;
  for (const auto& c : classes) number.emplace(c, static_cast<std::int64_t>(number.size()));
  std::vector<std::int64_t> numbers;
  numbers.reserve(texts.size());
  for (const auto& text : texts) {
    const auto at = number.find(text);
    if (at == number.end()) {
      fail<FileError>("read_dataset",
                      "{} has {}, which is none of the {} names in .classes; add it there", name,
                      detail::in_quotes(text), classes.size());
    }
    numbers.push_back(at->second);
  }
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(numbers.size())};
  auto array = std::make_shared<Array>(Array::of<std::int64_t>(shape, numbers));
  return {array->dtype, array->shape, array->bytes, array, name};
}

}  // namespace maskgrad::data
