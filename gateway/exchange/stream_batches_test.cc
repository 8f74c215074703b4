#include "gateway/exchange/stream_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gateway/base/cases_testing.h"
#include "gateway/base/error.h"
#include "gateway/records/arrow_reader.h"
#include "gateway/records/arrow_writer.h"

namespace sluice::exchange {
namespace {

using testing::ElementsAre;

constexpr std::string_view kArrow = records::kArrowStreamMediaType;

records::RecordBatch Texts(const std::vector<std::string>& texts) {
  const records::DataType utf8{.id = records::TypeId::kUtf8};
  records::ColumnBuilder builder(utf8);
  for (const std::string& text : texts) builder.AppendBytes(text);
  auto schema =
      std::make_shared<const records::Schema>(std::vector<records::Field>{{"text", utf8, true}});
  return records::RecordBatch(schema, {builder.Finish()}, static_cast<int64_t>(texts.size()));
}

std::vector<StreamBatch> Make(const std::vector<std::string>& texts, std::string_view media_type,
                              size_t most_bytes, absl::Status* status = nullptr) {
  const records::RecordBatch rows = Texts(texts);
  const auto maker = MakeBatchMaker(media_type, rows.schema(), most_bytes, /*continued=*/false);
  std::vector<StreamBatch> done;
  const absl::Status added = maker->Add(rows, {}, done);
  if (status != nullptr) status->Update(added);
  maker->Finish(/*whole=*/true, done);
  return done;
}

TEST(BatchMakerTest, ARowThatWouldMakeABatchTooLargeBeginsTheNext) {
  const auto batches =
      Make({std::string(60, 'a'), std::string(60, 'b')}, kCsvMediaType, /*most_bytes=*/100);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].payload.Joined(), "text\r\n" + std::string(60, 'a') + "\r\n");
  EXPECT_EQ(batches[0].last_row, 0);
  EXPECT_EQ(batches[1].payload.Joined(), std::string(60, 'b') + "\r\n");
  EXPECT_EQ(batches[1].rows, 1);
}

TEST(BatchMakerTest, ARowThatFitsNoMessageIsRefused) {
  for (const std::string_view media_type : {kJsonLinesMediaType, kArrow}) {
    absl::Status status;
    Make({"a", std::string(2000, 'a')}, media_type, 1500, &status);
    EXPECT_EQ(ReasonOf(status), v1::REASON_ROW_TOO_LARGE);
  }
}

