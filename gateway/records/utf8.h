// Text as UTF-8 (RFC 3629): its validity, and its code points as views. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::records {

// Strict: no overlong forms, no surrogates, nothing above U+10FFFF. U+0000 is a code point like
// others.
bool ValidUtf8(std::string_view text);

// Whether each byte is a character of ASCII, so that bytes, code points and columns are the same.
bool IsAscii(std::string_view text);

// Of valid text. Code points, not what a reader takes for one character: a letter and its combining
// mark count as two.
size_t CodePointCount(std::string_view text);

// The first or last n code points of valid text; all of it where it has no more than n. The result
// borrows from `text`.
std::string_view FirstCodePoints(std::string_view text, size_t n);
std::string_view LastCodePoints(std::string_view text, size_t n);

// Whether nothing of it is seen: empty, or only white space and characters without width (those of
// Unicode with the property White_Space, U+200B to U+200F, U+2060 to U+2064 and U+FEFF).
bool IsBlank(std::string_view text);

}  // namespace sluice::records
