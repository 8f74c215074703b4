#include "gateway/sharing/ids.h"

#include <cstdint>

namespace sluice::sharing {
namespace {

constexpr size_t kIdLength = 6;
// No i, l, o, 0 and 1.
constexpr std::string_view kIdAlphabet = "23456789abcdefghjkmnpqrstuvwxyz";
// The alphabet's size does not divide 256: bytes from here on would favour some characters.
constexpr size_t kFairBytes = 256 / kIdAlphabet.size() * kIdAlphabet.size();

}  // namespace

std::string RandomId(RandomSource& random) {
  std::string id;
  while (id.size() < kIdLength) {
    const auto byte = static_cast<uint8_t>(random.Bytes(1)[0]);
    if (byte < kFairBytes) id += kIdAlphabet[byte % kIdAlphabet.size()];
  }
  return id;
}

bool IsGrantId(std::string_view id) {
  return id.size() == kIdLength && id.find_first_not_of(kIdAlphabet) == std::string_view::npos;
}

bool IsAccessRequestId(std::string_view id) { return IsMatterId("r-", id); }

bool IsMatterId(std::string_view prefix, std::string_view id) {
  return id.starts_with(prefix) && IsGrantId(id.substr(prefix.size()));
}

}  // namespace sluice::sharing
