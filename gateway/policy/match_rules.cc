// How values are made comparable.
#include <unicode/translit.h>
#include <unicode/unistr.h>
#include <utf8proc.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "gateway/audit/subjects.h"
#include "gateway/policy/match.h"
#include "gateway/records/utf8.h"

namespace sluice::policy {
namespace {

struct FreeMapped {
  void operator()(utf8proc_uint8_t* bytes) const { std::free(bytes); }
};

// Compatibility forms and case folded, what cannot be seen taken out: full and half width are one.
std::string Folded(std::string_view text) {
  constexpr auto kOptions = static_cast<utf8proc_option_t>(
      UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  utf8proc_uint8_t* bytes = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &bytes, kOptions);
  const std::unique_ptr<utf8proc_uint8_t, FreeMapped> owner(bytes);
  if (size < 0) return std::string(text);
  return {reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)};
}

template <class Each>
void EachCodePoint(std::string_view text, Each each) {
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t used = utf8proc_iterate(at, left, &code_point);
    if (used <= 0) return;
    each(code_point);
    at += used;
    left -= used;
  }
}

void AppendCodePoint(utf8proc_int32_t code_point, std::string& out) {
  std::array<utf8proc_uint8_t, 4> bytes = {};
  const utf8proc_ssize_t size = utf8proc_encode_char(code_point, bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size));
}

bool IsSpace(utf8proc_int32_t code_point) {
  if (code_point >= '\t' && code_point <= '\r') return true;
  const auto category = utf8proc_category(code_point);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP || code_point == 0x85;
}

// The dot between the parts of a name, as it is typed.
bool IsNameDot(utf8proc_int32_t code_point) {
  constexpr std::array<utf8proc_int32_t, 9> kDots = {'.',    0xB7,   0x387,  0x2022, 0x2027,
                                                     0x2219, 0x22C5, 0x30FB, 0x2E31};
  for (const utf8proc_int32_t dot : kDots)
    if (dot == code_point) return true;
  return false;
}

// Of each Han character its simplified form, by Unicode's own data: made once, then only read.
class SimplifiedForms {
 public:
  static const SimplifiedForms& Get() {
    static const auto* const forms = new SimplifiedForms();
    return *forms;
  }
  utf8proc_int32_t Of(utf8proc_int32_t code_point) const {
    return code_point >= kFirst && code_point <= kLast
               ? forms_[static_cast<size_t>(code_point - kFirst)]
               : code_point;
  }

 private:
  static constexpr utf8proc_int32_t kFirst = 0x3400, kLast = 0x9FFF;
  SimplifiedForms() {
    UErrorCode error = U_ZERO_ERROR;
    const std::unique_ptr<icu::Transliterator> simplify(
        icu::Transliterator::createInstance("Traditional-Simplified", UTRANS_FORWARD, error));
    for (utf8proc_int32_t code_point = kFirst; code_point <= kLast; ++code_point) {
      icu::UnicodeString text(static_cast<UChar32>(code_point));
      if (U_SUCCESS(error) && simplify != nullptr) simplify->transliterate(text);
      forms_[static_cast<size_t>(code_point - kFirst)] =
          text.countChar32() == 1 ? text.char32At(0) : code_point;
    }
  }
  std::array<utf8proc_int32_t, kLast - kFirst + 1> forms_ = {};
};

Comparable NameOfSomebody(std::string_view text) {
  const SimplifiedForms& simplified = SimplifiedForms::Get();
  Comparable name;
  EachCodePoint(Folded(text), [&](utf8proc_int32_t code_point) {
    if (IsSpace(code_point)) return;
    AppendCodePoint(IsNameDot(code_point) ? 0xB7 : simplified.Of(code_point), name.text);
  });
  name.valid = !name.text.empty();
  return name;
}

Comparable IdNumber(std::string_view text) {
  audit::CanonicalId id = audit::Canonical("CN-RID", text);
  return {std::move(id.text), id.valid};
}

