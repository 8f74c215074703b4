#include "gateway/identity/differences.h"

#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/check.h"
#include "gateway/base/clock.h"

namespace sluice::identity {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr char kAbsent[] = "none";
// Of years 1 to 9999.
constexpr int64_t kFirstSecond = -62'135'596'800;
constexpr int64_t kLastSecond = 253'402'300'799;

bool SetByGateway(std::string_view field) {
  return field == "revision" || field == "etag" || field == "changed" || field == "changed_by";
}

// "MASKED_FILTER_EXACT" is "exact": what all values of an enum begin with is cut off.
std::string EnumText(const EnumValueDescriptor& value) {
  const auto* zero = value.type()->FindValueByNumber(0);
  const std::string& first = zero == nullptr ? value.name() : zero->name();
  const size_t prefix = first.size() - std::min(first.size(), sizeof("UNSPECIFIED") - 1);
  if (&value == zero) return kAbsent;
  return absl::AsciiStrToLower(value.name().substr(std::min(prefix, value.name().size())));
}

const FieldDescriptor* KeyField(const Descriptor& type) {
  for (const char* name : {"name", "code"}) {
    const auto* field = type.FindFieldByName(name);
    if (field != nullptr && !field->is_repeated() &&
        field->cpp_type() == FieldDescriptor::CPPTYPE_STRING)
      return field;
  }
  return nullptr;
}

// Walks two messages of one type side by side.
class Walk {
 public:
  Walk(const MessageText& text, std::vector<std::string>& lines) : text_(text), lines_(lines) {}

  void Messages(const std::string& path, const Message& before, const Message& after,
                const FieldDescriptor* except = nullptr) {
    for (int i = 0; i < before.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = before.GetDescriptor()->field(i);
      if (field == except || (path.empty() && SetByGateway(field->name()))) continue;
      const std::string place =
          path.empty() ? field->name() : absl::StrCat(path, ".", field->name());
      if (field->is_map()) {
        Maps(place, before, after, *field);
      } else if (field->is_repeated()) {
        Lists(place, before, after, *field);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        Submessages(place, before, after, *field);
      } else {
        Line(place, Scalar(before, *field), Scalar(after, *field));
      }
    }
  }

 private:
  void Line(const std::string& path, const std::string& before, const std::string& after) {
    if (before != after) lines_.push_back(absl::StrCat(path, ": ", before, " -> ", after));
  }

  std::optional<std::string> Text(const Message& message) const {
    if (message.GetDescriptor() == google::protobuf::Timestamp::descriptor()) {
      google::protobuf::Timestamp time;
      time.CopyFrom(message);
      // Compared before it was checked: what is no time could overflow.
      if (time.seconds() < kFirstSecond || time.seconds() > kLastSecond) return "out of range";
      return FormatUtc(time.seconds() * kSecond + time.nanos() / 1000);
    }
    return text_ ? text_(message) : std::nullopt;
  }

  void Submessages(const std::string& path, const Message& before, const Message& after,
                   const FieldDescriptor& field) {
    const Message& a = before.GetReflection()->GetMessage(before, &field);
    const Message& b = after.GetReflection()->GetMessage(after, &field);
    if (!Text(a)) return Messages(path, a, b);
    const auto shown = [&](const Message& parent, const Message& message) {
      return parent.GetReflection()->HasField(parent, &field) ? *Text(message) : kAbsent;
    };
    Line(path, shown(before, a), shown(after, b));
  }

  static std::string Scalar(const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string value = reflection.GetString(message, &field);
        return value.empty() ? kAbsent : value;
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.GetBool(message, &field) ? "true" : "false";
      case FieldDescriptor::CPPTYPE_ENUM:
        return EnumText(*reflection.GetEnum(message, &field));
      case FieldDescriptor::CPPTYPE_INT32:
        return absl::StrCat(reflection.GetInt32(message, &field));
      case FieldDescriptor::CPPTYPE_INT64:
        return absl::StrCat(reflection.GetInt64(message, &field));
      default:
        SLUICE_CHECK(false);  // our messages have no others
    }
  }

