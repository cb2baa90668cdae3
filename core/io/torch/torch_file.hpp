#pragma once

#include <filesystem>
#include <functional>

#include <maskgrad/core/io/array.hpp>
#include <maskgrad/core/io/byte_source.hpp>

namespace maskgrad::detail {

/// The state dict of a file of torch.save, in the order of its names: of PyTorch 1.6 and later (a
/// zip file of a pickle and the storages) and of the form before. The pickle is read by
/// `read_pickle`, which runs nothing. Tensors may be views and share storages; half and bfloat16
/// become f32, narrower integers i64.
///   Allocates at most 64 times the file's bytes and 1 MiB, packed entries counted unpacked.
/// Throws:   FileError with file, byte offset, what is there and what was expected.
NamedArrays read_torch(const std::filesystem::path& path);
/// The same from memory; `name` stands for the file in messages.
NamedArrays parse_torch(std::span<const std::byte> bytes, std::string_view name);

/// What `write_torch` writes: an archive that torch.load reads, also with weights_only.
void write_torch(const std::filesystem::path& path, const NamedArrays& arrays);
std::vector<std::byte> torch_bytes(const NamedArrays& arrays);

/// What wrote a file, by its bytes and not by its ending.
enum class WeightsKind : std::uint8_t { unknown, safetensors, npz, torch };
WeightsKind weights_kind(const std::filesystem::path& path, std::string_view where);

}  // namespace maskgrad::detail
