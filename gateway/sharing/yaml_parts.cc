#include "gateway/sharing/yaml_parts.h"

#include <optional>

#include "gateway/catalogue/mask_spec.h"
#include "gateway/identity/yaml_file.h"

namespace sluice::sharing {
namespace {

using identity::ReadEnum;

constexpr int64_t kMostInQuota = 1'000'000'000'000;

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

}  // namespace

std::string ReadText(const YamlNode& node, std::string_view expected) {
  const std::string text = node.AsString();
  if (node.present() && text.empty() && !node.is_map() && !node.is_list()) node.Fail(expected);
  return text;
}

std::vector<YamlNode> ReadList(const YamlNode& node, std::string_view expected) {
  std::vector<YamlNode> list = node.AsList();
  if (node.is_list() && list.empty()) node.Fail(expected);
  return list;
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
  field.set_match(static_cast<v1::MatchRule>(
      ReadEnum(map.Optional("match"), {{"exact", v1::MATCH_RULE_EXACT},
                                       {"name", v1::MATCH_RULE_NAME},
                                       {"id_number", v1::MATCH_RULE_ID_NUMBER},
                                       {"date", v1::MATCH_RULE_DATE},
                                       {"phone", v1::MATCH_RULE_PHONE}})));
  field.set_finds(map.Optional("finds").AsBool(false));
  map.RefuseOthers();
}

v1::Mode ReadMode(const YamlNode& node) {
  return static_cast<v1::Mode>(ReadEnum(node, {{"query", v1::MODE_QUERY},
                                               {"read", v1::MODE_READ},
                                               {"match", v1::MODE_MATCH},
                                               {"count", v1::MODE_COUNT}}));
}

void ReadWords(YamlMap& root, v1::Grant& grant) {
  grant.set_scope(ReadText(root.Optional("scope"), "words: by whom and how far it may be used"));
  if (const YamlNode node = root.Optional("duties"); node.present()) {
    YamlMap map = node.AsMap();
    v1::Duties& duties = *grant.mutable_duties();
    for (const YamlNode& agency :
         ReadList(map.Optional("may_pass_on_to"), "at least one agency; left out, nobody"))
      duties.add_may_pass_on_to(agency.AsString());
    ReadTime(map.Optional("destroy_by"), &v1::Duties::mutable_destroy_by, duties);
    duties.set_destroy_within_days(
        static_cast<int32_t>(map.Optional("destroy_within_days").AsInt(0, 0, 36'500)));
    duties.set_report_destruction(map.Optional("report_destruction").AsBool(false));
    duties.set_other(ReadText(map.Optional("other"), "words"));
    map.RefuseOthers();
  }
  if (const YamlNode node = root.Optional("conditions"); node.present()) {
    YamlMap map = node.AsMap();
    v1::Conditions& conditions = *grant.mutable_conditions();
    for (const YamlNode& span :
         ReadList(map.Optional("hours"), "at least one span; left out, always"))
      conditions.add_hours(span.AsString());
    conditions.set_time_zone(ReadText(map.Optional("time_zone"), "Asia/Shanghai or +08:00"));
    for (const YamlNode& network :
         ReadList(map.Optional("networks"), "at least one network; left out, any"))
      conditions.add_networks(network.AsString());
    map.RefuseOthers();
  }
  grant.set_match_tells_fields(root.Optional("match_tells_fields").AsBool(false));
  grant.set_least_group(static_cast<int32_t>(root.Optional("least_group").AsInt(0, 0, 1'000'000)));
}

void ReadQuota(YamlMap map, v1::Quota& quota) {
  quota.set_calls_per_minute(map.Optional("calls_per_minute").AsInt(0, 0, kMostInQuota));
  quota.set_rows_per_day(map.Optional("rows_per_day").AsInt(0, 0, kMostInQuota));
  quota.set_rows_total(map.Optional("rows_total").AsInt(0, 0, kMostInQuota));
  quota.set_misses_per_day(map.Optional("misses_per_day").AsInt(0, 0, kMostInQuota));
  quota.set_tries_per_record(map.Optional("tries_per_record").AsInt(0, 0, kMostInQuota));
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

}  // namespace sluice::sharing
