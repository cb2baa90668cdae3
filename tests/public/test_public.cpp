#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <map>
#include <set>
#include <typeinfo>

#include <maskgrad/core/io/array_rows.hpp>
#include <maskgrad/layers/recurrent/by_steps.hpp>

#include "declared.hpp"
#include "hostile.hpp"

namespace maskgrad::tests {
namespace {

/// Functions of the headers that are no doors for users: why they have no row.
const std::map<std::string, std::string>& not_called() {
  static const std::map<std::string, std::string> all{
      {"binary", "for authors of operations"},
      {"binary_of_numbers", "for authors of operations"},
      {"builtin_layers", "the list behind registered_layers"},
      {"check_line_axis", "for authors of operations"},
      {"decayed", "for authors of optimizers"},
      {"dtype_of", "at compile time"},
      {"each_noise", "for authors of operations"},
      {"each_value", "for authors of optimizers"},
      {"fail", "the door of errors itself"},
      {"find_named", "for tables of names"},
      {"greater_of", "for authors of optimizers"},
      {"is_real", "of a type"},
      {"lines_along", "for authors of operations"},
      {"map_lines", "for authors of operations"},
      {"mpi_communicator", "of a library of its own, in the test mpi"},
      {"name", "of an enumeration"},
      {"names_of", "at compile time"},
      {"noise_places", "for authors of operations"},
      {"ratio", "for authors of optimizers"},
      {"record", "for authors of operations"},
      {"record_linear", "for authors of operations"},
      {"record_many", "for authors of operations"},
      {"record_symmetric", "for authors of operations"},
      {"sample_mask", "for authors of operations"},
      {"samples_of", "for authors of operations"},
      {"sequences_of", "for authors of operations"},
      {"size_of", "of a type"},
      {"step_of_rows", "for authors of operations"},
      {"unary", "for authors of operations"},
      {"unary_of_numbers", "for authors of operations"},
  };
  return all;
}

std::vector<Row> rows() {
  std::vector<Row> all;
  for (auto& some : {core_rows(), class_rows(), derivative_rows(), operation_rows(), layer_rows(),
                     stream_rows(), training_rows()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

/// What the calls did that they must not do, a line each; empty where each gave a result or a typed
/// error. A dot for each call goes to `progress`.
std::string misbehavior(const Row& row, int progress) {
  Calls calls;
  try {
    calls = row.calls();
  } catch (const std::exception& error) {
    return fmt::format("its row: {}", error.what());
  }
  std::string lines;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    try {
      calls[i]();
    } catch (const Error&) {
    } catch (const std::exception& error) {
      if (lines.size() < 2000)
        lines += fmt::format("call {}: {}: {}\n", i, typeid(error).name(), error.what());
    }
    if (write(progress, ".", 1) < 0) _exit(2);
  }
  return lines;
}

/// In the child: as a program begins, without the test's signal handlers and output.
void begin_alone() {
  for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGTERM}) std::signal(number, SIG_DFL);
  const int nothing = open("/dev/null", O_RDWR);
  for (const int end : {0, 1, 2}) dup2(nothing, end);
  alarm(60);
}

/// The same in a process of its own, so that a crash and a hang are answers too.
std::string isolated(const Row& row) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  std::fflush(nullptr);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    close(ends[0]);
    begin_alone();
    const auto text = misbehavior(row, ends[1]);
    _exit(write(ends[1], text.data(), text.size()) < 0 ? 2 : 0);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t n; (n = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  const auto dots = std::min(text.find_first_not_of('.'), text.size());  // one for each call
  text.erase(0, dots);
  if (WIFSIGNALED(status)) text += fmt::format("call {}: signal {}\n", dots, WTERMSIG(status));
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    text += fmt::format("call {} ended the process\n", dots);
  }
  return text;
}

TEST_CASE("every public function has a row") {
  std::set<std::string> known;
  for (const auto& row : rows()) {
    CHECK_MESSAGE(known.insert(row.name).second, row.name, " has two rows");
    CHECK_MESSAGE((row.calls || !row.why_not.empty()), row.name, " is not called");
  }
  const auto declared = declared_functions();
  CHECK(declared.size() > 260);
  for (const auto& name : declared) {
    CHECK_MESSAGE(known.count(name) + not_called().count(name) == 1, name,
                  ": give it one row in tests/public, or say in test_public.cpp why not");
  }
  for (const auto& entry : not_called()) {
    CHECK_MESSAGE(declared.count(entry.first) == 1, entry.first, " is not declared any more");
  }
}

TEST_CASE("every public class stands in a row") {
  const auto declared = declared_classes(), named = words_of_rows();
  const auto without = classes_without_row();
  CHECK(declared.size() > 250);
  for (const auto& name : declared) {
    if (name.ends_with("Options")) continue;  // of what has a row
    CHECK_MESSAGE(named.count(name) + without.count(name) == 1, name,
                  ": put it into a row of tests/public, or say in classes.cpp why not");
  }
  for (const auto& entry : without) {
    CHECK_MESSAGE(declared.count(entry.first) == 1, entry.first, " is not declared any more");
  }
}

TEST_CASE("empty and default-made things and sizes without end give a result or a typed error") {
  for (const auto& row : rows()) {
    if (!row.calls) continue;
    const auto text = isolated(row);
    CHECK_MESSAGE(text.empty(), row.name, ":\n", text);
  }
}

TEST_CASE("the texts of what is null or empty") {
  const auto text = [](auto&& f) -> std::string {
    try {
      f();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const std::string null = ": the function is null; give one that can be called";
  using Loss2 = std::function<Loss(const Tensor&, const Tensor&)>;
  CHECK(text([] { Lambda{std::function<Tensor(const Tensor&)>()}; }) == "Callable" + null);
  CHECK(text([] { TrainingLoss{Loss2()}; }) ==
        "TrainingLoss: it was given a function that is empty; expected one that gives a Loss, or "
        "the name of a loss");
  CHECK(text([] { Lambda{[](const Tensors&) { return Tensors(); }}(ones({2})); }) ==
        "Lambda 'lambda': it gave no tensors; expected one or more. Return at least one from its "
        "forward");
  CHECK(text([] { detail::part_of(Batch(), 0, 1); }) ==
        "part_of: rows 0 to 1 of a batch of 0; expected 0 <= from <= to <= 0. A batch made by hand "
        "has as many .samples as rows");
  CHECK(text([] { detail::ArrayRows().read_all(); }) ==
        "ArrayRows: it is empty (default-made); read a file first");
  CHECK(text([] { detail::ArrayRows(DType::f32, {2}, {}, nullptr, "x").merged(); }) ==
        "ArrayRows: x has 1 axes; expected two or more, to make one of the first two");
  CHECK(text([] {
          std::byte to[8];
          detail::ArrayRows(DType::f32, {2}, {}, nullptr, "x").read(1, 2, DType::f32, to);
        }) == "ArrayRows: rows 1 to 3 of x, which has 2");
  CHECK(text([] { reverse(Tensor()); }) == text([] { Tensor().shape(); }));
  CHECK(text([] { Mask::where_any_differs(Tensor(), 0); }) == text([] { Tensor().shape(); }));
  CHECK(text([] { LossFunction()(ones({1}), ones({1})); }) == "LossFunction" + null);
  CHECK(text([] { detail::visit_model(Dense{{.units = 1}}, detail::LayerVisitor()); }) ==
        "visit_model" + null);
  CHECK(text([] {
          detail::run_by_steps(ones({1, 2, 3}), {}, false, {});
        }) == "run_by_steps" + null);
}

}  // namespace
}  // namespace maskgrad::tests
