// Batches as an adapter sends them, and what of a failure it never sends.
#include "gateway/rpc/adapter_scan.h"

#include <gtest/gtest.h>

#include <random>

#include "gateway/base/error.h"
#include "gateway/records/batch_testing.h"
#include "gateway/rpc/status.h"

namespace sluice::rpc {
namespace {

TEST(SplitBatchTest, PiecesJoinToTheWholeAndCellsStayWithTheirRows) {
  std::mt19937_64 random(7);
  const records::RecordBatch batch = records::RandomBatch(random, 1'000);
  std::vector<adapters::BadCell> cells;
  for (int64_t row = 0; row < batch.rows(); row += 37) cells.push_back({row, 1});
  const int64_t most = batch.bytes() / 5;
  int64_t rows = 0;
  std::vector<adapters::BadCell> joined;
  for (const BatchPiece& piece : SplitBatch(batch, cells, most)) {
    EXPECT_LE(piece.batch.bytes(), most);
    for (const adapters::BadCell& cell : piece.bad_cells)
      joined.push_back({cell.row + rows, cell.field});
    for (int64_t row = 0; row < piece.batch.rows(); ++row) {
      ASSERT_EQ(piece.batch.column(1).IsNull(row), batch.column(1).IsNull(rows + row));
      if (!piece.batch.column(1).IsNull(row)) {
        ASSERT_EQ(piece.batch.column(1).Int64(row), batch.column(1).Int64(rows + row));
      }
    }
    rows += piece.batch.rows();
  }
  EXPECT_EQ(rows, batch.rows());
  EXPECT_EQ(joined, cells);
}

TEST(SplitBatchTest, OneRowStaysWhole) {
  std::mt19937_64 random(7);
  const records::RecordBatch batch = records::RandomBatch(random, 2);
  EXPECT_EQ(SplitBatch(batch, {}, 1).size(), 2u);
}

TEST(StatusTest, AnOperatorsNoteStaysHere) {
  absl::Status status = Error(v1::REASON_SOURCE_UNAVAILABLE, "the source cannot be reached");
  AddOperatorNote(status, "host db3 is down");
  const grpc::Status told = ToGrpc(status);
  EXPECT_EQ(told.error_message(), "the source cannot be reached");
  EXPECT_EQ(told.error_details().find("db3"), std::string::npos);
  EXPECT_NE(told.error_details().find("SOURCE_UNAVAILABLE"), std::string::npos);
}

}  // namespace
}  // namespace sluice::rpc
