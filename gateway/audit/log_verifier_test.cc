// The verifier against a log of several segments, runs and heads, and against every way to change
// it.
#include "gateway/audit/log_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/audit/log_testing.h"
#include "gateway/audit/segment.h"
#include "gateway/base/sanitized_testing.h"

namespace sluice::audit {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using Folder = std::map<std::string, std::string>;

class LogVerifierTest : public ::testing::Test {
 protected:
  LogVerifierTest() {
    EXPECT_TRUE(files_.CreateDirectories("/gw").ok());
    options_.segment_bytes = 16 << 10;
  }

  std::unique_ptr<Log> Open() {
    auto log = OpenLog(options_, files_, clock_, TestLogKey(), nullptr);
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }
  void Append(Log& log, v1::RecordKind kind, size_t detail = 40) {
    EXPECT_TRUE(AppendOne(log, MakeRecord(kind, "d", detail)).ok());
    clock_.Advance(kSecond);
  }
  // A first run that stops cleanly, a second that dies, a third that stops.
  Folder MakeLog() {
    {
      auto log = Open();
      Append(*log, v1::RECORD_KIND_STARTED);
      Append(*log, v1::RECORD_KIND_RELEASED);
      EXPECT_TRUE(AskForHead(*log, clock_).ok());
      Append(*log, v1::RECORD_KIND_STOPPED);
      EXPECT_TRUE(log->Close().ok());
    }
    {
      auto log = Open();
      Append(*log, v1::RECORD_KIND_STARTED);
      Append(*log, v1::RECORD_KIND_RELEASED, 5000);
      EXPECT_TRUE(log->Close().ok());
    }
    auto log = Open();
    Append(*log, v1::RECORD_KIND_STARTED);
    Append(*log, v1::RECORD_KIND_STOPPED);
    EXPECT_TRUE(log->Close().ok());
    return LogFiles(files_);
  }
  static Folder LogFiles(const FakeFileSystem& files) {
    Folder folder = files.Files();
    std::erase_if(folder, [](const auto& file) { return !file.first.starts_with("/gw/audit/"); });
    return folder;
  }

  std::string Broken(const Folder& folder, LogBroken* broken = nullptr) {
    FakeFileSystem copy(folder);
    return WhatIsBroken(copy, options_, broken);
  }

  // Flips a bit in every step-th byte, one at a time; the number of bytes flipped.
  size_t FlipEvery(const Folder& folder, size_t step) {
    EXPECT_EQ(Broken(folder), "");
    size_t flips = 0;
    Folder changed = folder;
    for (auto& [path, content] : changed) {
      for (size_t at = 0; at < content.size(); at += step, ++flips) {
        const char flip = static_cast<char>(1 << (at % 8));
        content[at] ^= flip;
        EXPECT_NE(Broken(changed), "") << path << " at " << at;
        content[at] ^= flip;
      }
    }
    return flips;
  }

  FakeFileSystem files_;
  FakeClock clock_;
  LogOptions options_ = TestLogOptions();
};

TEST_F(LogVerifierTest, SaysWhatItFoundWhereAllHolds) {
  MakeLog();
  uint64_t done = 0, all = 0;
  const auto report = VerifyLog(options_.directory, TestLogVerifier(), files_, nullptr,
                                [&](uint64_t now, uint64_t of) { done = now, all = of; });
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->records, 7u);
  EXPECT_GT(done, 0u);
  EXPECT_LE(done, all);
  std::map<std::string, std::string> lines;
  for (const VerifyLine& line : report->lines) {
    lines[line.name] = line.finding;
    EXPECT_TRUE(line.ok) << line.name;
  }
  EXPECT_EQ(lines["batches"], "7 in 4 segments: length, checksum, epoch, order");
  EXPECT_EQ(lines["heads"], "4 signatures, each head consistent with the one before");
  EXPECT_EQ(lines["runs"], "3 starts, 2 clean stops, 1 crash after #4: no gap");
  EXPECT_EQ(lines["time"],
            "2026-09-21T14:13:20Z to 2026-09-21T15:13:26Z, clock synchronised, no step back");
}

TEST_F(LogVerifierTest, AClockThatStepsBackIsPointedOut) {
  auto log = Open();
  Append(*log, v1::RECORD_KIND_STARTED);
  clock_.Jump(-kMinute);
  clock_.SetState(ClockState::kUnsynchronised);
  Append(*log, v1::RECORD_KIND_STOPPED);
  ASSERT_TRUE(log->Close().ok());
  const auto report = VerifyLog(options_.directory, TestLogVerifier(), files_, nullptr, nullptr);
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->lines.back().ok);
  EXPECT_THAT(report->lines.back().finding,
              AllOf(HasSubstr("not known to be synchronised in 1 of 2 batches"),
                    HasSubstr("1 step back, the longest by 59000 ms at #1")));
}

