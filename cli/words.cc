#include "cli/words.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/display.h"
#include "cli/json.h"
#include "gateway/records/row_batch.h"

namespace sluice::cli {

std::string TitleOf(const v1::Text& text, bool chinese) {
  const std::string& first = chinese ? text.zh() : text.en();
  return first.empty() ? (chinese ? text.en() : text.zh()) : first;
}

std::string RoleWord(v1::Role role) {
  const auto* value = v1::Role_descriptor()->FindValueByNumber(role);
  return value == nullptr ? absl::StrCat("role ", static_cast<int>(role))
                          : absl::AsciiStrToLower(EnumWord(*value));
}

std::string RoleWords(const google::protobuf::RepeatedField<int>& roles) {
  std::vector<std::string> words;
  for (const int role : roles) words.push_back(RoleWord(static_cast<v1::Role>(role)));
  return absl::StrJoin(words, ", ");
}

v1::Role RoleFromWord(std::string_view word) {
  for (int i = 1; i < v1::Role_descriptor()->value_count(); ++i) {
    const auto role = static_cast<v1::Role>(v1::Role_descriptor()->value(i)->number());
    if (RoleWord(role) == word) return role;
  }
  return v1::ROLE_UNSPECIFIED;
}

std::string MaskWords(const v1::Mask& mask) {
  switch (mask.kind()) {
    case v1::MASK_KIND_UNSPECIFIED:
    case v1::MASK_KIND_NONE:
      return "as it is";
    case v1::MASK_KIND_NULL:
      return "null";
    case v1::MASK_KIND_PARTIAL:
      return absl::StrCat("partial ", mask.first(), "..", mask.last());
    case v1::MASK_KIND_PSEUDONYM:
      return "pseudonym";
    case v1::MASK_KIND_DATE:
      return mask.unit() == v1::DATE_UNIT_MONTH ? "month" : "year";
    case v1::MASK_KIND_PREFIX:
      return absl::StrCat("prefix ", mask.length());
    case v1::MASK_KIND_BUCKET:
      return absl::StrCat("bucket ", mask.width());
    default:
      return absl::StrCat("mask ", static_cast<int>(mask.kind()));
  }
}

std::string TypeWords(const v1::ColumnType& type) {
  const auto known = records::FromProto(type);
  return known.ok() ? records::ToString(*known)
                    : absl::StrCat("type ", static_cast<int>(type.type()));
}

std::string LawWords(const v1::LegalBasis& basis) {
  return basis.article().empty() ? basis.law() : absl::StrCat(basis.law(), " ", basis.article());
}

std::string QuotaLeftWords(const v1::QuotaLeft& left) {
  std::vector<std::string> words;
  if (left.has_rows_today()) words.push_back(Grouped(left.rows_today()) + " rows left today");
  if (left.has_rows_total()) words.push_back(Grouped(left.rows_total()) + " rows left in all");
  if (left.has_calls_this_minute())
    words.push_back(Grouped(left.calls_this_minute()) + " calls left this minute");
  return absl::StrJoin(words, ", ");
}

std::string PrincipalWords(std::string_view path) {
  if (path.empty()) return "–";
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(path.data(), path.size()), '/');
  return parts.size() == 4 ? absl::StrCat(parts[1], "/", parts[3]) : std::string(path);
}

std::string ShellQuoted(std::string_view argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@=,+%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string_view::npos)
    return std::string(argument);
  std::string out = "'";
  for (const char c : argument) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out += '\'';
}

}  // namespace sluice::cli
