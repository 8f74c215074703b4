// Records that are none: left out and kept for their owner where that was asked for, whatever ends
// a record.
#include <functional>

#include "absl/strings/str_cat.h"
#include "adapters/copybook/copybook_adapter.h"
#include "adapters/files/files_testing.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::copybook {
namespace {

using files::Scanned;
using files::TestFolder;
using testing::ElementsAre;
using testing::HasSubstr;

class RejectedRecordsTest : public testing::Test {
 protected:
  // Columns A utf8 and, as a key where `by` says so, B int64.
  Scanned Read(const std::string& bytes, const Settings& settings, bool by = false,
               const std::function<void(ScanRequest&)>& change = {}) {
    folder_.Write("t.dat", bytes);
    beside_.Write("t.cob",
                  "01 R.\n 05 A PIC X(3).\n 05 B PIC 9(2).\n 05 N PIC 9.\n"
                  " 05 C PIC X OCCURS 0 TO 3 DEPENDING ON N.\n");
    Settings all = settings;
    all.insert({{"folder", folder_.path()},
                {"work_folder", beside_.path()},
                {"reject_folder", rejects_.path()},
                {"copybook", beside_.PathOf("t.cob")},
                {"copybook_format", "free"},
                {"encoding", "us-ascii"}});
    const auto adapter = OpenCopybook(all);
    if (!adapter.ok()) return {.status = adapter.status()};
    ScanRequest request;
    request.table = "t";
    request.fields = {{"A", {"A", {records::TypeId::kUtf8}}},
                      {"B", {"B", {records::TypeId::kInt64}, false}}};
    if (by) request.key = {1};
    request.on_bad_record = OnBadRecord::kRejectAndCount;
    if (change) change(request);
    return files::ScanShown(**adapter, request);
  }
  std::string Rejects() {
    const auto names = rejects_.Names();
    return names.size() == 1 ? rejects_.Read(names[0]) : absl::StrCat(names.size(), " files");
  }

  TestFolder folder_, beside_, rejects_;
};

std::string Word(const std::string& record) {
  return std::string(1, '\0') + static_cast<char>(record.size() + 4) + std::string(2, '\0') +
         record;
}

TEST_F(RejectedRecordsTest, BehindADescriptorWordTheNextOneIsKnown) {
  const std::string records = Word("abc120") + Word("short") + Word("def93xyz") + Word("ghi111x") +
                              Word("far too long a record") + Word("jkl050");
  const Scanned scanned = Read(records, {{"record_format", "rdw"}});
  EXPECT_TRUE(scanned.status.ok()) << scanned.status;
  EXPECT_THAT(scanned.rows, ElementsAre("abc|12", "ghi|11", "jkl|5"));
  EXPECT_EQ(scanned.version.rejected_records, 3);
  EXPECT_THAT(Rejects(), HasSubstr("\n2,10,\"table 't', record 2: its length is 5"));
  EXPECT_THAT(Rejects(), HasSubstr(",73686f7274\n"));
  EXPECT_THAT(Rejects(), HasSubstr("and the copybook describes 9 at most"));

  const Scanned sorted = Read(records, {{"record_format", "rdw"}}, true);
  EXPECT_THAT(sorted.rows, ElementsAre("jkl|5", "ghi|11", "abc|12"));
}

TEST_F(RejectedRecordsTest, InABlockRowsAreFoundBehindOnesThatAreNone) {
  std::string blocks;
  std::vector<std::string> expected;
  for (int block = 0; block < 30; ++block) {
    std::string records;
    for (int i = 0; i < 3; ++i) {
      const int value = (block * 3 + i) * 37 % 90 + 10;
      if (i == block % 3) records += Word("bad");
      records += Word(absl::StrCat("r", value, value, "0"));
      expected.push_back(absl::StrCat("r", value, "|", value));
    }
    blocks += Word(records);
  }
  const Settings settings = {{"record_format", "blocked"}};
  const Scanned scanned = Read(blocks, settings);
  EXPECT_TRUE(scanned.status.ok()) << scanned.status;
  EXPECT_EQ(scanned.rows, expected);
  EXPECT_EQ(scanned.version.rejected_records, 30);
  std::sort(expected.begin(), expected.end());
  const Scanned sorted = Read(blocks, settings, true);
  EXPECT_TRUE(sorted.status.ok()) << sorted.status;
  EXPECT_EQ(sorted.rows, expected);
  const Scanned one = Read(blocks, settings, true, [](ScanRequest& request) {
    request.predicate = records::Predicate{records::Op::kEqual, 1, {int64_t{47}}, {}};
  });
  EXPECT_THAT(one.rows, testing::Contains("r47|47"));
}

TEST_F(RejectedRecordsTest, LinesOfWrongLengthsAndNoKey) {
  const std::string junk(300'000, 'x');
  const Scanned scanned =
      Read("abc120\n" + junk + "\nxyz??0\ndef140\n", {{"record_format", "lines"}}, true);
  EXPECT_TRUE(scanned.status.ok()) << scanned.status;
  EXPECT_THAT(scanned.rows, ElementsAre("abc|12", "def|14"));
  EXPECT_EQ(scanned.version.rejected_records, 2);
  EXPECT_THAT(Rejects(), HasSubstr("a line of over 9 bytes"));
  EXPECT_LT(Rejects().size(), 10'000U);
}

TEST_F(RejectedRecordsTest, WhatHidesTheNextRecordStopsTheRead) {
  const Scanned word = Read(Word("abc120") + std::string("\0\x02\0\0", 4) + Word("def140"),
                            {{"record_format", "rdw"}});
  EXPECT_EQ(ReasonOf(word.status), v1::REASON_SOURCE_BAD_VALUE);
  const Scanned end =
      Read(Word("abc120") + std::string("\0\x20\0\0abc", 7), {{"record_format", "rdw"}});
  EXPECT_EQ(ReasonOf(end.status), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_TRUE(rejects_.Names().empty());
}

}  // namespace
}  // namespace sluice::adapters::copybook
