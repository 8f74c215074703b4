// Fixed-width integers, big-endian, as the log's files hold them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "gateway/base/check.h"

namespace sluice::audit {

// Writes at a place that exists.
template <class Integer>
void PutInteger(char* to, std::type_identity_t<Integer> value) {
  for (size_t i = 0; i < sizeof(Integer); ++i)
    to[i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * (sizeof(Integer) - 1 - i)));
}

// Reads from a place that exists.
template <class Integer>
Integer GetInteger(std::string_view bytes, size_t at) {
  SLUICE_CHECK(at + sizeof(Integer) <= bytes.size());
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(Integer); ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return static_cast<Integer>(value);
}

// The file system's unit that no two writes share: a power loss while one is written may take the
// whole block with it, on drives with 4096-byte sectors also what was synced before.
inline constexpr uint64_t kBlock = 4096;
constexpr uint64_t RoundUp(uint64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

bool AllZero(std::string_view bytes);

}  // namespace sluice::audit
