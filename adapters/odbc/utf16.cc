#include "adapters/odbc/utf16.h"

#include <cstdint>

namespace sluice::adapters::odbc {
namespace {

constexpr uint32_t kReplacement = 0xFFFD;

void AppendCode(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr uint8_t kFirst[] = {0, 0xC0, 0xE0, 0xF0};
  out.push_back(static_cast<char>(kFirst[more] | code >> (6 * more)));
  for (int i = more - 1; i >= 0; --i)
    out.push_back(static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F)));
}

// The code point at `at`, behind which it is set; a surrogate that stands alone as itself.
uint32_t Next(std::u16string_view text, size_t& at) {
  const uint32_t first = text[at++];
  if (first < 0xD800 || first > 0xDBFF || at == text.size()) return first;
  const uint32_t second = text[at];
  if (second < 0xDC00 || second > 0xDFFF) return first;
  ++at;
  return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

bool IsSurrogate(uint32_t code) { return code >= 0xD800 && code <= 0xDFFF; }

}  // namespace

std::u16string ToUtf16(std::string_view text) {
  std::u16string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<uint8_t>(text[i]);
    const size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t code = size == 1 ? first : first & (0x7F >> size);
    for (size_t k = 1; k < size && i + k < text.size(); ++k)
      code = code << 6 | (static_cast<uint8_t>(text[i + k]) & 0x3F);
    i += size;
    if (code < 0x10000) {
      out.push_back(static_cast<char16_t>(code));
    } else {
      out.push_back(static_cast<char16_t>(0xD800 + ((code - 0x10000) >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + ((code - 0x10000) & 0x3FF)));
    }
  }
  return out;
}

bool AppendFromUtf16(std::u16string_view text, std::string& out) {
  for (size_t at = 0; at < text.size();) {
    const uint32_t code = Next(text, at);
    if (IsSurrogate(code)) return false;
    AppendCode(code, out);
  }
  return true;
}

std::string FromUtf16(std::u16string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const uint32_t code = Next(text, at);
    AppendCode(IsSurrogate(code) ? kReplacement : code, out);
  }
  return out;
}

}  // namespace sluice::adapters::odbc
