#include "gateway/records/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace sluice::records {
namespace {

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

// How many bytes the code point at the start takes; 0 where it is malformed. The bounds of the
// second byte are those of RFC 3629, section 4: they alone exclude overlong forms, surrogates and
// what is above U+10FFFF.
size_t WellFormedPrefix(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return 1;
  size_t size = 0;
  uint8_t low = 0x80, high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    size = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    size = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    size = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  if (text.size() < size) return 0;
  const auto second = static_cast<uint8_t>(text[1]);
  if (second < low || second > high) return 0;
  for (size_t i = 2; i < size; ++i)
    if (!IsContinuation(text[i])) return 0;
  return size;
}

}  // namespace

bool ValidUtf8(std::string_view text) {
  while (!text.empty()) {
    // Eight ASCII bytes at a time: most text in records is.
    if (text.size() >= 8) {
      uint64_t word;
      std::memcpy(&word, text.data(), sizeof(word));
      if ((word & 0x8080808080808080) == 0) {
        text.remove_prefix(8);
        continue;
      }
    }
    const size_t size = WellFormedPrefix(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

bool IsAscii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  uint64_t seen = 0;
  for (; text.size() >= sizeof(seen); text.remove_prefix(sizeof(seen))) {
    uint64_t word;
    std::memcpy(&word, text.data(), sizeof(word));
    seen |= word;
  }
  for (const char c : text) seen |= static_cast<uint8_t>(c);
  return (seen & kHighBits) == 0;
}

size_t CodePointCount(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += !IsContinuation(c);
  return count;
}

std::string_view FirstCodePoints(std::string_view text, size_t n) {
  size_t end = 0;
  while (end < text.size() && n > 0) {
    ++end;
    while (end < text.size() && IsContinuation(text[end])) ++end;
    --n;
  }
  return text.substr(0, end);
}

std::string_view LastCodePoints(std::string_view text, size_t n) {
  size_t begin = text.size();
  while (begin > 0 && n > 0) {
    --begin;
    while (begin > 0 && IsContinuation(text[begin])) --begin;
    --n;
  }
  return text.substr(begin);
}

bool IsBlank(std::string_view text) {
  // Each with what it takes in UTF-8; ranges are written out.
  static constexpr std::string_view kUnseen[] = {
      " ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u0085", "\u00a0", "\u1680",
      "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
      "\u2009", "\u200a", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2028", "\u2029",
      "\u202f", "\u205f", "\u2060", "\u2061", "\u2062", "\u2063", "\u2064", "\u3000", "\ufeff"};
  while (!text.empty()) {
    const auto* const unseen =
        std::find_if(std::begin(kUnseen), std::end(kUnseen),
                     [text](std::string_view character) { return text.starts_with(character); });
    if (unseen == std::end(kUnseen)) return false;
    text.remove_prefix(unseen->size());
  }
  return true;
}

}  // namespace sluice::records
