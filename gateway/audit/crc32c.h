// CRC-32C (Castagnoli, RFC 3720 appendix B.4): reflected, polynomial 0x1EDC6F41. It finds every
// error of up to 32 neighbouring bits, and processors compute it faster than memory delivers.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::audit {

// Of `bytes` alone, or behind those whose checksum was `before`.
uint32_t Crc32c(std::string_view bytes, uint32_t before = 0);

// Table-driven, for processors without the instruction. The same values.
uint32_t Crc32cPortable(std::string_view bytes, uint32_t before = 0);

}  // namespace sluice::audit
