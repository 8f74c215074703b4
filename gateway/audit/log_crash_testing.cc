#include "gateway/audit/log_crash_testing.h"

#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/audit/receipts.h"
#include "gateway/base/sanitized_testing.h"

namespace sluice::audit {
namespace {

LogOptions StoryOptions() {
  LogOptions options = TestLogOptions();
  options.segment_bytes = 16 << 10;
  options.batch_records = 3;
  return options;
}

std::vector<SealedRecord> Records(v1::RecordKind kind, const std::string& name, size_t count,
                                  size_t detail) {
  std::vector<SealedRecord> records;
  for (size_t i = 0; i < count; ++i)
    records.push_back(MakeRecord(kind, absl::StrCat(name, i), detail));
  return records;
}

}  // namespace

Story::Story() : Story({{"/gw/other", ""}}, {}) {}

Story::Story(const std::map<std::string, std::string>& before,
             std::vector<std::string> acked_before)
    : files(std::make_unique<FakeFileSystem>(before)),
      acked(std::move(acked_before)),
      options(StoryOptions()) {}

void Story::Run(const std::vector<std::vector<SealedRecord>>& batches, bool head_between) {
  auto log = OpenLog(options, *files, clock_, TestLogKey(), nullptr);
  if (!log.ok()) return;
  for (const auto& batch : batches) {
    for (const auto& receipt : AppendAll(**log, batch)) {
      if (!receipt.ok()) continue;
      EXPECT_TRUE(VerifyReceipt(*receipt, TestLogVerifier()).ok());
      const auto index = static_cast<size_t>(receipt->index());
      if (acked.size() <= index) acked.resize(index + 1);
      acked[index] = receipt->envelope();
    }
    if (head_between) AskForHead(**log, clock_).status().IgnoreError();
  }
  (*log)->Close().IgnoreError();
}

size_t Story::Play() {
  Run({Records(v1::RECORD_KIND_STARTED, "start", 1, 0),
       Records(v1::RECORD_KIND_RELEASED, "first", 1, 600),
       Records(v1::RECORD_KIND_RELEASED, "row", 2, 300),
       Records(v1::RECORD_KIND_STOPPED, "stop", 1, 0)},
      true);
  Run({Records(v1::RECORD_KIND_STARTED, "again", 1, 0),
       Records(v1::RECORD_KIND_RELEASED, "last", 1, 900)},
      false);
  return files->Operations().size();
}

size_t Story::Reopen() {
  Run({Records(v1::RECORD_KIND_STARTED, "reopened", 1, 100)}, true);
  return files->Operations().size();
}

std::vector<size_t> Story::Changes() {
  Story whole;
  whole.Play();
  const auto operations = whole.files->Operations();
  std::vector<size_t> out;
  size_t changes = 0;
  for (size_t at = 0; at < operations.size(); ++at)
    if (operations[at].operation != FakeFileSystem::Operation::kRead && changes++ % kSweepStep == 0)
      out.push_back(at);
  return out;
}

size_t Story::LastSync() const {
  Story whole;
  whole.Play();
  const auto operations = whole.files->Operations();
  for (size_t at = operations.size(); at-- > 0;)
    if (operations[at].operation == FakeFileSystem::Operation::kSync &&
        operations[at].path.find("segments/") != std::string::npos)
      return at;
  return 0;
}

size_t Story::CheckEverySubset(const Subsets& subsets, const std::string& what) const {
  const auto units = files->Units();
  std::mt19937_64 random(subsets.seed);
  const bool all = units.size() <= subsets.exhaustive;
  const size_t count = all ? size_t{1} << units.size() : subsets.seeded + 2;
  for (size_t number = 0; number < count && !testing::Test::HasFailure(); ++number) {
    std::vector<bool> keep(units.size());
    for (size_t i = 0; i < units.size(); ++i) {
      if (all)
        keep[i] = (number >> i & 1) != 0;
      else
        keep[i] = number == 1 || (number > 1 && random() % 2 == 0);
    }
    std::string kept;
    for (size_t i = 0; i < units.size() && units.size() < 20; ++i)
      absl::StrAppend(&kept, keep[i] ? "\n  kept " : "\n  lost ", units[i]);
    const auto after = files->AfterCrash(keep);
    CheckSound(*after, absl::StrCat(what, ", subset ", number, kept));
  }
  return count;
}

void Story::CheckRestart(const std::string& what) {
  files->Inject({.at = UINT64_MAX});
  CheckSound(*files, absl::StrCat(what, ", restarted"));
  for (const bool keep : {false, true}) {
    const auto after = files->AfterCrash(std::vector<bool>(files->Units().size(), keep));
    CheckSound(*after, absl::StrCat(what, ", restarted, then power off, keep ", keep));
  }
}

void Story::CheckSound(FakeFileSystem& after, const std::string& what) const {
  SCOPED_TRACE(what);
  FakeClock clock;
  uint64_t recovered = 0;
  {
    RecoveryReport report;
    auto log = OpenLog(options, after, clock, TestLogKey(), &report);
    ASSERT_TRUE(log.ok()) << log.status();
    recovered = report.records;
    ASSERT_GE(recovered, acked.size());
    uint64_t read = 0;
    ASSERT_TRUE((*log)
                    ->Read(0,
                           [&](const Log::Entry& entry) {
                             EXPECT_EQ(entry.index, read);
                             if (read < acked.size() && !acked[read].empty()) {
                               EXPECT_EQ(entry.record.envelope, acked[read]);
                             }
                             v1::AuditEnvelope envelope;
                             EXPECT_TRUE(envelope.ParseFromString(entry.record.envelope));
                             EXPECT_EQ(envelope.sealed_digest(),
                                       AsBytes(Sha256(entry.record.sealed_detail)));
                             ++read;
                             return true;
                           })
                    .ok());
    ASSERT_EQ(read, recovered);
    const auto receipt = AppendOne(**log, MakeRecord(v1::RECORD_KIND_STARTED, "recovered", 50));
    ASSERT_TRUE(receipt.ok()) << receipt.status();
    EXPECT_EQ(static_cast<uint64_t>(receipt->index()), recovered);
    ASSERT_TRUE((*log)->Close().ok());
  }
  EXPECT_EQ(WhatIsBroken(after, options), "");
  auto log = OpenLog(options, after, clock, TestLogKey(), nullptr);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ((*log)->size(), recovered + 1);
}

}  // namespace sluice::audit
