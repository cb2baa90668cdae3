#pragma once

#include <cstddef>
#include <cstdint>

namespace maskgrad::memory {

/// Whole pages from the system, not touched yet; null where it refuses. Those of 2 MiB and more
/// start at a multiple of it and ask for huge pages, whose first touch costs less.
std::byte* map_pages(std::size_t bytes);
void unmap_pages(std::byte* at, std::size_t bytes);
std::size_t page_size();

/// Bytes that this machine, or the container it is, can ever give: memory and swap.
std::int64_t most_to_have();
/// Bytes that can be touched now; the greatest number where nothing says so.
std::int64_t free_now();
/// Whether so much can be touched now. The system promises more than it has, and ends the process
/// when it is to keep its word.
bool can_be_had(std::int64_t bytes);

}  // namespace maskgrad::memory
