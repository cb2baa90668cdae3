#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// The tensor of a NumPy `.npy` file. Half precision becomes f32, narrower whole numbers i64.
/// Throws:   FileError with file, byte, what is there and what was expected; ShapeError for more
///           axes than tensors have.
/// Example:  mg::save_npy("x.npy", dense);
///           mg::load_npy("x.npy");
Tensor load_npy(const std::filesystem::path& path);
/// Writes it as numpy.save does; the file is replaced as a whole or not at all.
/// Throws:   MaskError for a tensor with a mask, of which a file would have to say what padding is:
///           x.drop_mask("why", fill); FileError; StateError for a tensor without data.
/// Example:  mg::save_npy("x.npy", x.drop_mask("written", -1));
void save_npy(const std::filesystem::path& path, const Tensor& x);

/// All tensors of a NumPy `.npz` file by their names; throws as load_npy.
/// Example:  mg::save_npz("data.npz", {{"x", dense}, {"ids", ids}});
///           mg::load_npz("data.npz").at("ids");
std::map<std::string, Tensor> load_npz(const std::filesystem::path& path);
/// Writes them as numpy.savez does; throws as save_npy.
void save_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors);

}  // namespace maskgrad
