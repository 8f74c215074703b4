// What is written is read back, by pieces of any size; what is damaged is refused by its place, and
// nothing that comes in breaks the reader.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/records/arrow_generated.h"
#include "gateway/records/arrow_reader.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/records/batch_testing.h"
#include "gateway/records/text_writers.h"

namespace sluice::records {
namespace {

using ::testing::HasSubstr;

std::string ArrowStreamOf(const Schema& schema, const std::vector<RecordBatch>& batches) {
  std::string out;
  AppendArrowSchema(schema, out);
  for (const RecordBatch& batch : batches) AppendArrowBatch(batch, out);
  AppendArrowEnd(out);
  return out;
}

// In pieces of at most that many bytes.
ReadBytes InPieces(std::string_view text, size_t most) {
  return [read = ReadFrom(text), most](char* into, size_t count) {
    return read(into, std::min(count, most));
  };
}

struct ArrowRead {
  SchemaPtr schema;
  std::vector<RecordBatch> batches;
  bool whole = false;
};

absl::StatusOr<ArrowRead> ReadAll(ReadBytes read, const ArrowLimits& limits = {}) {
  SLUICE_ASSIGN_OR_RETURN(ArrowStreamReader reader,
                          ArrowStreamReader::Open(std::move(read), limits));
  ArrowRead all{.schema = reader.schema()};
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(std::optional<RecordBatch> batch, reader.Next());
    if (!batch) break;
    all.batches.push_back(*std::move(batch));
  }
  all.whole = reader.whole();
  return all;
}

std::string ErrorOf(std::string_view stream, const ArrowLimits& limits = {}) {
  const auto read = ReadAll(ReadFrom(stream), limits);
  EXPECT_FALSE(read.ok());
  EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << read.status();
  return std::string(read.status().message());
}

bool SameBuffer(const Buffer& left, const Buffer& right) {
  return left == nullptr || right == nullptr ? left == right : *left == *right;
}

void ExpectSame(const RecordBatch& left, const RecordBatch& right) {
  ASSERT_EQ(*left.schema(), *right.schema());
  ASSERT_EQ(left.rows(), right.rows());
  for (size_t i = 0; i < left.columns().size(); ++i) {
    EXPECT_EQ(left.column(i).null_count(), right.column(i).null_count()) << i;
    EXPECT_TRUE(SameBuffer(left.column(i).validity(), right.column(i).validity())) << i;
    EXPECT_TRUE(SameBuffer(left.column(i).offsets(), right.column(i).offsets())) << i;
    EXPECT_TRUE(SameBuffer(left.column(i).data(), right.column(i).data())) << i;
  }
}

TEST(Arrow, WhatIsWrittenIsReadBackInPiecesOfAnySize) {
  std::mt19937_64 random(20261126);
  for (const int64_t rows : {0, 1, 7, 8, 9, 64, 1000}) {
    const RecordBatch batch = RandomBatch(random, rows);
    const RecordBatch other = RandomBatch(random, 3);
    const std::string stream = ArrowStreamOf(*batch.schema(), {batch, other, batch});
    EXPECT_EQ(stream.size() % 8, 0u);
    for (const size_t piece : {size_t{1}, size_t{13}, size_t{4096}, stream.size()}) {
      const auto read = ReadAll(InPieces(stream, piece));
      ASSERT_TRUE(read.ok()) << read.status();
      ASSERT_EQ(read->batches.size(), 3u);
      ExpectSame(read->batches[0], batch);
      ExpectSame(read->batches[1], other);
      ExpectSame(read->batches[2], batch);
      EXPECT_TRUE(read->whole);
    }
  }
}

TEST(Arrow, ABatchsPiecesAreItsMessage) {
  std::mt19937_64 random(1);
  const RecordBatch batch = RandomBatch(random, 77);
  const ArrowMessage message = EncodeArrowBatch(batch);
  EXPECT_EQ(message.metadata.size() % 8, 0u);
  std::string joined = message.metadata;
  for (const std::string_view bytes : message.body) joined.append(bytes);
  EXPECT_EQ(static_cast<int64_t>(joined.size()), message.bytes());
  std::string appended;
  AppendArrowBatch(batch, appended);
  EXPECT_EQ(joined, appended);
  // Large buffers are not copied: they are pieces of their own.
  const auto* data = reinterpret_cast<const char*>(batch.column(1).data()->data());
  EXPECT_TRUE(std::any_of(message.body.begin(), message.body.end(),
                          [data](std::string_view piece) { return piece.data() == data; }));
  const auto decoded = DecodeArrowBatch(std::string_view(message.metadata).substr(8),
                                        joined.substr(message.metadata.size()), batch.schema(), {});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ExpectSame(*decoded, batch);
}

TEST(Arrow, AStreamWithoutColumnsOrBatches) {
  const auto none = std::make_shared<const Schema>(std::vector<Field>());
  const auto empty = ReadAll(ReadFrom(ArrowStreamOf(*none, {})));
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_EQ(empty->schema->size(), 0u);
  const auto rows = ReadAll(ReadFrom(ArrowStreamOf(*none, {RecordBatch(none, {}, 5)})));
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->batches[0].rows(), 5);
}