// Groups of digits, whatever stands between them.
std::vector<std::string> DigitGroups(std::string_view text) {
  std::vector<std::string> groups;
  bool within = false;
  for (const char c : text) {
    const bool digit = absl::ascii_isdigit(c);
    if (digit && !within) groups.emplace_back();
    if (digit) groups.back() += c;
    within = digit;
  }
  return groups;
}

// Of nothing but digits and what may stand between those of a day.
bool IsWrittenDay(std::string_view folded) {
  bool all = true;
  EachCodePoint(folded, [&](utf8proc_int32_t code_point) {
    const bool digit = code_point >= '0' && code_point <= '9';
    const bool between = code_point == '-' || code_point == '/' || code_point == '.' ||
                         code_point == 0x5E74 || code_point == 0x6708 || code_point == 0x65E5;
    all = all && (digit || between || IsSpace(code_point));
  });
  return all;
}

Comparable Day(std::string_view text) {
  const std::string folded = Folded(text);
  std::vector<std::string> groups = DigitGroups(folded);
  if (groups.size() == 1 && groups[0].size() == 8)
    groups = {groups[0].substr(0, 4), groups[0].substr(4, 2), groups[0].substr(6, 2)};
  records::CivilDate day;
  if (groups.size() == 3 && groups[0].size() == 4 && groups[1].size() <= 2 &&
      groups[2].size() <= 2 && IsWrittenDay(folded) && absl::SimpleAtoi(groups[0], &day.year) &&
      absl::SimpleAtoi(groups[1], &day.month) && absl::SimpleAtoi(groups[2], &day.day)) {
    if (const auto days = records::DaysFromCivil(day)) return {records::FormatDate(*days), true};
  }
  return {folded, false};
}

Comparable Phone(std::string_view text) {
  const std::string folded = Folded(text);
  Comparable phone;
  bool others = false;
  EachCodePoint(folded, [&](utf8proc_int32_t code_point) {
    if (code_point >= '0' && code_point <= '9') {
      phone.text += static_cast<char>(code_point);
    } else if (!IsSpace(code_point) && code_point != '-' && code_point != '(' &&
               code_point != ')' && code_point != '+' && code_point != '.' && code_point != '/') {
      others = true;
    }
  });
  if (others) return {folded, false};
  // China's own code, however it was dialled: 0086, +86, 86 before a mobile's eleven digits.
  std::string_view digits = phone.text;
  if (digits.starts_with("0086"))
    digits.remove_prefix(4);
  else if (folded.starts_with("+86"))
    digits.remove_prefix(2);
  else if (digits.size() == 13 && digits.starts_with("861"))
    digits.remove_prefix(2);
  return {std::string(digits), digits.size() >= 5 && digits.size() <= 15};
}

}  // namespace

bool RuleFits(v1::MatchRule rule, bool finds, const records::DataType& type) {
  switch (rule) {
    case v1::MATCH_RULE_EXACT:
      return type.id != records::TypeId::kFloat64;
    case v1::MATCH_RULE_NAME:
      return !finds && type.id == records::TypeId::kUtf8;
    case v1::MATCH_RULE_ID_NUMBER:
    case v1::MATCH_RULE_PHONE:
      return type.id == records::TypeId::kUtf8;
    case v1::MATCH_RULE_DATE:
      return !finds && (type.id == records::TypeId::kUtf8 || type.id == records::TypeId::kDate32);
    default:
      return false;
  }
}

Comparable MakeComparable(v1::MatchRule rule, std::string_view text) {
  switch (rule) {
    case v1::MATCH_RULE_NAME:
      return NameOfSomebody(text);
    case v1::MATCH_RULE_ID_NUMBER:
      return IdNumber(text);
    case v1::MATCH_RULE_DATE:
      return Day(text);
    case v1::MATCH_RULE_PHONE:
      return Phone(text);
    default:
      return {std::string(text), true};
  }
}

}  // namespace sluice::policy
