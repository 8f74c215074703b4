#include "adapters/copybook/numbers.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"

namespace sluice::adapters::copybook {
namespace {

const unsigned char* Bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool AllBlank(const NumberForm& form, std::string_view bytes) {
  for (const char byte : bytes) {
    const uint8_t c = form.classes->Of(static_cast<unsigned char>(byte));
    if (c != ByteClasses::kBlank && c != ByteClasses::kLow) return false;
  }
  return true;
}

// The sign and digit of an overpunched byte: -1, 1, or 0 where it is none of the field's.
int SignOf(const NumberForm& form, uint8_t c) {
  if (c < 10) return 1;
  const bool takes_plus = form.is_signed || form.relaxed;
  if (c < ByteClasses::kNegative && c >= ByteClasses::kPositive) return takes_plus ? 1 : 0;
  if (c >= ByteClasses::kNegative && c < ByteClasses::kBlank) return form.is_signed ? -1 : 0;
  return 0;
}

// Zoned digits, strictly. `Int` holds the form's digits.
template <class Int>
bool ReadZoned(const NumberForm& form, std::string_view bytes, Int& value) {
  const ByteClasses& classes = *form.classes;
  const unsigned char* at = Bytes(bytes);
  const unsigned char* end = at + bytes.size();
  int sign = 1;
  const unsigned char* punched = nullptr;
  if (form.separate) {
    const bool leading = form.sign == SignPlace::kLeadingSeparate;
    const uint8_t c = classes.Of(leading ? *at++ : *--end);
    if (c != ByteClasses::kPlus && c != ByteClasses::kMinus) return false;
    if (c == ByteClasses::kMinus) sign = -1;
  } else {
    punched = form.sign == SignPlace::kLeading ? at : end - 1;
  }
  if (at == end) return false;
  Int sum = 0;
  bool bad = false;
  const auto take = [&](const unsigned char* to) {
    for (; at < to; ++at) {
      const uint8_t c = classes.Of(*at);
      bad |= c > 9;
      sum = sum * 10 + (c & 0x0F);
    }
  };
  if (punched != nullptr) {
    take(punched);
    const uint8_t c = classes.Of(*punched);
    sign = SignOf(form, c);
    if (sign == 0) return false;
    sum = sum * 10 + (c & 0x0F);
    ++at;
  }
  take(end);
  if (bad) return false;
  value = sign < 0 ? -sum : sum;
  return true;
}

template <class Int>
bool ReadPacked(const NumberForm& form, std::string_view bytes, Int& value) {
  const unsigned char* at = Bytes(bytes);
  const bool has_sign = form.usage == Usage::kPacked;
  const unsigned char* const end = at + bytes.size() - (has_sign ? 1 : 0);
  // The half byte before an even number of digits; 39 digits are beyond a decimal.
  if (bytes.size() * 2 > 39 && *at >> 4 != 0) return false;
  Int sum = 0;
  bool bad = false;
  for (; at < end; ++at) {
    const int high = *at >> 4, low = *at & 0x0F;
    bad |= high > 9 || low > 9;
    sum = sum * 100 + (high * 10 + low);
  }
  if (!has_sign) {
    value = sum;
    return !bad;
  }
  const int high = *at >> 4, sign = *at & 0x0F;
  bad |= high > 9;
  sum = sum * 10 + high;
  const bool negative = sign == 0x0D || (form.relaxed && sign == 0x0B);
  const bool positive =
      sign == 0x0C || sign == 0x0F || (form.relaxed && (sign == 0x0A || sign == 0x0E));
  if (bad || !(positive || (negative && form.is_signed))) return false;
  value = negative ? -sum : sum;
  return true;
}

// Of at most 16 bytes, two's complement. False where it has more digits than it may have.
bool ReadBinary(const NumberForm& form, std::string_view bytes, Decimal128& value) {
  using Wide = unsigned __int128;
  const unsigned char* const at = Bytes(bytes);
  const size_t size = bytes.size();
  Wide sum = 0;
  for (size_t i = 0; i < size; ++i) sum = sum << 8 | at[form.little ? size - 1 - i : i];
  const bool top = (at[form.little ? size - 1 : 0] & 0x80) != 0;
  if (form.is_signed && top && size < 16) sum |= ~Wide{0} << (size * 8);
  if (!form.is_signed && top && size == 16) return false;
  value = static_cast<Decimal128>(sum);
  return records::FitsPrecision(value, form.limited ? form.digits : 38);
}

// At most eight bytes; unsigned ones of eight only where they are below 2^63.
bool ReadSmallBinary(const NumberForm& form, std::string_view bytes, int64_t& value) {
  uint64_t sum = 0;
  const size_t size = bytes.size();
  if (form.little) {
    std::memcpy(&sum, bytes.data(), size);
  } else {
    std::memcpy(reinterpret_cast<char*>(&sum) + sizeof(sum) - size, bytes.data(), size);
    sum = __builtin_bswap64(sum);
  }
  const auto shift = static_cast<int>(64 - size * 8);
  if (form.is_signed) {
    value = static_cast<int64_t>(sum << shift) >> shift;
    return true;
  }
  value = static_cast<int64_t>(sum);
  return value >= 0;
}

// As it is printed, or as loose programs leave it: blanks around, signs before or behind, a point.
class Loose {
 public:
  explicit Loose(const NumberForm& form) : form_(form) {}

