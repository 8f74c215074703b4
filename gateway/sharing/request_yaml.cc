#include "gateway/sharing/request_yaml.h"

#include <google/protobuf/util/time_util.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "certs/spiffe.h"
#include "gateway/base/clock.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/identity/registration.h"

namespace sluice::sharing {
namespace {

using identity::ReadEnum;

constexpr char kIdRule[] = "1 to 63 of a-z, 0-9 and inner hyphens";
constexpr int64_t kMostCounted = 1'000'000'000'000;
constexpr size_t kMostWords = 4096;

// Text where it stands. An empty one is a mistake: it would mean what leaving it out means.
std::string ReadText(const YamlNode& node, std::string_view expected) {
  const std::string text = node.AsString();
  if (node.present() && text.empty() && !node.is_map() && !node.is_list()) node.Fail(expected);
  return text;
}

// A list where it stands; an empty one is a mistake for the same reason.
std::vector<YamlNode> ReadList(const YamlNode& node, std::string_view expected) {
  std::vector<YamlNode> list = node.AsList();
  if (node.is_list() && list.empty()) node.Fail(expected);
  return list;
}

// "+08:00", "-03:30", "Z": minutes east of UTC, noted as a mistake where it is none.
int ReadOffset(const YamlNode& node) {
  constexpr char kExpected[] = "where a day begins, as an offset from UTC such as \"+08:00\"";
  const std::string text = ReadText(node, kExpected);
  if (text.empty() || text == "Z") return 0;
  const auto digit = [&text](size_t i) {
    return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 1000;
  };
  if (text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':') {
    const int minutes = digit(4) * 10 + digit(5);
    const int east = (text[0] == '-' ? -1 : 1) * ((digit(1) * 10 + digit(2)) * 60 + minutes);
    if (minutes <= 59 && east >= -12 * 60 && east <= 14 * 60) return east;
  }
  node.Fail(kExpected);
  return 0;
}

template <class Message>
void ReadTime(const YamlNode& node, google::protobuf::Timestamp* (Message::*mutable_time)(),
              Message& message) {
  constexpr std::string_view kExpected =
      "a time with its offset, such as 2027-04-01T00:00:00+08:00";
  const std::string text = ReadText(node, kExpected);
  if (text.empty()) return;
  Micros time = 0;
  if (!ParseTime(text, &time)) return node.Fail(kExpected);
  *(message.*mutable_time)() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(time);
}

void ReadQuota(const YamlNode& node, v1::Quota& quota) {
  YamlMap map = node.AsMap();
  quota.set_calls_per_minute(map.Optional("calls_per_minute").AsInt(0, 0, kMostCounted));
  quota.set_rows_per_day(map.Optional("rows_per_day").AsInt(0, 0, kMostCounted));
  quota.set_rows_total(map.Optional("rows_total").AsInt(0, 0, kMostCounted));
  quota.set_day_offset_minutes(ReadOffset(map.Optional("day")));
  map.RefuseOthers();
}

// What a request and a grant have in common, and call the same.
template <class Message>
void ReadCommon(YamlMap& root, Message& message) {
  for (const YamlNode& node :
       ReadList(root.Optional("systems"), "at least one system; left out, all of the agency's")) {
    message.add_systems(node.AsString());
    if (!certs::IsId(message.systems(message.systems_size() - 1)))
      node.Fail(absl::StrCat("a system's name without its agency: ", kIdRule));
  }
  message.set_row_filter(ReadText(root.Optional("rows"), "filter text; left out, all rows"));
  for (const YamlNode& node : ReadList(root.Optional("modes"), "at least one: query, read"))
    message.add_modes(static_cast<v1::Mode>(
        ReadEnum(node, {{"query", v1::MODE_QUERY}, {"read", v1::MODE_READ}})));
  if (const YamlNode quota = root.Optional("quota"); quota.present())
    ReadQuota(quota, *message.mutable_quota());
  ReadTime(root.Optional("not_before"), &Message::mutable_not_before, message);
}

void ReadFieldNames(const YamlNode& list, v1::AccessRequest& request) {
  std::set<std::string> names;
  for (const YamlNode& node : ReadList(list, "at least one field")) {
    const std::string name = ReadText(node, "the name of a field; masks are the owner's matter");
    if (!name.empty() && !names.insert(name).second)
      node.Fail(absl::StrCat("field ", name, " is listed twice"));
    request.add_fields(name);
  }
}

void ReadRequest(YamlMap root, v1::AccessRequest& request) {
  const YamlNode dataset = root.Required("dataset");
  request.set_dataset(dataset.AsString());
  if (dataset.present() && !identity::SplitName(request.dataset()))
    dataset.Fail(absl::StrCat("agency/dataset, each ", kIdRule));
  for (const YamlNode& node : ReadList(root.Required("purposes"), "at least one purpose"))
    request.add_purposes(ReadText(node, "a code of the authority's list"));
  *request.mutable_basis() = identity::ReadLegalBasis(root.Required("basis").AsMap());
  ReadFieldNames(root.Required("fields"), request);
  ReadCommon(root, request);
  if (request.modes().empty()) request.add_modes(v1::MODE_QUERY);
  ReadTime(root.Required("expires"), &v1::AccessRequest::mutable_expires, request);
  const YamlNode why = root.Optional("why");
  request.set_justification(ReadText(why, "words for the person who decides"));
  if (request.justification().size() > kMostWords)
    why.Fail(absl::StrCat("at most ", kMostWords, " bytes"));
  root.RefuseOthers();
}

void ReadGrantedField(const YamlNode& node, v1::GrantedField& field) {
  YamlMap map = node.AsMap();
  field.set_name(ReadText(map.Required("name"), "the name of a field"));
  const YamlNode mask_node = map.Optional("mask");
  if (const std::string text = ReadText(mask_node, "a mask, in quotes"); !text.empty()) {
    const auto mask = catalogue::ParseMask(text);
    if (mask.ok())
      *field.mutable_mask() = *mask;
    else
      mask_node.Fail(std::string(mask.status().message()));
  }
  field.set_filter(static_cast<v1::MaskedFilter>(
      ReadEnum(map.Optional("filter"), {{"none", v1::MASKED_FILTER_UNSPECIFIED},
                                        {"exact", v1::MASKED_FILTER_EXACT},
                                        {"masked_value", v1::MASKED_FILTER_MASKED_VALUE}})));
  map.RefuseOthers();
}

void ReadDemands(const YamlNode& list, v1::Grant& terms) {
  constexpr char kExpected[] = "at least one of case_reference, end_user";
  for (const YamlNode& node : ReadList(list, kExpected)) {
    const std::string word = ReadText(node, kExpected);
    if (word == "case_reference")
      terms.set_case_reference_required(true);
    else if (word == "end_user")
      terms.set_end_user_required(true);
    else if (!word.empty())
      node.Fail(kExpected);
  }
}

void ReadTerms(YamlMap root, v1::Grant& terms) {
  for (const YamlNode& node : ReadList(root.Optional("purposes"), "at least one purpose"))
    terms.add_purposes(ReadText(node, "a code of the authority's list"));
  if (const YamlNode basis = root.Optional("basis"); basis.present())
    *terms.mutable_basis() = identity::ReadLegalBasis(basis.AsMap());
  std::set<std::string> names;
  for (const YamlNode& node : ReadList(root.Optional("fields"), "at least one field")) {
    v1::GrantedField& field = *terms.add_fields();
    ReadGrantedField(node, field);
    if (!field.name().empty() && !names.insert(field.name()).second)
      node.Fail(absl::StrCat("field ", field.name(), " is listed twice"));
  }
  ReadCommon(root, terms);
  terms.set_max_page_rows(
      static_cast<int32_t>(root.Optional("max_page_rows").AsInt(0, 0, 1'000'000)));
  ReadTime(root.Optional("expires"), &v1::Grant::mutable_expires, terms);
  ReadDemands(root.Optional("require"), terms);
  root.RefuseOthers();
}

}  // namespace

const identity::YamlNames& RequestYamlNames() {
  static const auto* const names = new identity::YamlNames{
      {"row_filter", "rows"}, {"justification", "why"}, {"quota.day_offset_minutes", "quota.day"}};
  return *names;
}

absl::StatusOr<RequestFile> ParseRequestYaml(std::string_view text, std::string_view file) {
  RequestFile result{{}, YamlDocument::Parse(text, file)};
  ReadRequest(result.document.root().AsMap(), result.request);
  SLUICE_RETURN_IF_ERROR(identity::YamlStatus(result.document));
  return result;
}

absl::StatusOr<TermsFile> ParseTermsYaml(std::string_view text, std::string_view file) {
  TermsFile result{{}, YamlDocument::Parse(text, file)};
  ReadTerms(result.document.root().AsMap(), result.terms);
  SLUICE_RETURN_IF_ERROR(identity::YamlStatus(result.document));
  return result;
}

}  // namespace sluice::sharing
