#include "adapters/copybook/picture.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::copybook {
namespace {

using records::TypeId;

constexpr int64_t kMostSize = 100'000'000;

struct Symbol {
  char symbol = 0;
  int64_t count = 0;
};

// 9(5)V99 as 9×5, V×1, 9×2.
absl::StatusOr<std::vector<Symbol>> Expand(std::string_view text) {
  std::vector<Symbol> symbols;
  int64_t size = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char symbol = absl::ascii_toupper(static_cast<unsigned char>(text[i]));
    int64_t count = 1;
    if (i + 1 < text.size() && text[i + 1] == '(') {
      const size_t end = text.find(')', i);
      if (end == text.npos) return absl::InvalidArgumentError("lacks a closing parenthesis");
      const std::string_view number = text.substr(i + 2, end - i - 2);
      if (!absl::SimpleAtoi(View(number), &count) || count < 1 || count > kMostSize)
        return absl::InvalidArgumentError("repeats a symbol by no whole number");
      i = end;
    }
    size += count;
    if (size > kMostSize) return absl::InvalidArgumentError("is too long");
    // CR and DB are one symbol of two characters.
    const bool pair = (symbol == 'C' || symbol == 'D') && i + 1 < text.size();
    if (pair && absl::ascii_toupper(static_cast<unsigned char>(text[i + 1])) ==
                    (symbol == 'C' ? 'R' : 'B')) {
      ++i;
      symbol = 'C';
    }
    if (!symbols.empty() && symbols.back().symbol == symbol && symbol != 'C') {
      symbols.back().count += count;
    } else {
      symbols.push_back({symbol, count});
    }
  }
  if (symbols.empty()) return absl::InvalidArgumentError("is empty");
  return symbols;
}

bool Only(const std::vector<Symbol>& symbols, std::string_view allowed) {
  return std::all_of(symbols.begin(), symbols.end(),
                     [&](const Symbol& one) { return allowed.find(one.symbol) != allowed.npos; });
}

bool Any(const std::vector<Symbol>& symbols, std::string_view wanted) {
  return std::any_of(symbols.begin(), symbols.end(),
                     [&](const Symbol& one) { return wanted.find(one.symbol) != wanted.npos; });
}

int64_t Size(const std::vector<Symbol>& symbols) {
  int64_t size = 0;
  for (const Symbol& one : symbols) {
    if (one.symbol == 'S' || one.symbol == 'V' || one.symbol == 'P') continue;
    size += one.count * (one.symbol == 'C' ? 2 : 1);
  }
  return size;
}

// Digits, and where the point is among them.
absl::Status Measure(const std::vector<Symbol>& symbols, Picture& picture) {
  int64_t digits = 0, behind = 0, left_out_before = 0, left_out_behind = 0;
  bool point = false;
  char floating = 0;
  for (const Symbol& one : symbols) {
    switch (one.symbol) {
      case 'V':
      case '.':
        if (point || one.count > 1) return absl::InvalidArgumentError("has two points");
        point = true;
        break;
      case 'P':
        (digits == 0 ? left_out_before : left_out_behind) += one.count;
        break;
      case '9':
      case 'Z':
      case '*':
        digits += one.count;
        if (point) behind += one.count;
        break;
      case '+':
      case '-':
      case '$': {
        // The first that floats is the sign itself, wherever a comma cuts the run.
        const int64_t places = one.count - (floating == one.symbol ? 0 : 1);
        floating = one.symbol;
        digits += places;
        if (point) behind += places;
        break;
      }
      default:
        break;
    }
  }
  if (digits == 0) return absl::InvalidArgumentError("has no digit");
  if (left_out_before > 0 && left_out_behind > 0)
    return absl::InvalidArgumentError("has P at both ends");
  if (left_out_behind > 0 && behind > 0)
    return absl::InvalidArgumentError("has P behind its decimals");
  if (digits + left_out_before + left_out_behind > kMostDigits)
    return absl::InvalidArgumentError(
        absl::StrCat("has over ", kMostDigits, " digits, which no decimal holds"));
  picture.digits = static_cast<int>(digits);
  if (left_out_before > 0) {
    picture.scale = static_cast<int>(left_out_before + digits);
  } else {
    picture.scale = static_cast<int>(behind - left_out_behind);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Picture> ParsePicture(std::string_view text) {
  Picture picture;
  picture.text = std::string(text);
  SLUICE_ASSIGN_OR_RETURN(auto symbols, Expand(text));
  picture.size = Size(symbols);
  if (Only(symbols, "N")) {
    picture.kind = Picture::Kind::kNational;
    return picture;
  }
  if (Only(symbols, "G")) {
    picture.kind = Picture::Kind::kDbcs;
    return picture;
  }
  if (Only(symbols, "XA9B0/") && Any(symbols, "XA")) return picture;
  if (symbols[0].symbol == 'S') {
    if (symbols[0].count > 1) return absl::InvalidArgumentError("has two signs");
    picture.is_signed = true;
    symbols.erase(symbols.begin());
  }
  if (Only(symbols, "9VP") || (picture.is_signed && Only(symbols, "9VP."))) {
    picture.kind = Picture::Kind::kNumber;
    picture.point = Any(symbols, ".");
    SLUICE_RETURN_IF_ERROR(Measure(symbols, picture));
    return picture;
  }
  if (picture.is_signed || !Only(symbols, "9ZVP*+-$C,.B0/"))
    return absl::InvalidArgumentError("has a symbol that is not read, or in a wrong place");
  picture.kind = Picture::Kind::kEdited;
  picture.is_signed = Any(symbols, "+-C");
  picture.point = Any(symbols, ".");
  SLUICE_RETURN_IF_ERROR(Measure(symbols, picture));
  return picture;
}

std::optional<records::DataType> NumberType(int digits, int scale) {
  if (scale <= 0 && digits - scale <= 18) return records::DataType{TypeId::kInt64};
  const int precision = scale <= 0 ? digits - scale : std::max(digits, scale);
  if (precision > kMostDigits) return std::nullopt;
  return records::DataType{TypeId::kDecimal128, static_cast<uint8_t>(precision),
                           static_cast<uint8_t>(std::max(scale, 0))};
}

}  // namespace sluice::adapters::copybook