TEST_F(LogVerifierTest, AStepOfTheClockThatWasRecordedIsPointedOut) {
  auto log = Open();
  Append(*log, v1::RECORD_KIND_STARTED);
  for (const Micros step : {-90 * kSecond, 30 * kSecond}) {
    v1::AuditEnvelope envelope;
    envelope.set_kind(v1::RECORD_KIND_CHANGED);
    envelope.set_resource_kind("clock");
    envelope.set_clock_step(step);
    EXPECT_TRUE(AppendOne(*log, {envelope.SerializeAsString(), ""}).ok());
  }
  Append(*log, v1::RECORD_KIND_STOPPED);
  ASSERT_TRUE(log->Close().ok());
  const auto report = VerifyLog(options_.directory, TestLogVerifier(), files_, nullptr, nullptr);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->lines.back().ok);
  EXPECT_THAT(report->lines.back().finding,
              HasSubstr("2 steps recorded, the longest by -90000 ms at #1"));
}

TEST_F(LogVerifierTest, EveryFlippedByteIsCaught) {
  {
    auto log = Open();
    Append(*log, v1::RECORD_KIND_STARTED);
    ASSERT_TRUE(AskForHead(*log, clock_).ok());
    Append(*log, v1::RECORD_KIND_STOPPED);
    ASSERT_TRUE(log->Close().ok());
  }
  const Folder folder = LogFiles(files_);
  ASSERT_EQ(folder.size(), 2u);
  const size_t bytes = 16384 + folder.at("/gw/audit/heads/000001").size();
  EXPECT_GE(FlipEvery(folder, kSweepStep), bytes / kSweepStep);
}

// Segments, recovery and several files of heads: log_deep_test.cc flips each of these bytes.
TEST_F(LogVerifierTest, FlipsAllOverALongerLogAreCaught) { FlipEvery(MakeLog(), 41); }

TEST_F(LogVerifierTest, EveryCutIsCaught) {
  const Folder folder = MakeLog();
  for (const auto& [path, content] : folder) {
    for (size_t size = 0; size < content.size(); size += size < 600 ? 1 : 509) {
      // A file of heads that ends between two heads is whole by itself: what is kept elsewhere
      // tells.
      if (path.find("heads") != std::string::npos &&
          (size == 0 || content.substr(0, size).ends_with("\n")))
        continue;
      Folder changed = folder;
      changed[path].resize(size);
      ASSERT_NE(Broken(changed), "") << path << " cut to " << size;
    }
  }
}

TEST_F(LogVerifierTest, MissingSwappedAndOldSegmentsAreCaught) {
  const Folder folder = MakeLog();
  const std::string first = SegmentPath(options_.directory, 1);
  const std::string second = SegmentPath(options_.directory, 2);
  const std::string third = SegmentPath(options_.directory, 3);
  ASSERT_TRUE(folder.contains(first) && folder.contains(second) && folder.contains(third));
  LogBroken broken;

  Folder changed = folder;
  changed.erase(second);
  EXPECT_THAT(Broken(changed, &broken), HasSubstr("segment 3 follows it"));
  EXPECT_EQ(broken.where, "segments/000002");

  changed = folder;
  std::swap(changed[first], changed[second]);
  EXPECT_THAT(Broken(changed, &broken), HasSubstr("this is segment 2"));
  EXPECT_EQ(broken.where, "segments/000001, byte 0");

  changed = folder;
  changed[third] = changed[first];
  EXPECT_NE(Broken(changed), "");

  changed = folder;
  changed.erase(SegmentPath(options_.directory, 4));
  EXPECT_THAT(Broken(changed, &broken), HasSubstr("the head of size 7 was signed"));
  EXPECT_EQ(broken.holds.substr(0, 42), "#0 to #4, under the head of size 5, 2026-0");
  EXPECT_THAT(broken.next, HasSubstr("compare it with another"));

  changed = folder;
  changed[JoinPath(options_.directory, "segments/notes.txt")] = "x";
  EXPECT_NE(Broken(changed), "");

  changed = folder;
  std::erase_if(changed,
                [](const auto& file) { return file.first.find("segm") != file.first.npos; });
  changed[first] = std::string(16384, '\0');
  EXPECT_THAT(Broken(changed), HasSubstr("no segment"));
}

