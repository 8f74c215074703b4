#include "gateway/audit/text_lines.h"

#include <utf8proc.h>

#include <charconv>
#include <string>

#include "absl/status/status.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

// Whether all of `text` is UTF-8 whose code points `allowed` takes.
template <class Allowed>
bool AllCodePoints(std::string_view text, Allowed allowed) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  size_t at = 0;
  while (at < text.size()) {
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t used =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code_point);
    if (used <= 0 || !allowed(code_point)) return false;
    at += static_cast<size_t>(used);
  }
  return true;
}

bool IsSpace(utf8proc_int32_t code_point) {
  if (code_point == 0x85) return true;  // next line: Unicode's white space, but a control
  const utf8proc_category_t category = utf8proc_category(code_point);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

}  // namespace

std::optional<uint64_t> ParseDecimal(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

std::optional<std::string_view> TakeLine(std::string_view& rest) {
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

absl::StatusOr<Hash> ParseHash(std::string_view base64) {
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes, Base64Decode(base64));
  if (bytes.size() != kHashSize) return absl::InvalidArgumentError("a hash has 32 bytes");
  return HashFromBytes(bytes);
}

bool IsNoteText(std::string_view text) {
  return AllCodePoints(text, [](utf8proc_int32_t c) { return c >= 0x20 || c == '\n'; });
}

bool IsKeyName(std::string_view name) {
  return !name.empty() && AllCodePoints(name, [](utf8proc_int32_t c) {
    return c > 0x20 && c != '+' && !IsSpace(c);
  });
}

}  // namespace sluice::audit
