// The forms of names: what may stand in a definition or a request, before anything is looked up.
#pragma once

#include <string_view>

namespace sluice::catalogue {

inline constexpr std::string_view kCodeForm = "1 to 63 of a-z 0-9 and inner hyphens";
inline constexpr std::string_view kFieldNameForm =
    "1 to 63 of a-z 0-9 and underscores, beginning with a letter, and no word of the filter "
    "language (and, or, not, null, true, false, starts_with)";

// Agencies, systems, sources, purposes.
bool IsCode(std::string_view text);
// "agency/dataset", also "agency/system": two codes.
bool IsDatasetName(std::string_view text);
bool IsFieldName(std::string_view text);
// The form of an IANA zone's name; whether there is such a zone is not looked up.
bool IsZoneName(std::string_view text);

}  // namespace sluice::catalogue
