// Masks as text and as rules: "none", "null", "partial(3..4)", "pseudonym", "date(year)",
// "prefix(6)", "bucket(1000)". What they do to values is policy's.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/records/types.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::catalogue {

// More characters than this are never shown by a mask.
inline constexpr int kMaxMaskCharacters = 100;

// INVALID_ARGUMENT naming what is expected.
absl::StatusOr<v1::Mask> ParseMask(std::string_view text);
std::string FormatMask(const v1::Mask& mask);  // "none" for an unset mask

// A mask that leaves the value as it is: unset, or NONE.
bool IsNone(const v1::Mask& mask);

// The width of a bucket as a whole number of units of 10^-scale. INVALID_ARGUMENT where it is not a
// positive number of at most 38 digits, or has more digits after the point than `scale`.
absl::StatusOr<records::Decimal128> BucketWidth(const v1::Mask& mask, int scale);

// OK where the mask can stand on a field of that type: partial, prefix on utf8; date on date32 and
// timestamps; bucket on int64, float64 and decimals; pseudonym on all but bool; null on all. Also
// checks the mask by itself, so that one that did not come from text is sound as well: parameters
// in bounds, and none that belong to another kind. INVALID_ARGUMENT saying what is wrong.
absl::Status MaskFits(const v1::Mask& mask, const records::DataType& type);
// The type of the masked column: utf8 for pseudonym and partial, else the field's own.
records::DataType MaskedType(const v1::Mask& mask, const records::DataType& type);

// Whether `mask` shows no more than `floor` does: null shows least; a pseudonym satisfies any floor
// but null; partial and prefix by characters shown; date by unit; bucket by a width that is a
// multiple. Masks of different kinds are otherwise not comparable, and the answer is no. (Where
// they differ within a kind, policy applies the floor first: a short text that partial(3..4) hides
// whole is not shown by partial(2..2) either.)
bool AtLeastAsStrict(const v1::Mask& mask, const v1::Mask& floor);

}  // namespace sluice::catalogue