TEST_F(LogVerifierTest, AnEntryReplacedWithMatchingChecksumIsNamed) {
  // Somebody who can compute checksums exchanges the record of #1 for another of the same length.
  options_.segment_bytes = 32 << 10;
  auto write = [&](const char* dataset, size_t more) {
    FakeFileSystem files;
    EXPECT_TRUE(files.CreateDirectories("/gw").ok());
    auto log = OpenLog(options_, files, clock_, TestLogKey(), nullptr);
    for (const char* name : {"a", dataset, "c"})
      EXPECT_TRUE(AppendOne(**log, MakeRecord(v1::RECORD_KIND_RELEASED, name)).ok());
    for (size_t i = 0; i < more; ++i)
      EXPECT_TRUE(AppendOne(**log, MakeRecord(v1::RECORD_KIND_RELEASED, "e")).ok());
    EXPECT_TRUE((*log)->Close().ok());
    return LogFiles(files);
  };
  Folder honest = write("b", 0);
  const Folder forged = write("x", 0);
  const std::string path = SegmentPath(options_.directory, 1);
  LogBroken broken;

  Folder changed = honest;
  changed[path] = forged.at(path);  // the whole segment: only the head tells
  EXPECT_THAT(Broken(changed, &broken), HasSubstr("one from #0 on was changed"));

  changed = honest;  // one batch alone: the next batch stands on another tree
  changed[path].replace(8192, 4096, forged.at(path).substr(8192, 4096));
  EXPECT_THAT(Broken(changed, &broken), HasSubstr("the entries before #2 do not hash"));
  EXPECT_EQ(broken.where, "segments/000001, byte 12288");
}

// Somebody without the key who does all the rest anew: leaves, trees, checksums, segments.
TEST_F(LogVerifierTest, RecordsDroppedInsertedReorderedOrBackDatedAreCaughtByTheHead) {
  using Written = std::vector<std::pair<std::string, int64_t>>;  // names and times
  const auto write = [&](const Written& records) {
    FakeFileSystem files;
    EXPECT_TRUE(files.CreateDirectories("/gw").ok());
    auto log = OpenLog(options_, files, clock_, TestLogKey(), nullptr);
    EXPECT_TRUE(log.ok()) << log.status();
    for (const auto& [name, seconds] : records) {
      SealedRecord record = MakeRecord(v1::RECORD_KIND_RELEASED, name);
      v1::AuditEnvelope envelope;
      EXPECT_TRUE(envelope.ParseFromString(record.envelope));
      envelope.mutable_time()->set_seconds(seconds);
      record.envelope = envelope.SerializeAsString();
      EXPECT_TRUE(AppendOne(**log, std::move(record)).ok());
    }
    EXPECT_TRUE((*log)->Close().ok());
    return LogFiles(files);
  };
  const Written told = {{"a", 100}, {"b", 200}, {"c", 300}, {"d", 400}};
  const Folder honest = write(told);
  ASSERT_EQ(Broken(honest), "");
  const Written without = {{"a", 100}, {"c", 300}, {"d", 400}};
  const Written with = {{"a", 100}, {"x", 150}, {"b", 200}, {"c", 300}, {"d", 400}};
  const Written moved = {{"a", 100}, {"c", 300}, {"b", 200}, {"d", 400}};
  const Written dated = {{"a", 100}, {"b", 120}, {"c", 300}, {"d", 400}};
  const Written replaced = {{"a", 100}, {"x", 200}, {"c", 300}, {"d", 400}};
  for (const Written& forgery : {without, with, moved, dated, replaced}) {
    Folder forged = write(forgery);
    for (const auto& [path, content] : honest)
      if (path.find("/heads/") != path.npos) forged[path] = content;
    EXPECT_THAT(Broken(forged), AnyOf(HasSubstr("was changed"), HasSubstr("was signed")));
  }
}

TEST_F(LogVerifierTest, AnotherKeyOrAnotherLogIsRefused) {
  const Folder folder = MakeLog();
  FakeFileSystem copy(folder);
  const auto other = MakeVerifierKey(options_.origin, KeyType::kEd25519,
                                     SigningKey::FromSeed(std::string(32, 'o'))->public_key());
  EXPECT_FALSE(VerifyLog(options_.directory, *other, copy, nullptr, nullptr).ok());
  EXPECT_FALSE(VerifyLog("/gw/nothing", TestLogVerifier(), copy, nullptr, nullptr).ok());
}

}  // namespace
}  // namespace sluice::audit
