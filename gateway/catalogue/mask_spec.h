// Masks as text and as rules: "none", "null", "partial(3..4)", "pseudonym", "date(year)",
// "prefix(6)", "bucket(1000)". What they do to values is policy's.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/records/types.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::catalogue {

// INVALID_ARGUMENT naming what is expected.
absl::StatusOr<v1::Mask> ParseMask(std::string_view text);
std::string FormatMask(const v1::Mask& mask);  // "none" for an unset mask

// OK where the mask can stand on a field of that type: partial, prefix on utf8; date on date32 and
// timestamps; bucket on int64, float64 and decimals; null and pseudonym on all but bool.
absl::Status MaskFits(const v1::Mask& mask, const records::DataType& type);
// The type of the masked column: utf8 for pseudonym and partial, else the field's own.
records::DataType MaskedType(const v1::Mask& mask, const records::DataType& type);

// Whether `mask` shows no more than `floor` does: null shows least; a pseudonym satisfies any floor
// but null; partial and prefix by characters shown; date by unit; bucket by a width that is a
// multiple.
bool AtLeastAsStrict(const v1::Mask& mask, const v1::Mask& floor);

}  // namespace sluice::catalogue
