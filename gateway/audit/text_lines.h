// The small parts that the line formats of C2SP share: decimals, lines, hashes, UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/base/crypto.h"

namespace sluice::audit {

// Digits only, no leading zero, below 2^64.
std::optional<uint64_t> ParseDecimal(std::string_view text);

// Takes the next line off `rest` and returns it without its line feed; nothing where no line feed
// is left.
std::optional<std::string_view> TakeLine(std::string_view& rest);

// 32 bytes in canonical base64.
absl::StatusOr<Hash> ParseHash(std::string_view base64);

// Valid UTF-8 without ASCII control characters other than the line feed.
bool IsNoteText(std::string_view text);
// Whether a key may be called so: UTF-8, not empty, no white space, no control character, no "+".
bool IsKeyName(std::string_view name);

}  // namespace sluice::audit
