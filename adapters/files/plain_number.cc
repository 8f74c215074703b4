#include "adapters/files/plain_number.h"

#include <cstdint>

#include "absl/strings/ascii.h"

namespace sluice::adapters::files {
namespace {

constexpr int kMostExponent = 400;

}  // namespace

bool WritePlainNumber(std::string_view text, std::string& out) {
  out.clear();
  bool negative = false;
  if (text[0] == '-' || text[0] == '+') {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  size_t digits = 0, point = std::string::npos;
  size_t at = 0;
  std::string& plain = out;
  for (; at < text.size(); ++at) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(text[at]))) {
      plain.push_back(text[at]);
      ++digits;
    } else if (text[at] == '.' && point == std::string::npos) {
      point = digits;
    } else {
      break;
    }
  }
  if (digits == 0) return false;
  if (point == std::string::npos) point = digits;
  int exponent = 0;
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return false;
    const std::string_view rest = text.substr(at + 1);
    const size_t sign = !rest.empty() && (rest[0] == '-' || rest[0] == '+') ? 1 : 0;
    if (rest.size() == sign || rest.size() > sign + 4) return false;
    for (const char c : rest.substr(sign)) {
      if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
      exponent = exponent * 10 + (c - '0');
    }
    if (rest[0] == '-') exponent = -exponent;
    if (exponent > kMostExponent || exponent < -kMostExponent) return false;
  }
  // The point moves as the exponent says, over zeros where there are no digits.
  int64_t where = static_cast<int64_t>(point) + exponent;
  if (where <= 0) {
    plain.insert(0, static_cast<size_t>(1 - where), '0');
    where = 1;
  }
  if (where > static_cast<int64_t>(plain.size()))
    plain.append(static_cast<size_t>(where) - plain.size(), '0');
  if (exponent < 0) {
    // Zeros that the mantissa was padded with say nothing once the point moved.
    while (static_cast<int64_t>(plain.size()) > where && plain.back() == '0') plain.pop_back();
  }
  if (where < static_cast<int64_t>(plain.size())) plain.insert(static_cast<size_t>(where), 1, '.');
  size_t zeros = 0;
  while (zeros + 1 < plain.size() && plain[zeros] == '0' && plain[zeros + 1] != '.') ++zeros;
  plain.erase(0, zeros);
  if (negative && plain.find_first_not_of("0.") != plain.npos) plain.insert(0, 1, '-');
  return true;
}

void DropZeros(std::string& number, size_t kept) {
  const size_t point = number.find('.');
  if (point == number.npos) return;
  while (number.size() > point + 1 + kept && number.back() == '0') number.pop_back();
  if (number.back() == '.') number.pop_back();
}

}  // namespace sluice::adapters::files