// Two streams that another implementation wrote (npm apache-arrow 21.2.0): a column of int64 and
// one of utf8, with longer padding than ours.
constexpr char kNumbers[] =
    "ffffffff800000001000000000000a0010000e00070008000a000000000000011000000000000400080008000000"
    "0400080000000400000001000000140000001000180004000b001300140000000c00100000001400000000000001"
    "14000000000000021800000001000000610000000000000008000c0008000700080000000000000140000000ffff"
    "ffff8800000014000000000000000c00160014000f00100004000c00000058000000000000000000000310000000"
    "04000a0018000c00080004000a000000140000003800000003000000000000000000000002000000000000000000"
    "00004000000000000000400000000000000018000000000000000000000001000000030000000000000001000000"
    "00000000050000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000010000000000000000000000000000000300000000000000"
    "ffffffff00000000";
constexpr char kTexts[] =
    "ffffffff780000001000000000000a0010000e00070008000a000000000000011000000000000400080008000000"
    "0400080000000400000001000000140000001000180004000b001300140000000c00100000001400000000000001"
    "140000000000000514000000010000007300000000000000040004000400000000000000ffffffff980000001400"
    "0000000000000c00160014000f00100004000c0000005800000000000000000000031000000004000a0018000c00"
    "080004000a0000001400000048000000030000000000000000000000030000000000000000000000400000000000"
    "00004000000000000000100000000000000050000000000000000800000000000000000000000100000003000000"
    "00000000010000000000000005000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000020000000200000002000000"
    "6869000000000000ffffffff00000000";

TEST(Arrow, ReadsWhatAnotherImplementationWrote) {
  const auto numbers = ReadAll(ReadFrom(absl::HexStringToBytes(kNumbers)));
  ASSERT_TRUE(numbers.ok()) << numbers.status();
  EXPECT_EQ(numbers->schema->field(0), (Field{.name = "a", .type = {.id = TypeId::kInt64}}));
  ASSERT_EQ(numbers->batches.size(), 1u);
  std::string lines;
  AppendJsonLines(numbers->batches[0], lines);
  EXPECT_EQ(lines, "{\"a\":1}\n{\"a\":null}\n{\"a\":3}\n");

  const auto texts = ReadAll(ReadFrom(absl::HexStringToBytes(kTexts)));
  ASSERT_TRUE(texts.ok()) << texts.status();
  ASSERT_EQ(texts->batches.size(), 1u);
  lines.clear();
  AppendJsonLines(texts->batches[0], lines);
  EXPECT_EQ(lines, "{\"s\":\"hi\"}\n{\"s\":null}\n{\"s\":\"\"}\n");
}

TEST(Arrow, ACutStreamIsAnErrorOrIsNotWhole) {
  std::mt19937_64 random(2);
  const RecordBatch batch = RandomBatch(random, 5);
  const std::string stream = ArrowStreamOf(*batch.schema(), {batch, batch});
  const size_t schema = EncodeArrowSchema(*batch.schema()).size();
  const auto one = static_cast<size_t>(EncodeArrowBatch(batch).bytes());
  for (size_t size = 0; size < stream.size(); ++size) {
    const auto read = ReadAll(ReadFrom(std::string_view(stream).substr(0, size)));
    const bool between = size == schema || size == schema + one || size == schema + 2 * one;
    ASSERT_EQ(read.ok(), between) << size;
    if (between) {
      EXPECT_FALSE(read->whole);
    } else {
      EXPECT_THAT(std::string(read.status().message()), HasSubstr("the stream "));
    }
  }
}

