// A copy of a log: how it grows, what it refuses, and that no interruption harms it.
#include "gateway/audit/log_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/audit/copy_verifier.h"
#include "gateway/base/fake_file_system.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {
namespace {

using ::testing::HasSubstr;

constexpr char kCopyOrigin[] = "gw1.gov.example/log";
constexpr char kCopyFolder[] = "/auditor/copy";

// A log of envelopes whose datasets say their numbers, or something else from `fork` on.
class CopiedLog {
 public:
  explicit CopiedLog(uint64_t fork = UINT64_MAX) : fork_(fork) {}
  std::string EntryAt(uint64_t index) const {
    v1::AuditEnvelope envelope;
    envelope.set_kind(v1::RECORD_KIND_RELEASED);
    envelope.set_dataset(absl::StrCat(index < fork_ ? "one/" : "other/", index));
    return envelope.SerializeAsString();
  }
  std::vector<Hash> Leaves(uint64_t size) const {
    std::vector<Hash> leaves;
    for (uint64_t i = 0; i < size; ++i) leaves.push_back(LeafHash(EntryAt(i)));
    return leaves;
  }
  std::string HeadAt(uint64_t size) const {
    const Checkpoint head{.origin = kCopyOrigin, .size = size, .root = RootOf(Leaves(size))};
    return SignNote(FormatCheckpointBody(head), kCopyOrigin, Signer());
  }
  std::vector<Hash> Consistency(uint64_t old_size, uint64_t size) const {
    if (old_size == 0 || old_size >= size) return {};
    const std::vector<Hash> leaves = Leaves(size);
    return *ConsistencyProof(
        old_size, size, [&leaves](uint64_t begin, int level) -> absl::StatusOr<Hash> {
          const auto from = leaves.begin() + static_cast<ptrdiff_t>(begin);
          return RootOf(std::vector<Hash>(from, from + (ptrdiff_t{1} << level)));
        });
  }
  static const SigningKey& Signer() {
    static const auto* const key = new SigningKey(*SigningKey::FromSeed(std::string(32, 'k')));
    return *key;
  }
  static VerifierKey Key() {
    return *MakeVerifierKey(kCopyOrigin, KeyType::kEd25519, Signer().public_key());
  }

 private:
  const uint64_t fork_;
};

absl::Status PullTo(FileSystem& files, const CopiedLog& log, uint64_t size,
                    std::optional<HeadConflict>* conflict = nullptr) {
  auto copy = LogCopy::Open(kCopyFolder, CopiedLog::Key(), files);
  if (!copy.ok()) return copy.status();
  const uint64_t old = (*copy)->newest() ? (*copy)->newest()->checkpoint.size : 0;
  if (absl::Status status = (*copy)->Begin(log.HeadAt(size), log.Consistency(old, size), conflict);
      !status.ok())
    return status;
  for (uint64_t i = (*copy)->next(); i < size; ++i)
    if (absl::Status status = (*copy)->Add(log.EntryAt(i)); !status.ok()) return status;
  return (*copy)->Finish();
}

absl::StatusOr<VerifyReport> VerifyCopy(FileSystem& files, LogBroken* broken = nullptr) {
  const ReadResource read = [&files](const std::string& name) {
    return files.ReadAll(JoinPath(kCopyFolder, name));
  };
  return VerifyTiles(CopiedLog::Key(), read, broken, nullptr);
}

TEST(LogCopyTest, GrowsFromHeadToHeadAndHoldsEachTime) {
  FakeFileSystem files;
  const CopiedLog log;
  for (const uint64_t size : {1, 1, 2, 255, 256, 257, 512, 700, 66000, 66001}) {
    ASSERT_TRUE(PullTo(files, log, size).ok()) << size;
    const auto report = VerifyCopy(files);
    ASSERT_TRUE(report.ok()) << size << ": " << report.status();
    EXPECT_EQ(report->records, size);
  }
  // What a client of the specification asks for.
  for (const char* name : {"tile/2/000.p/1", "tile/1/001.p/1", "tile/0/257.p/209",
                           "tile/entries/257.p/209", "tile/entries/000"})
    EXPECT_TRUE(files.Stat(JoinPath(kCopyFolder, name)).ok()) << name;
  EXPECT_FALSE(files.Stat(JoinPath(kCopyFolder, "tile/entries/257.p/208")).ok())
      << "an old partial tile";
}

TEST(LogCopyTest, RefusesAShorterLogAndAnotherAndKeepsBothHeads) {
  for (const auto& [fork, size, words] :
       {std::tuple<uint64_t, uint64_t, const char*>{UINT64_MAX, 299, "shorter"},
        {10, 300, "two heads of one size"},
        {299, 301, "does not continue"}}) {
    FakeFileSystem files;
    ASSERT_TRUE(PullTo(files, CopiedLog(), 300).ok());
    std::optional<HeadConflict> conflict;
    const CopiedLog other(fork);
    const absl::Status refused = PullTo(files, other, size, &conflict);
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(words));
    ASSERT_TRUE(conflict.has_value());
    EXPECT_EQ(files.ReadAll(conflict->kept_file).value_or(""), CopiedLog().HeadAt(300));
    EXPECT_EQ(files.ReadAll(conflict->shown_file).value_or(""), other.HeadAt(size));
    // The copy is as it was, and takes the true log on.
    EXPECT_EQ(VerifyCopy(files)->records, 300u);
    EXPECT_TRUE(PullTo(files, CopiedLog(), 301).ok());
  }
}

