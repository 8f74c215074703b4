// What the files of grants, requests and terms have in common. For this room.
#pragma once

#include <google/protobuf/util/time_util.h>

#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/clock.h"
#include "gateway/base/yaml.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

inline constexpr char kIdRule[] = "1 to 63 of a-z, 0-9 and inner hyphens";

// Text where it stands. An empty one is a mistake: it would mean what leaving it out means, such as
// no mask, and nobody writes that.
std::string ReadText(const YamlNode& node, std::string_view expected);
// A list where it stands; an empty one is a mistake for the same reason.
std::vector<YamlNode> ReadList(const YamlNode& node, std::string_view expected);
// A field with its mask and how it may be filtered on.
void ReadGrantedField(const YamlNode& node, v1::GrantedField& field);
void ReadQuota(YamlMap map, v1::Quota& quota);
// "query", "read", "match", "count".
v1::Mode ReadMode(const YamlNode& node);
// What a person reads of a grant and what it answers on: scope, duties, conditions, and what Match
// and Count may tell.
void ReadWords(YamlMap& root, v1::Grant& grant);

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

}  // namespace sluice::sharing