  static std::string Element(const Message& message, const FieldDescriptor& field, int i) {
    const Reflection& reflection = *message.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING)
      return reflection.GetRepeatedString(message, &field, i);
    SLUICE_CHECK(field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM);
    return EnumText(*reflection.GetRepeatedEnum(message, &field, i));
  }

  static std::string ListText(const Message& message, const FieldDescriptor& field) {
    std::vector<std::string> elements;
    for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i)
      elements.push_back(Element(message, field, i));
    return elements.empty() ? kAbsent : absl::StrCat("[", absl::StrJoin(elements, ", "), "]");
  }

  void Maps(const std::string& path, const Message& before, const Message& after,
            const FieldDescriptor& field) {
    const auto texts = [&field](const Message& message) {
      std::map<std::string, std::string> result;
      const Reflection& reflection = *message.GetReflection();
      for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
        const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
        result[Scalar(entry, *field.message_type()->map_key())] =
            Scalar(entry, *field.message_type()->map_value());
      }
      return result;
    };
    auto a = texts(before);
    auto b = texts(after);
    for (const auto& [key, value] : a) b.try_emplace(key, kAbsent);
    for (const auto& [key, value] : b)
      Line(absl::StrCat(path, ".", key), a.try_emplace(key, kAbsent).first->second, value);
  }

  void Lists(const std::string& path, const Message& before, const Message& after,
             const FieldDescriptor& field) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE)
      return Line(path, ListText(before, field), ListText(after, field));
    const FieldDescriptor* key = KeyField(*field.message_type());
    SLUICE_CHECK(key != nullptr);
    const auto keys = [&](const Message& parent, std::map<std::string, const Message*>& by_key) {
      std::vector<std::string> order;
      for (int i = 0; i < parent.GetReflection()->FieldSize(parent, &field); ++i) {
        const Message& element = parent.GetReflection()->GetRepeatedMessage(parent, &field, i);
        order.push_back(element.GetReflection()->GetString(element, key));
        by_key[order.back()] = &element;
      }
      return order;
    };
    std::map<std::string, const Message*> a;
    std::map<std::string, const Message*> b;
    std::vector<std::string> kept_before;
    std::vector<std::string> kept_after;
    for (const auto& name : keys(before, a)) kept_before.push_back(name);
    for (const auto& name : keys(after, b))
      if (a.contains(name)) kept_after.push_back(name);
    std::erase_if(kept_before, [&](const std::string& name) { return !b.contains(name); });
    if (kept_before != kept_after) lines_.push_back(absl::StrCat(path, ": other order"));
    Elements(path, a, b, key);
  }

  void Elements(const std::string& path, const std::map<std::string, const Message*>& a,
                const std::map<std::string, const Message*>& b, const FieldDescriptor* key) {
    for (const auto& [name, element] : a)
      if (!b.contains(name)) lines_.push_back(absl::StrCat(path, ".", name, ": removed"));
    for (const auto& [name, element] : b) {
      const std::string place = absl::StrCat(path, ".", name);
      const auto known = a.find(name);
      if (known != a.end()) {
        Messages(place, *known->second, *element, key);
        continue;
      }
      lines_.push_back(absl::StrCat(place, ": added"));
      const std::unique_ptr<Message> nothing(element->New());
      Messages(place, *nothing, *element, key);
    }
  }

  const MessageText& text_;
  std::vector<std::string>& lines_;
};

}  // namespace

std::vector<std::string> Differences(const Message& before, const Message& after,
                                     const MessageText& text) {
  SLUICE_CHECK(before.GetDescriptor() == after.GetDescriptor());
  std::vector<std::string> lines;
  Walk(text, lines).Messages("", before, after);
  return lines;
}

std::string ToJson(const Message* message) {
  if (message == nullptr) return "";
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(*message, &json);
  // Only a time out of range cannot be written, and none gets into a definition.
  SLUICE_CHECK(status.ok());
  return json;
}

}  // namespace sluice::identity
