#include "gateway/exchange/stream_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gateway/base/cases_testing.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

using records::RowTextWriter;
using testing::ElementsAre;

records::RecordBatch Texts(const std::vector<std::string>& texts) {
  const records::DataType utf8{.id = records::TypeId::kUtf8};
  records::ColumnBuilder builder(utf8);
  for (const std::string& text : texts) builder.AppendBytes(text);
  auto schema =
      std::make_shared<const records::Schema>(std::vector<records::Field>{{"text", utf8, true}});
  return records::RecordBatch(schema, {builder.Finish()}, static_cast<int64_t>(texts.size()));
}

std::vector<StreamBatch> Make(const std::vector<std::string>& texts, RowTextWriter::Format format,
                              size_t most_bytes, absl::Status* status = nullptr) {
  const records::RecordBatch rows = Texts(texts);
  BatchMaker maker(format, *rows.schema(), most_bytes);
  std::vector<StreamBatch> done;
  for (int64_t row = 0; row < rows.rows(); ++row) {
    const absl::Status added = maker.Add(rows, row, {}, done);
    if (status != nullptr) status->Update(added);
  }
  maker.Finish(done);
  return done;
}

TEST(BatchMakerTest, ARowThatWouldMakeABatchTooLargeBeginsTheNext) {
  const auto batches = Make({std::string(60, 'a'), std::string(60, 'b')},
                            RowTextWriter::Format::kCsv, /*most_bytes=*/100);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].payload, "text\r\n" + std::string(60, 'a') + "\r\n");
  EXPECT_EQ(batches[1].payload, std::string(60, 'b') + "\r\n");
  EXPECT_EQ(batches[1].rows, 1);
}

TEST(BatchMakerTest, ARowThatFitsNoMessageIsRefused) {
  absl::Status status;
  Make({std::string(200, 'a')}, RowTextWriter::Format::kJsonLines, 100, &status);
  EXPECT_EQ(ReasonOf(status), v1::REASON_ROW_TOO_LARGE);
}

TEST(BatchMakerTest, ABatchIsCompleteByRowsOrBytes) {
  const auto many =
      Make(std::vector<std::string>(5000, "x"), RowTextWriter::Format::kJsonLines, 1 << 20);
  ASSERT_EQ(many.size(), 3u);
  EXPECT_EQ(many[0].rows, kBatchRows);
  EXPECT_EQ(many[2].rows, 5000 - 2 * kBatchRows);
  const auto large = Make(std::vector<std::string>(5, std::string(150'000, 'x')),
                          RowTextWriter::Format::kJsonLines, 1 << 20);
  ASSERT_EQ(large.size(), 3u);
  EXPECT_EQ(large[0].rows, 2);
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
  roots.push_back(HexEncode(AsBytes(totals.digest())));
  for (const std::string& line : blocks[0]) {
    StreamBatch batch;
    batch.payload = absl::StrReplaceAll(line, {{"\\n", "\n"}});
    batch.digest = Sha256(batch.payload);
    batch.rows = static_cast<int64_t>(std::count(batch.payload.begin(), batch.payload.end(), '\n'));
    totals.Add(batch);
    digests.push_back(HexEncode(AsBytes(batch.digest)));
    roots.push_back(HexEncode(AsBytes(totals.digest())));
  }
  EXPECT_EQ(digests, blocks[1]);
  EXPECT_EQ(roots, blocks[2]);
  EXPECT_THAT(totals.lengths(), ElementsAre(58, 29, 25));
  EXPECT_EQ(totals.rows(), 4);
  EXPECT_EQ(totals.bytes(), 112);
}

}  // namespace
}  // namespace sluice::exchange
