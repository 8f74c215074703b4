// Files in their key's order that have more marks than memory holds: every row is found, and
// nothing else.
#include "absl/strings/str_cat.h"
#include "adapters/delimited/delimited_adapter.h"
#include "adapters/files/files_testing.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::delimited {
namespace {

using files::Scanned;
using records::Op;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kStock = 5'000;

class MarksTest : public testing::Test {
 protected:
  // Even numbers from 2 on, each with its own text.
  MarksTest() {
    std::string text = "id,name\n";
    for (int64_t i = 1; i <= kStock; ++i) absl::StrAppend(&text, 2 * i, ",n", i, "\n");
    folder_.Write("t.csv", text);
    auto opened = OpenDelimited({{"folder", folder_.path()}, {"work_folder", work_.path()}},
                                {.block_bytes = 4'096, .mark_bytes = 1'024, .mark_step = 64});
    EXPECT_TRUE(opened.ok()) << opened.status();
    adapter_ = *std::move(opened);
    request_.table = "t";
    request_.fields = {{"id", {"id", {records::TypeId::kInt64}, false}},
                       {"name", {"name", {records::TypeId::kUtf8}}}};
    request_.key = {0};
  }
  Scanned Where(Op op, int64_t value) {
    ScanRequest request = request_;
    request.predicate = records::Predicate{op, 0, {value}, {}};
    Scanned scanned = files::ScanShown(*adapter_, request);
    EXPECT_TRUE(scanned.status.ok()) << scanned.status;
    return scanned;
  }

  files::TestFolder folder_, work_;
  std::unique_ptr<Adapter> adapter_;
  ScanRequest request_;
};

TEST_F(MarksTest, EachKeyIsFoundAndNoneBetween) {
  for (int64_t i = 1; i <= kStock; i += i < 40 || i > kStock - 40 ? 1 : 37) {
    EXPECT_THAT(Where(Op::kEqual, 2 * i).rows, ElementsAre(absl::StrCat(2 * i, "|n", i)));
    EXPECT_THAT(Where(Op::kEqual, 2 * i + 1).rows, IsEmpty());
  }
  EXPECT_THAT(Where(Op::kEqual, 0).rows, IsEmpty());
  EXPECT_FALSE(files::OpenFilesUnder(work_.path()).empty()) << "the marks are on the disk";
}

TEST_F(MarksTest, RangesAndPositionsBeginWhereTheyDo) {
  for (const int64_t from : {int64_t{1}, int64_t{777}, kStock - 1, kStock}) {
    EXPECT_EQ(Where(Op::kGreaterOrEqual, 2 * from).rows.size(),
              static_cast<size_t>(kStock - from + 1));
    ScanRequest request = request_;
    request.after = KeyPosition{2 * from};
    const Scanned behind = files::ScanShown(*adapter_, request);
    ASSERT_EQ(behind.rows.size(), static_cast<size_t>(kStock - from));
    if (behind.rows.empty()) continue;
    EXPECT_EQ(behind.rows[0], absl::StrCat(2 * from + 2, "|n", from + 1));
  }
  EXPECT_EQ(files::ScanShown(*adapter_, request_).rows.size(), static_cast<size_t>(kStock));
}

// What stands behind a mark may be out of order: then all are sorted after all.
TEST_F(MarksTest, OneRowOutOfOrderAtTheEndIsFoundToo) {
  std::string text = "id,name\n";
  for (int64_t i = 1; i <= kStock; ++i) absl::StrAppend(&text, 2 * i, ",n", i, "\n");
  folder_.Write("t.csv", text + "1,last\n");
  EXPECT_THAT(Where(Op::kEqual, 1).rows, ElementsAre("1|last"));
  EXPECT_THAT(Where(Op::kEqual, 2 * kStock).rows, ElementsAre(absl::StrCat(2 * kStock, "|n5000")));
  folder_.Write("t.csv", text + absl::StrCat(2 * kStock, ",again\n"));
  const absl::Status twice = files::ScanShown(*adapter_, request_).status;
  EXPECT_EQ(ReasonOf(twice), v1::REASON_SCHEMA_DRIFT) << twice;
}

}  // namespace
}  // namespace sluice::adapters::delimited
