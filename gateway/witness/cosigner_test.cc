#include "gateway/witness/cosigner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"
#include "gateway/witness/logs_testing.h"
#include "gateway/witness/witness.h"

namespace sluice::witness {
namespace {

using ::testing::HasSubstr;

constexpr char kKept[] = "/derived/cosigned-head";

// A log that has as many records as the test says.
class LogOfSize : public audit::Log {
 public:
  explicit LogOfSize(const LogForWitness& entries) : entries_(entries) {}
  uint64_t records = 0;

  void Append(audit::SealedRecord, audit::AppendCallback) override {}
  uint64_t size() const override { return records; }
  bool poisoned() const override { return false; }
  void OnPoison(std::function<void(const absl::Status&)>) override {}
  absl::StatusOr<std::string> Head(bool) override {
    return records == 0 ? "" : entries_.Note(records);
  }
  absl::Status Read(uint64_t, const std::function<bool(const Entry&)>&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<Entry> ReadOne(uint64_t) override { return absl::UnimplementedError(""); }
  absl::StatusOr<audit::TlogProof> Prove(uint64_t) override { return absl::UnimplementedError(""); }
  absl::StatusOr<std::vector<Hash>> Subtrees(uint64_t first, int level, size_t count) override {
    std::vector<Hash> found;
    for (uint64_t number = first; number < first + count; ++number)
      found.push_back(entries_.Subtree(number << level, level));
    return found;
  }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  const LogForWitness& entries_;
};

// Witnesses a, b and c in memory, of which two are enough.
class CosignerTest : public testing::Test {
 protected:
  CosignerTest() {
    EXPECT_TRUE(files_.CreateDirectories("/derived").ok());
    std::string policy =
        absl::StrCat("log ", audit::FormatVerifierKey(entries_.key().verifier), "\n");
    for (const char* name : {"a", "b", "c"}) {
      const auto key = *audit::MakeSigningKey(
          absl::StrCat("w.example/", name), std::string(32, *name), audit::KeyType::kCosignatureV1);
      absl::StrAppend(&policy, "witness ", name, " ", audit::FormatVerifierKey(key.verifier),
                      " http://", name, "/\n");
      const std::string state = absl::StrCat("/", name);
      auto opened =
          Witness::Open({state, {entries_.key().verifier}}, key, files_, clock_, operations_);
      EXPECT_TRUE(opened.ok()) << opened.status();
      witnesses_[absl::StrCat("http://", name, "/add-checkpoint")] = *std::move(opened);
    }
    options_.policy = *audit::ParseTlogPolicy(policy + "group g 2 a b c\nquorum g\n", "p");
    options_.file = kKept;
    Make();
  }

  void Make() {
    auto made = Cosigner::Make(options_, log_, entries_.key().verifier, files_, clock_, operations_,
                               shown_, [this](const HttpCall& call) { return Send(call); });
    ASSERT_TRUE(made.ok()) << made.status();
    cosigner_ = *std::move(made);
  }
  absl::StatusOr<HttpReply> Send(const HttpCall& call) {
    MutexLock lock(mutex_);
    ++calls_;
    if (silent_.contains(call.url)) return absl::UnavailableError("no answer");
    const WitnessAnswer answer = witnesses_.at(call.url)->Add(*call.body);
    return HttpReply{answer.status, answer.type, answer.body};
  }
  void Silence(const char* name, bool silent = true) {
    const std::string url = absl::StrCat("http://", name, "/add-checkpoint");
    MutexLock lock(mutex_);
    if (silent)
      silent_.insert(url);
    else
      silent_.erase(url);
  }
  int calls() {
    MutexLock lock(mutex_);
    return calls_;
  }
  // Of the head that is shown; 0 where none is.
  uint64_t Shown() {
    const auto head = shown_.Get();
    if (head == nullptr) return 0;
    const auto verdict = audit::Judge(head->note, options_.policy);
    EXPECT_TRUE(verdict.ok() && verdict->quorum) << verdict.status();
    return head->checkpoint.size;
  }

