#include "gateway/records/arrow_metadata.h"

#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/records/utf8.h"

namespace sluice::records {
namespace {

absl::Status BadMetadata(std::string_view what) { return absl::InvalidArgumentError(View(what)); }

// By the number of its kind, for those whose parameters do not matter as none is supported.
std::string NameOfKind(int kind) {
  static constexpr std::string_view kNames[] = {"none",
                                                "null",
                                                "int",
                                                "float",
                                                "binary",
                                                "utf8",
                                                "bool",
                                                "decimal",
                                                "date",
                                                "time",
                                                "timestamp",
                                                "interval",
                                                "list",
                                                "struct",
                                                "union",
                                                "fixed size binary",
                                                "fixed size list",
                                                "map",
                                                "duration",
                                                "large binary",
                                                "large utf8",
                                                "large list",
                                                "run end encoded",
                                                "binary view",
                                                "utf8 view",
                                                "list view",
                                                "large list view"};
  if (kind >= 0 && static_cast<size_t>(kind) < std::size(kNames)) return std::string(kNames[kind]);
  return absl::StrCat("type ", kind);
}

absl::Status NotSupported(std::string_view type) {
  return BadMetadata(absl::StrCat("its type is ", View(type), ", which is not supported"));
}

absl::StatusOr<DataType> ReadIntType(const arrow::Int& type) {
  if (type.bit_width() == 64 && type.is_signed()) return DataType{.id = TypeId::kInt64};
  return NotSupported(absl::StrCat(type.is_signed() ? "int" : "uint", type.bit_width()));
}

absl::StatusOr<DataType> ReadFloatType(const arrow::FloatingPoint& type) {
  if (type.precision() == arrow::Precision::DOUBLE) return DataType{.id = TypeId::kFloat64};
  return NotSupported(type.precision() == arrow::Precision::SINGLE ? "float32" : "float16");
}

absl::StatusOr<DataType> ReadDecimalType(const arrow::Decimal& type) {
  if (type.bit_width() != 128) return NotSupported(absl::StrCat("decimal", type.bit_width()));
  if (type.precision() < 1 || type.precision() > 38 || type.scale() < 0 ||
      type.scale() > type.precision())
    return NotSupported(absl::StrCat("decimal128(", type.precision(), ",", type.scale(), ")"));
  return DataType{.id = TypeId::kDecimal128,
                  .precision = static_cast<uint8_t>(type.precision()),
                  .scale = static_cast<uint8_t>(type.scale())};
}

absl::StatusOr<DataType> ReadDateType(const arrow::Date& type) {
  if (type.unit() == arrow::DateUnit::DAY) return DataType{.id = TypeId::kDate32};
  return NotSupported("date64");
}

absl::StatusOr<DataType> ReadTimestampType(const arrow::Timestamp& type) {
  static constexpr std::string_view kUnits[] = {"s", "ms", "us", "ns"};
  const auto unit = static_cast<size_t>(type.unit());
  if (type.unit() != arrow::TimeUnit::MICROSECOND)
    return NotSupported(
        absl::StrCat("timestamp(", unit < std::size(kUnits) ? View(kUnits[unit]) : "?", ")"));
  // With any zone it is an instant in UTC, and the zone is for display.
  const bool utc = type.timezone() != nullptr && type.timezone()->size() > 0;
  return DataType{.id = TypeId::kTimestamp, .utc = utc};
}

absl::StatusOr<DataType> ReadType(const arrow::Field& field) {
  if (field.dictionary() != nullptr) return NotSupported("dictionary encoded");
  const auto kind = field.type_type();
  if (kind != arrow::Type::NONE && field.type() == nullptr)
    return BadMetadata("its type is missing");
  switch (kind) {
    case arrow::Type::Int:
      return ReadIntType(*field.type_as_Int());
    case arrow::Type::FloatingPoint:
      return ReadFloatType(*field.type_as_FloatingPoint());
    case arrow::Type::Binary:
      return DataType{.id = TypeId::kBinary};
    case arrow::Type::Utf8:
      return DataType{.id = TypeId::kUtf8};
    case arrow::Type::Bool:
      return DataType{.id = TypeId::kBool};
    case arrow::Type::Decimal:
      return ReadDecimalType(*field.type_as_Decimal());
    case arrow::Type::Date:
      return ReadDateType(*field.type_as_Date());
    case arrow::Type::Timestamp:
      return ReadTimestampType(*field.type_as_Timestamp());
    default:
      return NotSupported(NameOfKind(static_cast<int>(kind)));
  }
}

}  // namespace

absl::StatusOr<const arrow::Message*> VerifyArrow(std::string_view metadata,
                                                  const ArrowLimits& limits) {
  if (static_cast<int64_t>(metadata.size()) > limits.metadata_bytes)
    return BadMetadata("its metadata is too large");
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(metadata.data()), metadata.size(),
                                 /*max_depth=*/16,
                                 static_cast<flatbuffers::uoffset_t>(4 * limits.columns + 16));
  if (!arrow::VerifyMessageBuffer(verifier)) return BadMetadata("its metadata is damaged");
  const arrow::Message* message = arrow::GetMessage(metadata.data());
  if (message->version() != arrow::MetadataVersion::V4 &&
      message->version() != arrow::MetadataVersion::V5)
    return BadMetadata("its version is neither 4 nor 5");
  if (message->header_type() != arrow::MessageHeader::NONE && message->header() == nullptr)
    return BadMetadata("its header is missing");
  if (message->body_length() < 0 || message->body_length() > limits.body_bytes)
    return BadMetadata("its body is too large");
  if (message->body_length() % 8 != 0) return BadMetadata("its body's length is no multiple of 8");
  return message;
}

