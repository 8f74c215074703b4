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
  map.RefuseOthers();
}

void ReadQuota(YamlMap map, v1::Quota& quota) {
  quota.set_calls_per_minute(map.Optional("calls_per_minute").AsInt(0, 0, kMostInQuota));
  quota.set_rows_per_day(map.Optional("rows_per_day").AsInt(0, 0, kMostInQuota));
  quota.set_rows_total(map.Optional("rows_total").AsInt(0, 0, kMostInQuota));
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