  const LogForWitness entries_;
  LogOfSize log_{entries_};
  FakeFileSystem files_;
  FakeClock clock_;
  KeptOperations operations_{clock_};
  SnapshotCell<audit::CosignedHead> shown_;
  CosignerOptions options_;
  std::map<std::string, std::unique_ptr<Witness>> witnesses_;
  Mutex mutex_;
  std::set<std::string> silent_ SLUICE_GUARDED_BY(mutex_);
  int calls_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<Cosigner> cosigner_;
};

TEST_F(CosignerTest, ShowsAHeadThatEnoughCosigned) {
  cosigner_->Round();
  EXPECT_EQ(calls(), 0) << "no head, nothing to ask";
  for (const uint64_t size : {1, 2, 7, 300}) {
    log_.records = size;
    cosigner_->Round();
    EXPECT_EQ(Shown(), size);
    EXPECT_EQ(cosigner_->Age(), 0);
  }
  for (const WitnessState& state : cosigner_->Witnesses()) {
    EXPECT_EQ(state.records, 300u);
    EXPECT_EQ(state.failure, "");
  }
  EXPECT_TRUE(operations_.lines.empty()) << operations_.lines[0];
}

TEST_F(CosignerTest, OneSilentWitnessIsToldAndTwoHideTheHeadWhenItIsLate) {
  log_.records = 5;
  Silence("b");
  cosigner_->Round();
  EXPECT_EQ(Shown(), 5u);
  EXPECT_EQ(cosigner_->Witnesses()[1].failure, "no answer");
  cosigner_->Round();
  ASSERT_EQ(operations_.lines.size(), 1u) << "told once";
  EXPECT_THAT(operations_.lines[0], HasSubstr("\"event\":\"witness_silent\""));

  Silence("a");
  log_.records = 9;
  clock_.Advance(options_.late - kSecond);
  cosigner_->Round();
  cosigner_->HideWhatIsLate();
  EXPECT_EQ(Shown(), 5u);
  clock_.Advance(2 * kSecond);
  cosigner_->HideWhatIsLate();
  EXPECT_EQ(Shown(), 0u);
  EXPECT_EQ(cosigner_->Age(), options_.late + kSecond);

  Silence("a", false);
  Silence("b", false);
  cosigner_->Round();
  EXPECT_EQ(Shown(), 9u);
  EXPECT_EQ(cosigner_->Age(), 0);
  EXPECT_THAT(operations_.lines.back(), HasSubstr("\"event\":\"witness_back\""));
}

TEST_F(CosignerTest, GoesOnFromTheSizeThatAWitnessNames) {
  log_.records = 7;
  cosigner_->Round();
  const int before = calls();
  // As after a start without what was kept: the first answer of each is 409.
  ASSERT_TRUE(files_.Remove(kKept).ok());
  log_.records = 20;
  Make();
  cosigner_->Round();
  EXPECT_EQ(Shown(), 20u);
  EXPECT_EQ(calls(), before + 6);
}

TEST_F(CosignerTest, RemembersTheNewestHeadAndItsAge) {
  log_.records = 7;
  cosigner_->Round();
  const int before = calls();
  clock_.Advance(30 * kSecond);
  Make();
  cosigner_->HideWhatIsLate();
  EXPECT_EQ(Shown(), 7u);
  EXPECT_GE(cosigner_->Age(), 30 * kSecond);
  EXPECT_LE(cosigner_->Age(), 31 * kSecond);
  log_.records = 8;
  cosigner_->Round();
  EXPECT_EQ(calls(), before + 3) << "no witness had to name its size";
  // Another log's, or one of a later state of this, is none.
  log_.records = 3;
  Make();
  cosigner_->HideWhatIsLate();
  EXPECT_EQ(Shown(), 0u);
}

TEST_F(CosignerTest, AnOlderStateOfTheLogIsToldApart) {
  log_.records = 20;
  cosigner_->Round();
  log_.records = 7;
  Make();
  cosigner_->Round();
  EXPECT_THAT(cosigner_->Witnesses()[0].failure, HasSubstr("older state of the log"));
  EXPECT_THAT(operations_.lines.back(), HasSubstr("\"event\":\"witness_is_ahead\""));
}

TEST_F(CosignerTest, APolicyWithoutThisLogIsRefused) {
  options_.policy.logs[0].key = LogForWitness("gw2").key().verifier;
  const auto made =
      Cosigner::Make(options_, log_, entries_.key().verifier, files_, clock_, operations_, shown_);
  EXPECT_THAT(std::string(made.status().message()), HasSubstr("does not name this log"));
}

}  // namespace
}  // namespace sluice::witness
