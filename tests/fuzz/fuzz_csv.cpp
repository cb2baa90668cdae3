// The CSV reader: no crash, leak or hang, allocations bounded, and lengths that add up to the
// lines.
#include <maskgrad/optim/data/array_file.hpp>

#include <numeric>

#include "fuzz.hpp"

using namespace maskgrad;

namespace {

std::vector<std::int64_t> numbers(const detail::ArrayRows& rows) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(rows.rows() * rows.width()));
  rows.read(0, rows.rows(), DType::i64, reinterpret_cast<std::byte*>(values.data()));
  return values;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first byte chooses what else may be said.
  ReadOptions options;
  if (data[0] & 1) options.layout = StepLayout::one_sequence;
  if (data[0] & 2) options.line_end = LineEnd::any;
  if (data[0] & 4) options.target.per = ValuesPer::sequence;
  if (data[0] & 8) options.target.texts = true;
  if (data[0] & 16) options.classes = {"a", "b"};
  std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  fuzz::Meter::start();
  try {
    const auto file = data::parse_csv(std::move(text), "input.csv", options);
    fuzz::Meter::check(size);
    const auto lengths = numbers(file->rows("lengths"));
    const auto lines = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    fuzz::require(!file->contains("values") || file->rows("values").rows() == lines,
                  "each line is a step of a sequence");
    const auto classes = static_cast<std::int64_t>(file->classes().size());
    if (classes > 0) {
      for (const auto id : numbers(file->rows("labels"))) {
        fuzz::require(id >= 0 && id < classes, "a label is one of the classes");
      }
    }
  } catch (const FileError&) {
    fuzz::Meter::check(size);
  } catch (const OptionError&) {
    fuzz::Meter::check(size);
  }
  return 0;
}
