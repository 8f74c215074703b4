// UTF-16 as ODBC's wide functions take it (SQLWCHAR is two bytes on Linux), and UTF-8. Pure.
#pragma once

#include <string>
#include <string_view>

namespace sluice::adapters::odbc {

// Of valid UTF-8.
std::u16string ToUtf16(std::string_view text);
// Appends; false, with nothing promised of `out`, where a surrogate stands alone.
bool AppendFromUtf16(std::u16string_view text, std::string& out);
// What cannot be read becomes U+FFFD.
std::string FromUtf16(std::u16string_view text);

}  // namespace sluice::adapters::odbc