TEST(BatchMakerTest, ABatchIsCompleteByRowsOrBytes) {
  const auto many = Make(std::vector<std::string>(5000, "x"), kJsonLinesMediaType, 1 << 20);
  ASSERT_EQ(many.size(), 3u);
  EXPECT_EQ(many[0].rows, kBatchRows);
  EXPECT_EQ(many[2].rows, 5000 - 2 * kBatchRows);
  const auto large =
      Make(std::vector<std::string>(5, std::string(150'000, 'x')), kJsonLinesMediaType, 1 << 20);
  ASSERT_EQ(large.size(), 3u);
  EXPECT_EQ(large[0].rows, 2);
}

TEST(BatchMakerTest, ABatchOfArrowIsOneMessage) {
  const auto many = Make(std::vector<std::string>(20'000, "x"), kArrow, 1 << 20);
  ASSERT_EQ(many.size(), 5u);  // schema, three of rows, end mark
  EXPECT_EQ(many[0].rows, 0);
  EXPECT_EQ(many[1].rows, kArrowBatchRows);
  EXPECT_EQ(many[2].last_row, 2 * kArrowBatchRows - 1);
  EXPECT_EQ(many[3].rows, 20'000 - 2 * kArrowBatchRows);
  EXPECT_EQ(many[4].payload.size(), 8u);
  // The row with which a batch would be too large begins the next.
  const auto large = Make(std::vector<std::string>(3, std::string(400'000, 'x')), kArrow, 700'000);
  ASSERT_EQ(large.size(), 5u);
  EXPECT_EQ(large[1].rows, 1);
  for (const StreamBatch& batch : large) EXPECT_LE(batch.payload.size(), 700'000u);
}

TEST(BatchMakerTest, WhatIsCutOffHasNoEndMark) {
  const records::RecordBatch rows = Texts({"a"});
  const auto maker = MakeBatchMaker(kArrow, rows.schema(), 1 << 20, /*continued=*/false);
  std::vector<StreamBatch> done;
  ASSERT_TRUE(maker->Add(rows, {}, done).ok());
  maker->Finish(/*whole=*/false, done);
  EXPECT_EQ(done.size(), 2u);
}

// Rows of many types and lengths, nulls among them.
records::RecordBatch Various(int64_t first, int64_t count) {
  using records::DataType;
  using records::TypeId;
  static const auto schema = std::make_shared<const records::Schema>(std::vector<records::Field>{
      {"number", DataType{.id = TypeId::kInt64}, false},
      {"text", DataType{.id = TypeId::kUtf8}, true},
      {"flag", DataType{.id = TypeId::kBool}, true},
      {"price", DataType{.id = TypeId::kDecimal128, .precision = 12, .scale = 2}, true}});
  std::vector<records::ColumnBuilder> builders;
  for (const records::Field& field : schema->fields()) builders.emplace_back(field.type);
  for (int64_t row = first; row < first + count; ++row) {
    builders[0].AppendInt64(row);
    if (row % 7 == 3) {
      for (size_t i = 1; i < builders.size(); ++i) builders[i].AppendNull();
      continue;
    }
    builders[1].AppendBytes(std::string(row * 37 % 211, static_cast<char>('a' + row % 26)));
    builders[2].AppendBool(row % 3 == 0);
    builders[3].AppendDecimal(row * 12345);
  }
  std::vector<records::Column> columns;
  for (records::ColumnBuilder& builder : builders) columns.push_back(builder.Finish());
  return records::RecordBatch(schema, std::move(columns), count);
}

std::vector<StreamBatch> MakeInPieces(std::string_view media_type, int64_t rows, int64_t piece) {
  const auto maker =
      MakeBatchMaker(media_type, Various(0, 0).schema(), 1 << 20, /*continued=*/false);
  std::vector<StreamBatch> done;
  for (int64_t row = 0; row < rows; row += piece)
    EXPECT_TRUE(maker->Add(Various(row, std::min(piece, rows - row)), {}, done).ok());
  maker->Finish(/*whole=*/true, done);
  return done;
}

TEST(BatchMakerTest, BordersFollowFromTheRowsAlone) {
  for (const std::string_view media_type : {kJsonLinesMediaType, kCsvMediaType, kArrow}) {
    const auto expected = MakeInPieces(media_type, 30'000, 30'000);
    ASSERT_GT(expected.size(), 4u);
    for (const int64_t piece : {1000, 4096, 8192, 16'384}) {
      const auto batches = MakeInPieces(media_type, 30'000, piece);
      ASSERT_EQ(batches.size(), expected.size()) << media_type << " " << piece;
      for (size_t i = 0; i < batches.size(); ++i) {
        EXPECT_EQ(batches[i].rows, expected[i].rows);
        EXPECT_EQ(batches[i].digest, expected[i].digest) << media_type << " " << piece << " " << i;
      }
    }
  }
}

TEST(BatchMakerTest, AllPayloadsOfArrowAreTheStream) {
  std::string all;
  for (const StreamBatch& batch : MakeInPieces(kArrow, 30'000, 999)) all += batch.payload.Joined();
  auto reader = records::ArrowStreamReader::Open(records::ReadFrom(all), {});
  ASSERT_TRUE(reader.ok()) << reader.status();
  int64_t rows = 0;
  for (;;) {
    auto batch = reader->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (!*batch) break;
    for (int64_t row = 0; row < (*batch)->rows(); ++row, ++rows) {
      ASSERT_EQ((*batch)->column(0).Int64(row), rows);
      ASSERT_EQ((*batch)->column(1).IsNull(row), rows % 7 == 3);
      if (rows % 7 == 3) continue;
      ASSERT_EQ((*batch)->column(1).Bytes(row).size(), static_cast<size_t>(rows * 37 % 211));
      ASSERT_EQ((*batch)->column(2).Bool(row), rows % 3 == 0);
    }
  }
  EXPECT_EQ(rows, 30'000);
  EXPECT_TRUE(reader->whole());
}

// The lines of each fenced block of a page of the documents.
std::vector<std::vector<std::string>> Blocks(const std::string& name) {
  const std::string text = ReadSourceFile("docs/formats/" + name);
  std::vector<std::vector<std::string>> blocks;
  const std::vector<std::string> parts = absl::StrSplit(text, "```\n");
  for (size_t i = 1; i < parts.size(); i += 2)
    blocks.push_back(absl::StrSplit(parts[i], '\n', absl::SkipEmpty()));
  return blocks;
}

// The example of docs/formats/stream.md, computed anew.
TEST(StreamTotalsTest, TheDocumentedExampleHolds) {
  const auto blocks = Blocks("stream.md");
  ASSERT_EQ(blocks.size(), 3u);
  std::vector<std::string> digests, roots;
  StreamTotals totals;
  BatchLengths lengths;
  roots.push_back(HexEncode(AsBytes(totals.digest())));
  for (const std::string& line : blocks[0]) {
    StreamBatch batch;
    const std::string text = absl::StrReplaceAll(line, {{"\\n", "\n"}});
    batch.payload = Pieces(text);
    batch.digest = Sha256(text);
    batch.rows = static_cast<int64_t>(std::count(text.begin(), text.end(), '\n'));
    totals.Add(batch);
    lengths.Add(batch);
    digests.push_back(HexEncode(AsBytes(batch.digest)));
    roots.push_back(HexEncode(AsBytes(totals.digest())));
  }
  EXPECT_EQ(digests, blocks[1]);
  EXPECT_EQ(roots, blocks[2]);
  EXPECT_THAT(lengths.list(), ElementsAre(58, 29, 25));
  EXPECT_EQ(totals.rows(), 4);
  EXPECT_EQ(totals.bytes(), 112);
}

}  // namespace
}  // namespace sluice::exchange
