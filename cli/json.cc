#include "cli/json.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"

namespace sluice::cli {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using OrderedJson = nlohmann::ordered_json;

OrderedJson MessageJson(const Message& message) {
  const auto* time =
      google::protobuf::DynamicCastToGenerated<google::protobuf::Timestamp>(&message);
  if (time == nullptr) return ToJson(message);
  return FormatUtc(time->seconds() * kSecond + time->nanos() / 1000);
}

OrderedJson StringJson(const FieldDescriptor& field, const std::string& value) {
  return field.type() == FieldDescriptor::TYPE_BYTES ? OrderedJson(Base64Encode(value))
                                                     : OrderedJson(value);
}

// One value: the field's own, or its element `i` where the field is repeated.
OrderedJson ValueJson(const Message& message, const FieldDescriptor& field, int i) {
  const Reflection& get = *message.GetReflection();
  const bool many = field.is_repeated();
#define SLUICE_VALUE(name) \
  (many ? get.GetRepeated##name(message, &field, i) : get.Get##name(message, &field))
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return SLUICE_VALUE(Int32);
    case FieldDescriptor::CPPTYPE_INT64:
      return SLUICE_VALUE(Int64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return SLUICE_VALUE(UInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return SLUICE_VALUE(UInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return SLUICE_VALUE(Double);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return SLUICE_VALUE(Float);
    case FieldDescriptor::CPPTYPE_BOOL:
      return SLUICE_VALUE(Bool);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumWord(*SLUICE_VALUE(Enum));
    case FieldDescriptor::CPPTYPE_STRING:
      return StringJson(field, SLUICE_VALUE(String));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageJson(SLUICE_VALUE(Message));
  }
#undef SLUICE_VALUE
  return OrderedJson();
}

// Numbers and truth values are always there, so that a record at index 0 has an index.
bool IsShown(const Message& message, const FieldDescriptor& field) {
  const Reflection& get = *message.GetReflection();
  if (field.is_repeated()) return get.FieldSize(message, &field) > 0;
  if (get.HasField(message, &field)) return true;
  if (field.has_presence()) return false;
  const auto type = field.cpp_type();
  return type != FieldDescriptor::CPPTYPE_STRING && type != FieldDescriptor::CPPTYPE_ENUM;
}

OrderedJson MapJson(const Message& message, const FieldDescriptor& field) {
  const Reflection& get = *message.GetReflection();
  // The map's own order is not the same twice; this one's is.
  nlohmann::json sorted = nlohmann::json::object();
  for (int i = 0; i < get.FieldSize(message, &field); ++i) {
    const Message& entry = get.GetRepeatedMessage(message, &field, i);
    const OrderedJson key = ValueJson(entry, *field.message_type()->map_key(), 0);
    sorted[key.is_string() ? key.get<std::string>() : key.dump()] =
        ValueJson(entry, *field.message_type()->map_value(), 0);
  }
  return sorted;
}

}  // namespace

std::string EnumWord(const EnumValueDescriptor& value) {
  // RECORD_KIND_ for RecordKind: the enum's name in capitals, an underscore before each capital.
  std::string prefix;
  for (const char c : value.type()->name()) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  prefix += '_';
  const std::string& name = value.name();
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

OrderedJson ToJson(const Message& message) {
  OrderedJson json = OrderedJson::object();
  const Reflection& get = *message.GetReflection();
  const auto& type = *message.GetDescriptor();
  for (int f = 0; f < type.field_count(); ++f) {
    const FieldDescriptor* field = type.field(f);
    if (!IsShown(message, *field)) continue;
    if (field->is_map()) {
      json[field->name()] = MapJson(message, *field);
    } else if (field->is_repeated()) {
      OrderedJson list = OrderedJson::array();
      for (int i = 0; i < get.FieldSize(message, field); ++i)
        list.push_back(ValueJson(message, *field, i));
      json[field->name()] = std::move(list);
    } else {
      json[field->name()] = ValueJson(message, *field, 0);
    }
  }
  return json;
}

std::string ToJsonLine(const Message& message) {
  return ToJson(message).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace sluice::cli