std::string NameOfArrowHeader(arrow::MessageHeader kind) {
  switch (static_cast<int>(kind)) {
    case 1:
      return "a second schema";
    case 2:
      return "a dictionary, which is not supported";
    case 3:
      return "a batch before the schema";
    default:
      return "neither schema nor batch";
  }
}

absl::StatusOr<SchemaPtr> ReadArrowSchema(const arrow::Message& message,
                                          const ArrowLimits& limits) {
  const arrow::Schema* schema = message.header_as_Schema();
  if (schema == nullptr) return BadMetadata("it is " + NameOfArrowHeader(message.header_type()));
  if (message.body_length() != 0) return BadMetadata("a schema has no body");
  if (schema->endianness() != arrow::Endianness::Little)
    return BadMetadata("it is not little-endian");
  if (schema->features() != nullptr) {
    for (const int64_t feature : *schema->features())
      if (feature != 0) return BadMetadata("it asks for features that are not supported");
  }
  if (schema->fields() == nullptr) return BadMetadata("its list of fields is missing");
  if (static_cast<int64_t>(schema->fields()->size()) > limits.columns)
    return BadMetadata(absl::StrCat("it has ", schema->fields()->size(), " columns, and ",
                                    limits.columns, " are the most"));
  std::vector<Field> fields;
  int64_t name_bytes = 0;
  for (const arrow::Field* field : *schema->fields()) {
    std::string name;
    if (field->name() != nullptr) {
      name_bytes += field->name()->size();
      if (name_bytes > limits.name_bytes)
        return BadMetadata("the names of its fields are too long");
      name = field->name()->str();
    }
    const std::string place = absl::StrCat("column ", fields.size() + 1);
    if (!ValidUtf8(name)) return BadMetadata(place + ": its name is not UTF-8");
    const auto type = ReadType(*field);
    if (!type.ok())
      return BadMetadata(
          absl::StrCat(place, " (", name, "): ", std::string(type.status().message())));
    if (field->children() != nullptr && field->children()->size() > 0)
      return BadMetadata(
          absl::StrCat(place, " (", name, "): it has children, and its type has none"));
    fields.push_back({.name = std::move(name), .type = *type, .nullable = field->nullable()});
  }
  return std::make_shared<const Schema>(std::move(fields));
}

}  // namespace sluice::records
