// Memory that reading may take, whatever the size of the file. In bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::adapters::files {

struct Budgets {
  size_t sort_bytes = 1 << 20;    // keys sorted at once, while an index is built
  size_t block_bytes = 16 << 10;  // of an index; at least 4 KiB
  size_t merge_width = 32;        // blocks held at once, while an index is built
  size_t mark_bytes = 256 << 10;  // of an index, as long as it lives
  int64_t mark_step = 4 << 10;    // bytes of a file between two marks, at least
};

}  // namespace sluice::adapters::files