TEST(Arrow, NothingMayFollowTheEnd) {
  std::string stream = absl::HexStringToBytes(kNumbers) + "x";
  EXPECT_THAT(ErrorOf(stream), HasSubstr("goes on behind its end"));
}

TEST(Arrow, AFrameThatIsNoneIsNamed) {
  const std::string sound = absl::HexStringToBytes(kNumbers);
  const struct {
    size_t at;
    std::string bytes, told;
  } damages[] = {
      {0, "\x01", "Arrow message 1: it does not begin with FF FF FF FF."},
      {4, std::string("\xFC\xFF\xFF\xFF", 4), "Arrow message 1: its metadata's length."},
      {4, std::string("\x04\0\0\0", 4), "Arrow message 1: its metadata's length."},
      {140, std::string("\0\0\0\x7F", 4), "Arrow message 2: its metadata's length."},
      {8, std::string("\xFF\xFF\xFF\x7F", 4), "Arrow message 1: its metadata is damaged."},
  };
  for (const auto& damage : damages) {
    std::string stream = sound;
    stream.replace(damage.at, damage.bytes.size(), damage.bytes);
    EXPECT_EQ(ErrorOf(stream), damage.told);
  }
}

// A batch as nobody should write it, under a sound schema of one column.
struct ForgedBatch {
  DataType type{.id = TypeId::kInt64};
  bool nullable = true;
  int64_t rows = 3;
  std::vector<arrow::FieldNode> nodes{{3, 1}};
  std::vector<arrow::Buffer> buffers{{0, 1}, {8, 24}};
  std::string body = std::string("\5\0\0\0\0\0\0\0", 8) + std::string(24, 'v');
  int64_t body_length = -1;  // the body's own
  bool compressed = false;
  arrow::MetadataVersion version = arrow::MetadataVersion::V5;

  std::string Stream() const {
    std::string out;
    AppendArrowSchema(Schema({{.name = "c", .type = type, .nullable = nullable}}), out);
    flatbuffers::FlatBufferBuilder builder;
    const auto node_list = builder.CreateVectorOfStructs(nodes);
    const auto buffer_list = builder.CreateVectorOfStructs(buffers);
    const auto compression = compressed ? arrow::CreateBodyCompression(builder)
                                        : flatbuffers::Offset<arrow::BodyCompression>();
    const auto header =
        arrow::CreateRecordBatch(builder, rows, node_list, buffer_list, compression);
    builder.Finish(
        arrow::CreateMessage(builder, version, arrow::MessageHeader::RecordBatch, header.Union(),
                             body_length < 0 ? static_cast<int64_t>(body.size()) : body_length));
    std::string metadata(reinterpret_cast<const char*>(builder.GetBufferPointer()),
                         builder.GetSize());
    metadata.resize((metadata.size() + 7) / 8 * 8);
    const auto length = static_cast<int32_t>(metadata.size());
    out.append("\xFF\xFF\xFF\xFF");
    out.append(reinterpret_cast<const char*>(&length), sizeof(length));
    return out + metadata + body;
  }
};

std::string Int32s(std::initializer_list<int32_t> values) {
  std::string out;
  for (const int32_t value : values) out.append(reinterpret_cast<const char*>(&value), 4);
  out.resize((out.size() + 7) / 8 * 8);
  return out;
}

// Three texts: validity at 0, offsets at 8, eight bytes of data at 24.
ForgedBatch ForgedTexts(std::initializer_list<int32_t> offsets, const std::string& data) {
  ForgedBatch forged;
  forged.type = {.id = TypeId::kUtf8};
  forged.buffers = {{0, 1}, {8, 16}, {24, 8}};
  forged.body = std::string("\5\0\0\0\0\0\0\0", 8) + Int32s(offsets) + data;
  return forged;
}

