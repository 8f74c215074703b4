// The log's plain story on a file system in memory: append, sync, read back, prove, reopen.
#include "gateway/audit/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/audit/log_proofs.h"
#include "gateway/audit/log_testing.h"
#include "gateway/audit/receipts.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

using ::testing::HasSubstr;

class LogTest : public ::testing::Test {
 protected:
  LogTest() { EXPECT_TRUE(files_.CreateDirectories("/gw").ok()); }

  std::unique_ptr<Log> Open() {
    auto log = OpenLog(options_, files_, clock_, key_, &report_);
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() ? *std::move(log) : nullptr;
  }

  std::vector<std::string> Datasets(Log& log, uint64_t begin = 0) {
    std::vector<std::string> out;
    EXPECT_TRUE(log.Read(begin,
                         [&](const Log::Entry& entry) {
                           v1::AuditEnvelope envelope;
                           EXPECT_TRUE(envelope.ParseFromString(entry.record.envelope));
                           EXPECT_EQ(entry.index, begin + out.size());
                           out.push_back(envelope.dataset());
                           return true;
                         })
                    .ok());
    return out;
  }

  FakeFileSystem files_;
  FakeClock clock_;
  LogOptions options_ = TestLogOptions();
  SigningKey key_ = TestLogKey();
  RecoveryReport report_;
};

TEST_F(LogTest, WhatIsAppendedIsReadBackProvedAndThereAfterReopening) {
  std::string head;
  {
    auto log = Open();
    ASSERT_NE(log, nullptr);
    EXPECT_TRUE(report_.clean);
    for (int i = 0; i < 10; ++i) {
      const auto receipt =
          AppendOne(*log, MakeRecord(v1::RECORD_KIND_RELEASED, absl::StrCat(i), 100));
      ASSERT_TRUE(receipt.ok()) << receipt.status();
      EXPECT_EQ(receipt->index(), i);
      EXPECT_TRUE(VerifyReceipt(*receipt, TestLogVerifier()).ok());
    }
    EXPECT_EQ(log->size(), 10u);
    EXPECT_EQ(Datasets(*log).size(), 10u);
    EXPECT_EQ(Datasets(*log, 7), (std::vector<std::string>{"7", "8", "9"}));
    const auto signed_head = AskForHead(*log, clock_);
    ASSERT_TRUE(signed_head.ok()) << signed_head.status();
    head = *signed_head;
    for (uint64_t i = 0; i < 10; ++i) {
      const auto proof = log->Prove(i);
      ASSERT_TRUE(proof.ok()) << proof.status();
      const auto entry = log->ReadOne(i);
      ASSERT_TRUE(entry.ok());
      EXPECT_TRUE(VerifyTlogProof(*proof, entry->record.envelope, TestLogVerifier()).ok());
    }
    ASSERT_TRUE(AppendOne(*log, MakeRecord(v1::RECORD_KIND_STOPPED, "stop")).ok());
    EXPECT_TRUE(log->Close().ok());
  }
  auto log = Open();
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(report_.records, 11u);
  EXPECT_TRUE(report_.clean);
  EXPECT_EQ(report_.torn_bytes, 0u);
  ASSERT_TRUE(report_.head.has_value());
  EXPECT_EQ(report_.head->size, 11u);
  EXPECT_EQ(Datasets(*log).size(), 11u);
  ASSERT_TRUE(AppendOne(*log, MakeRecord(v1::RECORD_KIND_STARTED, "again")).ok());
  EXPECT_TRUE(log->Prove(3).ok());
}

TEST_F(LogTest, ProvesUnderOlderHeadsAndBetweenThem) {
  auto log = Open();
  std::vector<CosignedHead> heads;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(AppendOne(*log, MakeRecord(v1::RECORD_KIND_RELEASED, absl::StrCat(i))).ok());
    if (i % 100 != 99 && i > 2) continue;
    const auto note = AskForHead(*log, clock_);
    ASSERT_TRUE(note.ok());
    heads.push_back({*note, *VerifyCheckpoint(*note, TestLogVerifier())});
  }
  for (const CosignedHead& head : heads) {
    const auto proof = ProveUnder(*log, 0, head);
    ASSERT_TRUE(proof.ok()) << proof.status();
    EXPECT_TRUE(VerifyTlogProof(*proof, log->ReadOne(0)->record.envelope, TestLogVerifier()).ok());
    EXPECT_FALSE(ProveUnder(*log, head.checkpoint.size, head).ok());
    EXPECT_TRUE(ProveConsistency(*log, 0, head.checkpoint.size)->empty());
    for (const CosignedHead& older : heads) {
      if (older.checkpoint.size > head.checkpoint.size) break;
      const auto path = ProveConsistency(*log, older.checkpoint.size, head.checkpoint.size);
      ASSERT_TRUE(path.ok()) << path.status();
      EXPECT_TRUE(CheckConsistency(older.checkpoint.size, head.checkpoint.size,
                                   older.checkpoint.root, head.checkpoint.root, *path)
                      .ok());
    }
  }
  CosignedHead wrong = heads.back();
  wrong.checkpoint.root[0] ^= 1;
  EXPECT_EQ(ProveUnder(*log, 0, wrong).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(log->Close().ok());
}

}  // namespace
}  // namespace sluice::audit
