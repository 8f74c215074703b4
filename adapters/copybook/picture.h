// What a PICTURE clause says of an item: X(10), S9(7)V99, ZZ9.99-.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/copybook/item.h"
#include "gateway/records/types.h"

namespace sluice::adapters::copybook {

inline constexpr int kMostDigits = 38;

// `text` without the clause's words. INVALID_ARGUMENT, whose message goes behind "PIC …".
absl::StatusOr<Picture> ParsePicture(std::string_view text);

// int64 where each number of so many digits fits it and has none behind the point; else a decimal.
// Nothing where no decimal holds them.
std::optional<records::DataType> NumberType(int digits, int scale);

}  // namespace sluice::adapters::copybook
