#include <doctest/doctest.h>

#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/core/tensor_files.hpp>

#include "files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_tensor_files {
namespace {

TEST_CASE("tensors go through .npy and .npz") {
  const files::TemporaryFolder folder;
  const Tensor x = tensor({1.5F, 2.5F, 3.5F, 4.5F, 5.5F, 6.5F}, {3, 2});
  const Tensor ids = tensor(std::vector<std::int64_t>{1, 2}, {2}), none = zeros({0, 3}, DType::f64);
  save_npy(folder / "x.npy", x);
  const Tensor again = load_npy(folder / "x.npy");
  CHECK(again.shape() == x.shape());
  CHECK(again.to_vector<float>() == x.to_vector<float>());
  save_npz(folder / "all.npz", {{"x", x}, {"group/ids", ids}, {"none", none}, {"one", scalar(2)}});
  const auto all = load_npz(folder / "all.npz");
  CHECK(all.size() == 4);
  CHECK(all.at("group/ids").to_vector<std::int64_t>() == ids.to_vector<std::int64_t>());
  CHECK(all.at("none").shape() == Shape{0, 3});
  CHECK(all.at("none").dtype() == DType::f64);
  CHECK(all.at("one").item() == 2);
}

TEST_CASE("what NumPy wrote is a tensor") {
  CHECK(load_npy(files::fixture("f2.npy")).dtype() == DType::f32);
  CHECK(load_npy(files::fixture("i1.npy")).dtype() == DType::i64);
  CHECK(load_npy(files::fixture("b1.npy")).dtype() == DType::boolean);
  CHECK(load_npz(files::fixture("nothing.npz")).empty());
}

TEST_CASE("masks, what is not there, and too many axes are refused") {
  const files::TemporaryFolder folder;
  const Tensor masked = from_sequences<float>({{1, 2}, {3}});
  CHECK(throws<MaskError>([&] { save_npy(folder / "x.npy", masked); }, "drop_mask(\"why\", fill)"));
  CHECK(throws<MaskError>([&] { save_npz(folder / "x.npz", {{"x", masked}}); }, "'x'"));
  CHECK(throws<StateError>([&] { save_npy(folder / "x.npy", Tensor()); }, "no data"));
  CHECK(throws<FileError>([&] { load_npy(folder / "x.npy"); }, "x.npy"));
  CHECK(throws<FileError>([&] { load_npz(files::fixture("f4.npy")); }, "f4.npy"));
  const Array deep{DType::boolean, std::vector<std::int64_t>(20, 1), {std::byte{1}}};
  write_npz(folder / "deep.npz", {{"deep", deep}});
  CHECK(throws<ShapeError>([&] { load_npz(folder / "deep.npz"); }, "'deep'", "has 20 axes"));
  CHECK(folder.count() == 1);
}

}  // namespace
}  // namespace maskgrad::tests::test_tensor_files