TEST(Arrow, WhatIsForgedSoundlyIsRead) {
  const auto numbers = ReadAll(ReadFrom(ForgedBatch().Stream()));
  ASSERT_TRUE(numbers.ok()) << numbers.status();
  const Column& column = numbers->batches[0].column(0);
  EXPECT_TRUE(column.IsNull(1));
  // What stood in the null's place is not kept.
  EXPECT_EQ(column.Int64(1), 0);
  EXPECT_NE(column.Int64(2), 0);
  const auto texts = ReadAll(ReadFrom(ForgedTexts({1, 3, 5, 8}, "0ab##xyz").Stream()));
  ASSERT_TRUE(texts.ok()) << texts.status();
  EXPECT_EQ(texts->batches[0].column(0).Bytes(0), "ab");
  EXPECT_EQ(texts->batches[0].column(0).Bytes(2), "xyz");
  // The first offset is 0, and the null has no bytes.
  EXPECT_EQ(texts->batches[0].column(0).data()->size(), 5u);
}

TEST(Arrow, EachMistakeInABatchIsNamed) {
  const auto with = [](const std::function<void(ForgedBatch&)>& change) {
    ForgedBatch forged;
    change(forged);
    return ErrorOf(forged.Stream());
  };
  const auto of_column = [](const char* told) {
    return absl::StrCat("Arrow message 2: column 1 (c): ", told, ".");
  };
  const auto of_batch = [](const char* told) {
    return absl::StrCat("Arrow message 2: ", told, ".");
  };

  EXPECT_EQ(with([](auto& f) { f.version = arrow::MetadataVersion::V3; }),
            of_batch("its version is neither 4 nor 5"));
  EXPECT_EQ(with([](auto& f) { f.compressed = true; }), of_batch("its body is compressed"));
  EXPECT_EQ(with([](auto& f) { f.rows = -1; }), of_batch("its number of rows is too large"));
  EXPECT_EQ(with([](auto& f) { f.rows = INT64_MAX; }), of_batch("its number of rows is too large"));
  EXPECT_EQ(with([](auto& f) { f.body_length = 12; }),
            of_batch("its body's length is no multiple of 8"));
  EXPECT_EQ(with([](auto& f) { f.body_length = int64_t{1} << 40; }),
            of_batch("its body is too large"));
  EXPECT_EQ(with([](auto& f) { f.body_length = 64 << 20; }),
            of_batch("the stream ends within its body"));
  EXPECT_EQ(with([](auto& f) { f.nodes.clear(); }),
            of_batch("its number of columns or of buffers is not the schema's"));
  EXPECT_EQ(with([](auto& f) { f.buffers.pop_back(); }),
            of_batch("its number of columns or of buffers is not the schema's"));

  EXPECT_EQ(with([](auto& f) { f.rows = 2; }), of_column("its length is not the batch's"));
  EXPECT_EQ(with([](auto& f) { f.nodes = {{3, 4}}; }), of_column("it says 4 nulls of 3 rows"));
  EXPECT_EQ(with([](auto& f) { f.nodes = {{3, -1}}; }), of_column("it says -1 nulls of 3 rows"));
  EXPECT_EQ(with([](auto& f) { f.nullable = false; }), of_column("it has nulls and must not"));
  EXPECT_EQ(with([](auto& f) {
              f.nodes = {{3, 2}};
            }),
            of_column("its number of nulls is not its validity's"));
  EXPECT_EQ(with([](auto& f) { f.buffers[0] = {0, 0}; }), of_column("its validity is too short"));
  EXPECT_EQ(with([](auto& f) { f.buffers[1] = {8, 23}; }), of_column("its values are too short"));
  for (const arrow::Buffer& outside :
       {arrow::Buffer(8, 32), arrow::Buffer(-8, 24), arrow::Buffer(40, 24), arrow::Buffer(8, -1),
        arrow::Buffer(INT64_MAX - 7, 24), arrow::Buffer(8, INT64_MAX)})
    EXPECT_EQ(with([&](auto& f) { f.buffers[1] = outside; }),
              of_column("a buffer lies outside of the body"));
  EXPECT_EQ(with([](auto& f) {
              f.buffers[1] = {4, 24};
            }),
            of_column("a buffer begins at no multiple of 8"));
  EXPECT_EQ(with([](auto& f) {
              f.buffers[1] = {0, 24};
            }),
            of_column("a buffer lies over another one"));
  EXPECT_EQ(with([](auto& f) {
              f.type = {.id = TypeId::kDecimal128, .precision = 5, .scale = 2};
              f.rows = 1;
              f.nodes = {{1, 0}};
              f.buffers = {{0, 0}, {8, 16}};
            }),
            of_column("row 1 has more digits than 5"));
}

