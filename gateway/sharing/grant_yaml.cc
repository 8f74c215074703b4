#include "gateway/sharing/grant_yaml.h"

#include <google/protobuf/util/time_util.h>

#include <limits>
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

// Text where it stands. An empty one is a mistake: it would mean what leaving it out means, such as
// no mask, and nobody writes that.
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

// "+08:00", "-03:30", "Z": minutes east of UTC.
std::optional<int> ParseOffset(std::string_view text) {
  if (text == "Z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  for (const int i : {1, 2, 4, 5})
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  const int hours = (text[1] - '0') * 10 + (text[2] - '0');
  const int minutes = (text[4] - '0') * 10 + (text[5] - '0');
  const int east = (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
  if (minutes > 59 || east < -12 * 60 || east > 14 * 60) return std::nullopt;
  return east;
}

void ReadTime(const YamlNode& node, google::protobuf::Timestamp* (*mutable_time)(v1::Grant&),
              v1::Grant& grant) {
  constexpr std::string_view kExpected =
      "a time with its offset, such as 2027-04-01T00:00:00+08:00";
  const std::string text = ReadText(node, kExpected);
  if (text.empty()) return;
  Micros time = 0;
  if (!ParseTime(text, &time)) return node.Fail(kExpected);
  *mutable_time(grant) = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(time);
}

void ReadField(const YamlNode& node, v1::GrantedField& field) {
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

void ReadQuota(YamlMap map, v1::Quota& quota) {
  quota.set_calls_per_minute(map.Optional("calls_per_minute").AsInt(0, 0, kMostCounted));
  quota.set_rows_per_day(map.Optional("rows_per_day").AsInt(0, 0, kMostCounted));
  quota.set_rows_total(map.Optional("rows_total").AsInt(0, 0, kMostCounted));
  const YamlNode day = map.Optional("day");
  constexpr char kExpected[] = "where a day begins, as an offset from UTC such as \"+08:00\"";
  if (const std::string text = ReadText(day, kExpected); !text.empty()) {
    const auto offset = ParseOffset(text);
    if (offset)
      quota.set_day_offset_minutes(*offset);
    else
      day.Fail(kExpected);
  }
  map.RefuseOthers();
}

void ReadRequire(const YamlNode& list, v1::Grant& grant) {
  for (const YamlNode& node : list.AsList()) {
    constexpr char kExpected[] = "one of case_reference, end_user";
    const std::string word = ReadText(node, kExpected);
    if (word == "case_reference")
      grant.set_case_reference_required(true);
    else if (word == "end_user")
      grant.set_end_user_required(true);
    else if (!word.empty())
      node.Fail(kExpected);
  }
}

// For names that the file itself must get right.
void ReadNames(YamlMap& root, v1::Grant& grant) {
  const YamlNode id = root.Required("grant");
  if (const std::string text = id.AsString(); text != "new") {
    grant.set_id(text);
    if (id.present() && text.empty()) id.Fail("new, or the id of a grant");
  }
  const YamlNode dataset = root.Required("dataset");
  grant.set_dataset(dataset.AsString());
  if (!grant.dataset().empty() && !identity::SplitName(grant.dataset()))
    dataset.Fail(absl::StrCat("agency/dataset, each ", kIdRule));
  const YamlNode to = root.Required("to");
  grant.set_consumer_agency(to.AsString());
  if (!grant.consumer_agency().empty() && !certs::IsId(grant.consumer_agency()))
    to.Fail(absl::StrCat("an agency: ", kIdRule));
  for (const YamlNode& node :
       ReadList(root.Optional("systems"), "at least one system; left out, all of the agency's")) {
    grant.add_systems(node.AsString());
    if (!certs::IsId(grant.systems(grant.systems_size() - 1)))
      node.Fail(absl::StrCat("a system's name without its agency: ", kIdRule));
  }
  for (const YamlNode& node : root.Required("purposes").AsList())
    grant.add_purposes(node.AsString());
}

void ReadGrant(YamlMap root, v1::Grant& grant) {
  ReadNames(root, grant);
  *grant.mutable_basis() = identity::ReadLegalBasis(root.Required("basis").AsMap());
  std::set<std::string> names;
  for (const YamlNode& node : root.Required("fields").AsList()) {
    v1::GrantedField& field = *grant.add_fields();
    ReadField(node, field);
    if (!field.name().empty() && !names.insert(field.name()).second)
      node.Fail(absl::StrCat("field ", field.name(), " is listed twice"));
  }
  grant.set_row_filter(ReadText(root.Optional("rows"), "filter text; left out, all rows"));
  const YamlNode modes = root.Optional("modes");
  for (const YamlNode& node : ReadList(modes, "at least one: query, read"))
    grant.add_modes(static_cast<v1::Mode>(
        ReadEnum(node, {{"query", v1::MODE_QUERY}, {"read", v1::MODE_READ}})));
  if (!modes.present()) grant.add_modes(v1::MODE_QUERY);
  grant.set_max_page_rows(
      static_cast<int32_t>(root.Optional("max_page_rows").AsInt(0, 0, 1'000'000)));
  if (const YamlNode quota = root.Optional("quota"); quota.present())
    ReadQuota(quota.AsMap(), *grant.mutable_quota());
  ReadTime(
      root.Optional("not_before"), [](v1::Grant& g) { return g.mutable_not_before(); }, grant);
  ReadTime(
      root.Required("expires"), [](v1::Grant& g) { return g.mutable_expires(); }, grant);
  ReadRequire(root.Optional("require"), grant);
  root.RefuseOthers();
}

}  // namespace

const identity::YamlNames& GrantYamlNames() {
  static const auto* const names =
      new identity::YamlNames{{"id", "grant"},
                              {"consumer_agency", "to"},
                              {"row_filter", "rows"},
                              {"quota.day_offset_minutes", "quota.day"},
                              {"case_reference_required", "require"},
                              {"end_user_required", "require"}};
  return *names;
}

absl::StatusOr<GrantFile> ParseGrantYaml(std::string_view text, std::string_view file) {
  GrantFile result{{}, YamlDocument::Parse(text, file)};
  ReadGrant(result.document.root().AsMap(), result.grant);
  SLUICE_RETURN_IF_ERROR(identity::YamlStatus(result.document));
  return result;
}

}  // namespace sluice::sharing
