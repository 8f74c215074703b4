// Canonical forms of data subjects' identifiers (docs/formats/subjects.md).
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "absl/strings/ascii.h"
#include "gateway/audit/subjects.h"
#include "gateway/records/utf8.h"

namespace sluice::audit {
namespace {

constexpr utf8proc_int32_t kMinusSign = 0x2212;

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}
bool IsAsciiSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Locale-free, for bytes.
std::string TrimmedUpperAscii(std::string_view text) {
  while (!text.empty() && IsAsciiSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsAsciiSpace(text.back())) text.remove_suffix(1);
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

struct Free {
  void operator()(utf8proc_uint8_t* bytes) const { std::free(bytes); }
};

// False where the text is not UTF-8.
bool Map(std::string_view text, int options, std::string* out) {
  utf8proc_uint8_t* bytes = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &bytes,
                                             static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, Free> owner(bytes);
  if (size < 0) return false;
  out->assign(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  return true;
}

// Calls each(code point); the text is UTF-8.
template <class Each>
void ForEachCodePoint(std::string_view text, Each each) {
  auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t used = utf8proc_iterate(at, left, &code_point);
    if (used <= 0) return;
    each(code_point,
         std::string_view(reinterpret_cast<const char*>(at), static_cast<size_t>(used)));
    at += used;
    left -= used;
  }
}

bool IsIdSpace(utf8proc_int32_t code_point) {
  if (code_point < 128) return IsAsciiSpace(static_cast<char>(code_point));
  const auto category = utf8proc_category(code_point);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP || code_point == 0x85;
}
bool IsHyphen(utf8proc_int32_t code_point) {
  return code_point == '-' || code_point == kMinusSign ||
         utf8proc_category(code_point) == UTF8PROC_CATEGORY_PD;
}

std::string Trimmed(std::string_view text) {
  size_t begin = text.size(), end = 0, at = 0;
  ForEachCodePoint(text, [&](utf8proc_int32_t code_point, std::string_view bytes) {
    if (!IsIdSpace(code_point)) {
      begin = std::min(begin, at);
      end = at + bytes.size();
    }
    at += bytes.size();
  });
  return begin < end ? std::string(text.substr(begin, end - begin)) : std::string();
}

std::string UpperCase(std::string_view text) {
  std::string upper;
  ForEachCodePoint(text, [&](utf8proc_int32_t code_point, std::string_view) {
    std::array<utf8proc_uint8_t, 4> bytes = {};
    const utf8proc_ssize_t size = utf8proc_encode_char(utf8proc_toupper(code_point), bytes.data());
    upper.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size));
  });
  return upper;
}

CanonicalId AsText(std::string_view raw) {
  CanonicalId id;
  if (records::IsAscii(raw)) {
    id.text = TrimmedUpperAscii(raw);
  } else {
    // Case folding first, so that "ß" and "SS" meet; upper case last, as identifiers are written.
    constexpr int kNormal = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
    std::string folded, normal;
    if (!Map(raw, kNormal | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE, &folded) ||
        !Map(UpperCase(folded), kNormal, &normal)) {
      return {TrimmedUpperAscii(raw), false};
    }
    id.text = Trimmed(normal);
  }
  id.valid = !id.text.empty();
  return id;
}

// Without spaces, and without hyphens where asked.
std::string Compact(std::string_view text, bool hyphens) {
  std::string compact;
  ForEachCodePoint(text, [&](utf8proc_int32_t code_point, std::string_view bytes) {
    if (!IsIdSpace(code_point) && !(hyphens && IsHyphen(code_point))) compact.append(bytes);
  });
  return compact;
}

// YYYYMMDD of the Gregorian calendar.
bool IsDate(std::string_view digits) {
  const auto number = [&](size_t at, size_t count) {
    int value = 0;
    for (char c : digits.substr(at, count)) value = value * 10 + (c - '0');
    return value;
  };
  const int year = number(0, 4), month = number(4, 2), day = number(6, 2);
  if (year < 1800 || month < 1 || month > 12 || day < 1) return false;
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[static_cast<size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

// ISO 7064 MOD 11-2 over 17 digits.
char ResidentCheck(std::string_view digits) {
  int remainder = 0;
  for (char c : digits) remainder = (remainder + (c - '0')) * 2 % 11;
  return "0123456789X"[(12 - remainder) % 11];
}

// GB 11643-1999: six digits of GB/T 2260, date of birth, three digits, check character. The form of
// 1989 has a year of two digits and no check character.
bool ResidentNumber(std::string& id) {
  if (id.size() == 15 && AllDigits(id)) {
    id.insert(6, "19");
    id += ResidentCheck(id);
  }
  return id.size() == 18 && AllDigits(id.substr(0, 17)) && id[0] != '0' &&
         IsDate(std::string_view(id).substr(6, 8)) && id[17] == ResidentCheck(id.substr(0, 17));
}

// GB 32100-2015: check character over weights 3^i modulo 31.
bool CreditCode(const std::string& id) {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  if (id.size() != 18 || !AllDigits(std::string_view(id).substr(2, 6))) return false;
  size_t sum = 0, weight = 1;
  for (size_t i = 0; i < 17; ++i) {
    const size_t value = kAlphabet.find(id[i]);
    if (value == std::string_view::npos) return false;
    sum += value * weight;
    weight = weight * 3 % 31;
  }
  return id[17] == kAlphabet[(31 - sum % 31) % 31];
}

// Nine characters as ICAO 9303 has them, the last seven digits: "E12345678", "EA1234567", and the
// numbers of digits alone that were issued before.
bool PassportNumber(const std::string& id) {
  const auto letter_or_digit = [](char c) {
    return absl::ascii_isdigit(c) || absl::ascii_isupper(c);
  };
  return id.size() == 9 && letter_or_digit(id[0]) && letter_or_digit(id[1]) &&
         AllDigits(std::string_view(id).substr(2));
}

}  // namespace

const std::vector<std::string>& IdTypes() {
  static const auto* const types =
      new std::vector<std::string>{"CN-PASSPORT", "CN-RID", "CN-USCC", "TEXT"};
  return *types;
}

bool IsIdType(std::string_view id_type) {
  return std::find(IdTypes().begin(), IdTypes().end(), id_type) != IdTypes().end();
}

CanonicalId Canonical(std::string_view id_type, std::string_view raw) {
  // As nearly all come: nothing to change, and seen so without looking at code points.
  if (id_type == "CN-RID" && raw.size() == 18) {
    std::string id(raw);
    if (ResidentNumber(id)) return {std::move(id), true};
  }
  CanonicalId text = AsText(raw);
  if (id_type == "TEXT") return text;
  if (text.valid) {
    std::string id = Compact(text.text, /*hyphens=*/id_type != "CN-PASSPORT");
    if ((id_type == "CN-RID" && ResidentNumber(id)) || (id_type == "CN-USCC" && CreditCode(id)) ||
        (id_type == "CN-PASSPORT" && PassportNumber(id))) {
      return {std::move(id), true};
    }
  }
  text.valid = false;
  return text;
}

}  // namespace sluice::audit
