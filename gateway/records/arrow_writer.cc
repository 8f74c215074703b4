#include "gateway/records/arrow_writer.h"

#include <array>

#include "gateway/base/check.h"
#include "gateway/records/arrow_generated.h"

namespace sluice::records {
namespace {

constexpr std::string_view kArrowContinuation = "\xFF\xFF\xFF\xFF";
constexpr std::string_view kArrowMagic = "ARROW1";
constexpr std::array<char, 8> kArrowZeros = {};
// What a column of no values has for offsets: the one that there always is.
constexpr std::array<char, 4> kArrowZeroOffset = {};

void AppendInt32(int32_t value, std::string& out) {
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<char>(static_cast<uint32_t>(value) >> shift));
}

std::string_view PaddingOf(int64_t bytes) {
  return {kArrowZeros.data(), static_cast<size_t>(-bytes & 7)};
}

struct ArrowType {
  arrow::Type id;
  flatbuffers::Offset<void> table;
};

ArrowType WriteType(const DataType& type, flatbuffers::FlatBufferBuilder& builder) {
  switch (type.id) {
    case TypeId::kBool:
      return {arrow::Type::Bool, arrow::CreateBool(builder).Union()};
    case TypeId::kInt64:
      return {arrow::Type::Int, arrow::CreateInt(builder, 64, true).Union()};
    case TypeId::kFloat64:
      return {arrow::Type::FloatingPoint,
              arrow::CreateFloatingPoint(builder, arrow::Precision::DOUBLE).Union()};
    case TypeId::kDecimal128:
      return {arrow::Type::Decimal,
              arrow::CreateDecimal(builder, type.precision, type.scale, 128).Union()};
    case TypeId::kDate32:
      return {arrow::Type::Date, arrow::CreateDate(builder, arrow::DateUnit::DAY).Union()};
    case TypeId::kTimestamp: {
      const auto zone =
          type.utc ? builder.CreateString("UTC") : flatbuffers::Offset<flatbuffers::String>();
      return {arrow::Type::Timestamp,
              arrow::CreateTimestamp(builder, arrow::TimeUnit::MICROSECOND, zone).Union()};
    }
    case TypeId::kUtf8:
      return {arrow::Type::Utf8, arrow::CreateUtf8(builder).Union()};
    case TypeId::kBinary:
      return {arrow::Type::Binary, arrow::CreateBinary(builder).Union()};
  }
  SLUICE_CHECK(false);
}

flatbuffers::Offset<arrow::Schema> WriteSchema(const Schema& schema,
                                               flatbuffers::FlatBufferBuilder& builder) {
  std::vector<flatbuffers::Offset<arrow::Field>> fields;
  fields.reserve(schema.size());
  for (const Field& field : schema.fields()) {
    const auto name = builder.CreateString(field.name);
    const ArrowType type = WriteType(field.type, builder);
    // Readers want the list of children, empty as it is.
    const auto children = builder.CreateVector(std::vector<flatbuffers::Offset<arrow::Field>>());
    fields.push_back(arrow::CreateField(builder, name, field.nullable, type.id, type.table,
                                        /*dictionary=*/0, children));
  }
  return arrow::CreateSchema(builder, arrow::Endianness::Little, builder.CreateVector(fields));
}

// Mark, length, metadata, padding.
std::string Encapsulated(flatbuffers::FlatBufferBuilder& builder, arrow::MessageHeader kind,
                         flatbuffers::Offset<void> header, int64_t body_bytes) {
  builder.Finish(
      arrow::CreateMessage(builder, arrow::MetadataVersion::V5, kind, header, body_bytes));
  const auto size = static_cast<int64_t>(builder.GetSize());
  const std::string_view padding = PaddingOf(size);
  std::string out;
  out.reserve(16 + builder.GetSize());
  out.append(kArrowContinuation);
  AppendInt32(static_cast<int32_t>(builder.GetSize() + padding.size()), out);
  out.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  out.append(padding);
  return out;
}

// Gathers a body's buffers and where they stand.
class BodyWriter {
 public:
  explicit BodyWriter(ArrowMessage& message) : message_(message) {}