TEST(LogCopyTest, EntriesThatAreNotThoseOfTheHeadAreThrownAway) {
  FakeFileSystem files;
  const CopiedLog log, other(150);
  ASSERT_TRUE(PullTo(files, log, 100).ok());
  auto copy = LogCopy::Open(kCopyFolder, CopiedLog::Key(), files);
  ASSERT_TRUE(copy.ok());
  ASSERT_TRUE((*copy)->Begin(log.HeadAt(600), log.Consistency(100, 600), nullptr).ok());
  for (uint64_t i = 100; i < 600; ++i) ASSERT_TRUE((*copy)->Add(other.EntryAt(i)).ok());
  EXPECT_FALSE((*copy)->Add(other.EntryAt(600)).ok()) << "more than the head has";
  EXPECT_TRUE(absl::IsDataLoss((*copy)->Finish()));
  copy->reset();
  EXPECT_EQ(VerifyCopy(files)->records, 100u);
  EXPECT_TRUE(PullTo(files, log, 600).ok());
  EXPECT_EQ(VerifyCopy(files)->records, 600u);
}

TEST(LogCopyTest, AHeadThatWasSeenIsRememberedThoughItsEntriesNeverCame) {
  FakeFileSystem files;
  const CopiedLog log;
  ASSERT_TRUE(PullTo(files, log, 100).ok());
  {
    auto copy = LogCopy::Open(kCopyFolder, CopiedLog::Key(), files);
    ASSERT_TRUE((*copy)->Begin(log.HeadAt(600), log.Consistency(100, 600), nullptr).ok());
    EXPECT_TRUE(absl::IsUnavailable((*copy)->Finish()));
  }
  EXPECT_EQ(PullTo(files, log, 200).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(PullTo(files, log, 600).ok());
}

TEST(LogCopyTest, GoesOnAfterALossOfPowerAtAnyMoment) {
  const CopiedLog log;
  // The operations of a whole run, from a copy of 100 to one of 600.
  uint64_t operations = 0;
  {
    FakeFileSystem files;
    ASSERT_TRUE(PullTo(files, log, 100).ok());
    const uint64_t before = files.Operations().size();
    ASSERT_TRUE(PullTo(files, log, 600).ok());
    operations = files.Operations().size() - before;
  }
  ASSERT_GT(operations, 30u);
  for (uint64_t at = 0; at < operations; ++at) {
    for (const bool reached : {false, true}) {
      FakeFileSystem files;
      ASSERT_TRUE(PullTo(files, log, 100).ok());
      files.Inject({.at = files.Operations().size() + at, .kind = Fault::Kind::kCrash});
      EXPECT_FALSE(PullTo(files, log, 600).ok()) << at;
      auto after = files.AfterCrash(std::vector<bool>(files.Units().size(), reached));
      const auto report = VerifyCopy(*after);
      ASSERT_TRUE(report.ok()) << at << ": " << report.status();
      EXPECT_THAT(report->records, testing::AnyOf(100u, 600u));
      ASSERT_TRUE(PullTo(*after, log, 601).ok()) << at;
      EXPECT_EQ(VerifyCopy(*after)->records, 601u) << at;
    }
  }
}

TEST(LogCopyTest, GoesOnWhereItStoppedWithoutAskingForWhatItHas) {
  FakeFileSystem files;
  const CopiedLog log;
  ASSERT_TRUE(PullTo(files, log, 100).ok());
  {
    auto copy = LogCopy::Open(kCopyFolder, CopiedLog::Key(), files);
    ASSERT_TRUE((*copy)->Begin(log.HeadAt(1000), log.Consistency(100, 1000), nullptr).ok());
    for (uint64_t i = 100; i < 800; ++i) ASSERT_TRUE((*copy)->Add(log.EntryAt(i)).ok());
    EXPECT_FALSE(LogCopy::Open(kCopyFolder, CopiedLog::Key(), files).ok()) << "two at once";
  }
  auto copy = LogCopy::Open(kCopyFolder, CopiedLog::Key(), files);
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ((*copy)->next(), 768u);
  copy->reset();
  EXPECT_TRUE(PullTo(files, log, 1000).ok());
  EXPECT_EQ(VerifyCopy(files)->records, 1000u);
}

TEST(LogCopyTest, AnyByteThatIsChangedIsFound) {
  FakeFileSystem files;
  ASSERT_TRUE(PullTo(files, CopiedLog(), 300).ok());
  for (const char* name : {"checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1",
                           "tile/entries/000", "tile/entries/001.p/44"}) {
    const std::string path = JoinPath(kCopyFolder, name);
    const std::string good = *files.ReadAll(path);
    for (size_t at = 0; at<good.size(); at += good.size()> 2000 ? 97 : 1) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      ASSERT_TRUE(files.WriteAtomically(path, bad).ok());
      LogBroken broken;
      EXPECT_FALSE(VerifyCopy(files, &broken).ok()) << name << " at " << at;
      EXPECT_FALSE(broken.what.empty());
    }
    ASSERT_TRUE(files.Remove(path).ok());
    EXPECT_FALSE(VerifyCopy(files).ok()) << name << " is missing";
    ASSERT_TRUE(files.WriteAtomically(path, good).ok());
  }
  EXPECT_TRUE(VerifyCopy(files).ok());
}

TEST(LogCopyTest, ADamagedCopyIsNotContinued) {
  FakeFileSystem files;
  ASSERT_TRUE(PullTo(files, CopiedLog(), 300).ok());
  const std::string path = JoinPath(kCopyFolder, "tile/entries/001.p/44");
  std::string bytes = *files.ReadAll(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  ASSERT_TRUE(files.WriteAtomically(path, bytes).ok());
  const absl::Status refused = PullTo(files, CopiedLog(), 301);
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("tile/entries/001.p/44"));
}

}  // namespace
}  // namespace sluice::audit