TEST(Arrow, EachMistakeInTextsIsNamed) {
  const auto told = [](std::initializer_list<int32_t> offsets, const std::string& data) {
    return ErrorOf(ForgedTexts(offsets, data).Stream());
  };
  const std::string place = "Arrow message 2: column 1 (c): ";
  EXPECT_EQ(told({0, 2, 2, 9}, "abcdefgh"), place + "row 3 lies outside of the values.");
  EXPECT_EQ(told({-1, 2, 2, 3}, "abcdefgh"), place + "row 1 lies outside of the values.");
  EXPECT_EQ(told({0, 4, 2, 3}, "abcdefgh"), place + "row 2 lies outside of the values.");
  // Also across a null.
  EXPECT_EQ(told({0, 1, 9, 9}, "abcdefgh"), place + "row 2 lies outside of the values.");
  // Each value alone is UTF-8, not all of them together.
  EXPECT_EQ(told({0, 1, 1, 3}, "\xE5\x8C\x97zzzzz"), place + "row 1 is not UTF-8.");
  ForgedBatch forged = ForgedTexts({0, 1, 1}, "abcdefgh");
  forged.buffers[1] = {8, 12};
  EXPECT_EQ(ErrorOf(forged.Stream()), place + "its offsets are too short.");
}

// A schema of one field of this type.
std::string ForgedSchema(
    arrow::Type kind,
    const std::function<flatbuffers::Offset<void>(flatbuffers::FlatBufferBuilder&)>& type,
    arrow::Endianness endianness = arrow::Endianness::Little) {
  flatbuffers::FlatBufferBuilder builder;
  const auto name = builder.CreateString("c");
  const auto field = arrow::CreateField(builder, name, true, kind, type(builder));
  const auto schema = arrow::CreateSchema(
      builder, endianness,
      builder.CreateVector(std::vector<flatbuffers::Offset<arrow::Field>>{field}));
  builder.Finish(arrow::CreateMessage(builder, arrow::MetadataVersion::V5,
                                      arrow::MessageHeader::Schema, schema.Union()));
  std::string metadata(reinterpret_cast<const char*>(builder.GetBufferPointer()),
                       builder.GetSize());
  metadata.resize((metadata.size() + 7) / 8 * 8);
  const auto length = static_cast<int32_t>(metadata.size());
  std::string out = "\xFF\xFF\xFF\xFF";
  out.append(reinterpret_cast<const char*>(&length), sizeof(length));
  return out + metadata;
}