  void Add(std::string_view bytes) {
    const auto size = static_cast<int64_t>(bytes.size());
    buffers_.emplace_back(message_.body_bytes, size);
    Append(bytes);
    Append(PaddingOf(size));
  }
  void Add(const Buffer& buffer) {
    if (buffer == nullptr) return Add(std::string_view());
    Add({reinterpret_cast<const char*>(buffer->data()), buffer->size()});
  }
  void AddColumn(const Column& column) {
    const TypeId id = column.type().id;
    nodes_.emplace_back(column.length(), column.null_count());
    Add(column.null_count() > 0 ? column.validity() : nullptr);
    if (id == TypeId::kUtf8 || id == TypeId::kBinary) {
      if (column.length() == 0) {
        Add({kArrowZeroOffset.data(), kArrowZeroOffset.size()});
      } else {
        Add(column.offsets());
      }
    }
    Add(column.data());
  }
  const std::vector<arrow::FieldNode>& nodes() const { return nodes_; }
  const std::vector<arrow::Buffer>& buffers() const { return buffers_; }

 private:
  void Append(std::string_view bytes) {
    if (bytes.empty()) return;
    message_.body.push_back(bytes);
    message_.body_bytes += static_cast<int64_t>(bytes.size());
  }

  ArrowMessage& message_;
  std::vector<arrow::FieldNode> nodes_;
  std::vector<arrow::Buffer> buffers_;
};

}  // namespace

std::string EncodeArrowSchema(const Schema& schema) {
  flatbuffers::FlatBufferBuilder builder;
  const auto written = WriteSchema(schema, builder);
  return Encapsulated(builder, arrow::MessageHeader::Schema, written.Union(), 0);
}

ArrowMessage EncodeArrowBatch(const RecordBatch& batch) {
  ArrowMessage message;
  BodyWriter body(message);
  for (const Column& column : batch.columns()) body.AddColumn(column);
  flatbuffers::FlatBufferBuilder builder;
  // A list of structs that is empty would stand at no multiple of 8, so it is left out.
  flatbuffers::Offset<flatbuffers::Vector<const arrow::FieldNode*>> nodes;
  flatbuffers::Offset<flatbuffers::Vector<const arrow::Buffer*>> buffers;
  if (!batch.columns().empty()) {
    nodes = builder.CreateVectorOfStructs(body.nodes());
    buffers = builder.CreateVectorOfStructs(body.buffers());
  }
  const auto header = arrow::CreateRecordBatch(builder, batch.rows(), nodes, buffers);
  message.metadata =
      Encapsulated(builder, arrow::MessageHeader::RecordBatch, header.Union(), message.body_bytes);
  return message;
}

void AppendArrowSchema(const Schema& schema, std::string& out) {
  out.append(EncodeArrowSchema(schema));
}

void AppendArrowBatch(const RecordBatch& batch, std::string& out) {
  const ArrowMessage message = EncodeArrowBatch(batch);
  out.reserve(out.size() + static_cast<size_t>(message.bytes()));
  out.append(message.metadata);
  for (const std::string_view bytes : message.body) out.append(bytes);
}

void AppendArrowEnd(std::string& out) {
  out.append(kArrowContinuation);
  AppendInt32(0, out);
}

std::string ArrowFileWriter::Begin() {
  std::string out(kArrowMagic);
  out.append(2, '\0');
  AppendArrowSchema(*schema_, out);
  written_ = static_cast<int64_t>(out.size());
  return out;
}

std::string ArrowFileWriter::Batch(const RecordBatch& batch) {
  const ArrowMessage message = EncodeArrowBatch(batch);
  batches_.push_back({written_, message.body_bytes, static_cast<int32_t>(message.metadata.size())});
  written_ += message.bytes();
  std::string out;
  out.reserve(static_cast<size_t>(message.bytes()));
  out.append(message.metadata);
  for (const std::string_view bytes : message.body) out.append(bytes);
  return out;
}

std::string ArrowFileWriter::End() {
  std::string out;
  AppendArrowEnd(out);
  flatbuffers::FlatBufferBuilder builder;
  const auto schema = WriteSchema(*schema_, builder);
  std::vector<arrow::Block> blocks;
  blocks.reserve(batches_.size());
  for (const Place& place : batches_)
    blocks.emplace_back(place.offset, place.metadata_bytes, place.body_bytes);
  flatbuffers::Offset<flatbuffers::Vector<const arrow::Block*>> places;
  if (!blocks.empty()) places = builder.CreateVectorOfStructs(blocks);
  builder.Finish(arrow::CreateFooter(builder, arrow::MetadataVersion::V5, schema,
                                     /*dictionaries=*/0, places));
  out.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  AppendInt32(static_cast<int32_t>(builder.GetSize()), out);
  out.append(kArrowMagic);
  return out;
}

}  // namespace sluice::records
