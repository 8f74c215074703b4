// What differs between two revisions, as text for people: a line a difference.
//
//   fields.income.type: int64 -> decimal128(12,2)
//   fields.phone: removed
//   purposes: [relief] -> [relief, census]
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::identity {

// A message as one text, where it has a short one (a mask, a type); nothing where its fields are to
// be compared one by one.
using MessageText = std::function<std::optional<std::string>(const google::protobuf::Message&)>;

// Both of one type. Left out: what the gateway sets itself (revision, etag, changed, changed_by)
// and fields without contents in both. Elements of lists that have a name or code are matched by
// it.
std::vector<std::string> Differences(const google::protobuf::Message& before,
                                     const google::protobuf::Message& after,
                                     const MessageText& text = nullptr);

// A message as one line of JSON, for audit records; empty for null.
std::string ToJson(const google::protobuf::Message* message);

}  // namespace sluice::identity