TEST(Arrow, ATypeThatIsNotSupportedIsNamed) {
  using Builder = flatbuffers::FlatBufferBuilder;
  const auto told = [](const std::string& stream) {
    const std::string error = ErrorOf(stream);
    const std::string before = "Arrow message 1: column 1 (c): its type is ";
    const std::string after = ", which is not supported.";
    EXPECT_THAT(error, ::testing::StartsWith(before));
    EXPECT_THAT(error, ::testing::EndsWith(after));
    return error.substr(before.size(), error.size() - before.size() - after.size());
  };
  EXPECT_EQ(told(ForgedSchema(arrow::Type::Int,
                              [](Builder& b) { return arrow::CreateInt(b, 32, true).Union(); })),
            "int32");
  EXPECT_EQ(told(ForgedSchema(arrow::Type::Int,
                              [](Builder& b) { return arrow::CreateInt(b, 64, false).Union(); })),
            "uint64");
  EXPECT_EQ(
      told(ForgedSchema(arrow::Type::FloatingPoint,
                        [](Builder& b) {
                          return arrow::CreateFloatingPoint(b, arrow::Precision::SINGLE).Union();
                        })),
      "float32");
  EXPECT_EQ(
      told(ForgedSchema(arrow::Type::Decimal,
                        [](Builder& b) { return arrow::CreateDecimal(b, 76, 2, 256).Union(); })),
      "decimal256");
  EXPECT_EQ(told(ForgedSchema(arrow::Type::Decimal,
                              [](Builder& b) { return arrow::CreateDecimal(b, 5, -2).Union(); })),
            "decimal128(5,-2)");
  EXPECT_EQ(told(ForgedSchema(arrow::Type::Date,
                              [](Builder& b) { return arrow::CreateDate(b).Union(); })),
            "date64");
  EXPECT_EQ(
      told(ForgedSchema(arrow::Type::Timestamp,
                        [](Builder& b) {
                          return arrow::CreateTimestamp(b, arrow::TimeUnit::NANOSECOND).Union();
                        })),
      "timestamp(ns)");
  // Kinds that the metadata's description does not have here.
  EXPECT_EQ(told(ForgedSchema(static_cast<arrow::Type>(12),
                              [](Builder& b) { return arrow::CreateBool(b).Union(); })),
            "list");
  EXPECT_EQ(told(ForgedSchema(static_cast<arrow::Type>(99),
                              [](Builder& b) { return arrow::CreateBool(b).Union(); })),
            "type 99");
  EXPECT_EQ(
      ErrorOf(ForgedSchema(arrow::Type::Int, [](Builder&) { return flatbuffers::Offset<void>(); })),
      "Arrow message 1: column 1 (c): its type is missing.");
  EXPECT_EQ(ErrorOf(ForgedSchema(
                arrow::Type::Bool, [](Builder& b) { return arrow::CreateBool(b).Union(); },
                arrow::Endianness::Big)),
            "Arrow message 1: it is not little-endian.");
}

TEST(Arrow, ATimestampOfAnyZoneIsAnInstant) {
  for (const char* zone : {"UTC", "+00:00", "Asia/Shanghai"}) {
    const auto read = ReadAll(ReadFrom(ForgedSchema(arrow::Type::Timestamp, [zone](auto& b) {
      const auto name = b.CreateString(zone);
      return arrow::CreateTimestamp(b, arrow::TimeUnit::MICROSECOND, name).Union();
    })));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(read->schema->field(0).type.utc);
  }
}

TEST(Arrow, LimitsHold) {
  std::mt19937_64 random(3);
  const RecordBatch batch = RandomBatch(random, 100);
  const std::string stream = ArrowStreamOf(*batch.schema(), {batch});
  EXPECT_THAT(ErrorOf(stream, {.metadata_bytes = 64}), HasSubstr("its metadata's length"));
  EXPECT_THAT(ErrorOf(stream, {.body_bytes = 64}), HasSubstr("its body is too large"));
  EXPECT_THAT(ErrorOf(stream, {.columns = 3}), HasSubstr("3 are the most"));
  EXPECT_THAT(ErrorOf(stream, {.name_bytes = 8}), HasSubstr("names of its fields are too long"));
  EXPECT_THAT(ErrorOf(stream, {.rows = 99}), HasSubstr("its number of rows is too large"));
}

TEST(Arrow, WhatTheSourceOfBytesSaysIsHandedOn) {
  const auto read =
      ReadAll([](char*, size_t) -> absl::StatusOr<size_t> { return absl::DataLossError("torn"); });
  EXPECT_EQ(read.status(), absl::DataLossError("torn"));
}

// Whatever the bytes: an answer, and with the sanitizers nothing touched that is not the reader's.
TEST(Arrow, MutatedStreamsAreReadOrRefused) {
  std::mt19937_64 random(4);
  const RecordBatch batch = RandomBatch(random, 20);
  const std::string streams[] = {ArrowStreamOf(*batch.schema(), {batch, batch}),
                                 absl::HexStringToBytes(kNumbers), absl::HexStringToBytes(kTexts)};
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string stream = streams[round % 3];
    for (uint64_t changes = 1 + random() % 4; changes > 0; --changes)
      stream[random() % stream.size()] = static_cast<char>(random() % 3 == 0 ? 0xFF : random());
    if (random() % 8 == 0) stream.resize(random() % stream.size());
    const auto read = ReadAll(ReadFrom(stream));
    if (!read.ok()) {
      ASSERT_TRUE(absl::IsInvalidArgument(read.status())) << read.status();
      ++refused;
      continue;
    }
    std::string text;
    for (const RecordBatch& one : read->batches) AppendJsonLines(one, text);
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace sluice::records