  bool Read(std::string_view bytes, Number& number) {
    while (!bytes.empty() && IsBlank(bytes.back())) bytes.remove_suffix(1);
    if (form_.edited && (EndsIn(bytes, "CR") || EndsIn(bytes, "DB"))) {
      sign_ = -1;
      bytes.remove_suffix(2);
    }
    for (const char byte : bytes)
      if (!Take(form_.classes->Of(static_cast<unsigned char>(byte)))) return false;
    if (digits_ == 0) return false;
    number.value = sign_ < 0 ? -sum_ : sum_;
    // A point that is written says more than the picture's.
    number.scale = point_ ? behind_ : form_.point ? 0 : form_.scale;
    return true;
  }

 private:
  bool IsBlank(char byte) const {
    return form_.classes->Of(static_cast<unsigned char>(byte)) == ByteClasses::kBlank;
  }
  bool EndsIn(std::string_view bytes, std::string_view word) const {
    if (bytes.size() < 2) return false;
    return form_.classes->Ascii(static_cast<unsigned char>(bytes[bytes.size() - 2])) == word[0] &&
           form_.classes->Ascii(static_cast<unsigned char>(bytes.back())) == word[1];
  }

  bool Take(uint8_t c) {
    if (c < 10) return Digit(c);
    if (c < ByteClasses::kBlank) {
      // Between strict digits only the place of the sign may carry one; here the last that does
      // decides.
      if (form_.edited) return false;
      const int sign = SignOf(form_, c);
      if (sign == 0) return false;
      sign_ = sign;
      return Digit(c & 0x0F);
    }
    const uint8_t point = form_.decimal_comma ? ByteClasses::kComma : ByteClasses::kPoint;
    if (c == point) {
      if (point_ || ended_) return false;
      point_ = true;
      return true;
    }
    switch (c) {
      case ByteClasses::kBlank:
      case ByteClasses::kLow:
        // A blank within the digits of a number that is not edited is none of it.
        if (digits_ > 0 && !form_.edited) ended_ = true;
        return true;
      case ByteClasses::kPlus:
      case ByteClasses::kMinus:
        if (signed_) return false;
        signed_ = true;
        sign_ = c == ByteClasses::kMinus ? -1 : 1;
        if (digits_ > 0) ended_ = true;
        return form_.is_signed || form_.edited || form_.separate || sign_ > 0;
      case ByteClasses::kComma:
      case ByteClasses::kPoint:
      case ByteClasses::kFiller:
        return form_.edited;
      default:
        return false;
    }
  }

  bool Digit(int digit) {
    if (ended_ || digits_ == 38) return false;
    sum_ = sum_ * 10 + digit;
    ++digits_;
    if (point_) ++behind_;
    return true;
  }

  const NumberForm& form_;
  Decimal128 sum_ = 0;
  int digits_ = 0, behind_ = 0, sign_ = 1;
  bool point_ = false, signed_ = false, ended_ = false;
};

bool LooseIsRead(const NumberForm& form) { return form.relaxed || form.edited || form.point; }

double IbmFloat(uint64_t fraction, int bits, int exponent, bool negative) {
  const double value = std::ldexp(static_cast<double>(fraction), (exponent - 64) * 4 - bits);
  return negative ? -value : value;
}

}  // namespace

ByteClasses::ByteClasses(const files::CodePage& page) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto character = page.CharacterOf(static_cast<uint8_t>(byte));
    const char c = character && *character < 0x80 ? static_cast<char>(*character) : '\0';
    ascii_[byte] = c;
    uint8_t& what = classes_[byte];
    what = kOther;
    if (c >= '0' && c <= '9') what = static_cast<uint8_t>(c - '0');
    if (c == ' ') what = kBlank;
    if (c == '+') what = kPlus;
    if (c == '-') what = kMinus;
    if (c == '.') what = kPoint;
    if (c == ',') what = kComma;
    const bool money = character && (*character == 0xA3 || *character == 0xA5 ||
                                     *character == 0x20AC || *character == 0xA4);
    if (c == '*' || c == '$' || c == '/' || money) what = kFiller;
    if (byte == 0) what = kLow;
  }
  for (uint8_t digit = 0; digit < 10; ++digit) {
    if (page.ebcdic()) {
      classes_[0xC0 + digit] = kPositive + digit;
      classes_[0xD0 + digit] = kNegative + digit;
      continue;
    }
    classes_[digit == 0 ? '{' : 'A' + digit - 1] = kPositive + digit;
    classes_[digit == 0 ? '}' : 'J' + digit - 1] = kNegative + digit;
    classes_['p' + digit] = kNegative + digit;
  }
}

