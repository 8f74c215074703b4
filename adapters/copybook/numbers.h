// Numbers as COBOL stores them: zoned digits, packed digits, binary, hexadecimal and IEEE floats.
// Exact: no decimal goes through a float. Pure functions, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/copybook/item.h"
#include "adapters/files/code_page.h"
#include "gateway/records/types.h"

namespace sluice::adapters::copybook {

using records::Decimal128;

// What a byte is within a number that is written as text.
class ByteClasses {
 public:
  enum : uint8_t {
    // Below 10: a digit.
    kPositive = 0x10,  // and a digit: one that carries a sign as well
    kNegative = 0x20,
    kBlank = 0x40,
    kLow,  // X'00'
    kPlus,
    kMinus,
    kPoint,
    kComma,
    kFiller,  // of edited numbers: * $ / and other signs of money
    kOther,
  };
  explicit ByteClasses(const files::CodePage& page);
  uint8_t Of(unsigned char byte) const { return classes_[byte]; }
  // The character where it is ASCII; else 0.
  char Ascii(unsigned char byte) const { return ascii_[byte]; }

 private:
  std::array<uint8_t, 256> classes_;
  std::array<char, 256> ascii_;
};

enum class FloatForm : uint8_t { kIbm, kIeeeBig, kIeeeLittle };

// How a number's bytes are to be read.
struct NumberForm {
  Usage usage = Usage::kDisplay;
  int64_t bytes = 0;
  int digits = 0;
  int scale = 0;
  bool is_signed = false;
  SignPlace sign = SignPlace::kTrailing;
  bool separate = false;  // a sign of its own stands there, though S may not be said
  bool edited = false;    // as printed
  bool point = false;     // its point is a character
  bool little = false;    // binary: the lowest byte first
  bool limited = false;   // binary: no more digits than the picture has
  bool relaxed = false;   // blanks, signs and points inside of DISPLAY numbers; other sign nibbles
  bool decimal_comma = false;  // of edited numbers
  FloatForm floats = FloatForm::kIbm;
  const ByteClasses* classes = nullptr;
};

enum class Found : uint8_t {
  kNumber,
  kBlank,  // nothing but blanks or X'00', where these are no number
  kBad,
};

struct Number {
  Found found = Found::kBad;
  Decimal128 value = 0;
  int scale = 0;
  const char* why = "";  // where it is bad
};
// Of any form but floats. `bytes` has the form's size.
Number ReadNumber(const NumberForm& form, std::string_view bytes);

struct SmallNumber {
  Found found = Found::kBad;
  int64_t value = 0;
};
// Whether ReadSmall reads it: at most 18 digits, without editing and points.
bool IsSmall(const NumberForm& form);
// The same as ReadNumber for what it finds; what it does not, ReadNumber may.
SmallNumber ReadSmall(const NumberForm& form, std::string_view bytes);

double ReadFloat(const NumberForm& form, std::string_view bytes);

// The value with another scale; false where digits would be lost or it does not fit.
bool Rescale(Decimal128& value, int from, int to);
// The nearest.
double ToFloat(Decimal128 value, int scale);
// Canonical: "-12.50"; of whole numbers at least so many digits.
void AppendNumber(Decimal128 value, int scale, int least_digits, std::string& out);

}  // namespace sluice::adapters::copybook