Number ReadNumber(const NumberForm& form, std::string_view bytes) {
  Number number;
  number.scale = form.scale;
  bool read = false;
  switch (form.usage) {
    case Usage::kPacked:
    case Usage::kPackedNoSign:
      read = ReadPacked(form, bytes, number.value);
      break;
    case Usage::kBinary:
    case Usage::kNative:
    case Usage::kLittleEndian:
      read = ReadBinary(form, bytes, number.value);
      number.found = read ? Found::kNumber : Found::kBad;
      number.why =
          read ? "" : "a number of more digits than its picture has (binary_digits), or over 38";
      return number;
    default:
      read = !form.edited && !form.point && ReadZoned(form, bytes, number.value);
      if (!read && LooseIsRead(form)) read = Loose(form).Read(bytes, number);
      break;
  }
  number.found = read ? Found::kNumber : AllBlank(form, bytes) ? Found::kBlank : Found::kBad;
  if (number.found == Found::kBad) number.why = "its bytes are no number of its picture";
  return number;
}

bool IsSmall(const NumberForm& form) {
  if (form.edited || form.point || form.digits > 18) return false;
  switch (form.usage) {
    case Usage::kBinary:
    case Usage::kNative:
    case Usage::kLittleEndian:
      return form.bytes <= 8 && !form.limited;
    case Usage::kPacked:
      // One digit more than the picture has may stand in it.
      return form.digits <= 17;
    case Usage::kDisplay:
    case Usage::kPackedNoSign:
      return form.digits <= 17;
    default:
      return false;
  }
}

SmallNumber ReadSmall(const NumberForm& form, std::string_view bytes) {
  SmallNumber small;
  bool read = false;
  switch (form.usage) {
    case Usage::kDisplay:
      read = ReadZoned(form, bytes, small.value);
      break;
    case Usage::kPacked:
    case Usage::kPackedNoSign:
      read = ReadPacked(form, bytes, small.value);
      break;
    default:
      read = ReadSmallBinary(form, bytes, small.value);
      break;
  }
  if (read) small.found = Found::kNumber;
  return small;
}

double ReadFloat(const NumberForm& form, std::string_view bytes) {
  const bool wide = form.usage == Usage::kDouble;
  uint64_t bits = 0;
  const size_t size = bytes.size();
  const unsigned char* const at = Bytes(bytes);
  const bool little = form.floats == FloatForm::kIeeeLittle;
  for (size_t i = 0; i < size; ++i) bits = bits << 8 | at[little ? size - 1 - i : i];
  if (form.floats != FloatForm::kIbm) {
    if (wide) return std::bit_cast<double>(bits);
    return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  if (!wide) bits <<= 32;
  const auto exponent = static_cast<int>(bits >> 56 & 0x7F);
  return IbmFloat(bits & ((uint64_t{1} << 56) - 1), 56, exponent, (bits >> 63) != 0);
}

bool Rescale(Decimal128& value, int from, int to) {
  if (from == to || value == 0) return true;
  const int steps = to > from ? to - from : from - to;
  if (steps > 38) return false;
  const Decimal128 power = records::PowerOfTen(steps);
  if (to > from) return !__builtin_mul_overflow(value, power, &value);
  if (value % power != 0) return false;
  value /= power;
  return true;
}

void AppendNumber(Decimal128 value, int scale, int least_digits, std::string& out) {
  if (scale < 0) {
    // Zeros that the picture leaves out.
    if (Rescale(value, scale, 0)) scale = 0;
  }
  std::string text = records::FormatDecimal(value, std::max(scale, 0));
  const size_t begin = text.starts_with('-') ? 1 : 0;
  const auto digits = static_cast<size_t>(std::max(least_digits, 0));
  if (scale <= 0 && text.size() - begin < digits)
    text.insert(begin, digits - (text.size() - begin), '0');
  out += text;
}

double ToFloat(Decimal128 value, int scale) {
  constexpr Decimal128 kExact = Decimal128{1} << 53;
  if (scale == 0 && value < kExact && value > -kExact) return static_cast<double>(value);
  std::string text = records::FormatDecimal(value, 0);
  absl::StrAppend(&text, "e", -scale);
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

}  // namespace sluice::adapters::copybook
