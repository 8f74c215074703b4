#include "gateway/witness/witness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gateway/audit/cosignature.h"
#include "gateway/base/cases_testing.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"
#include "gateway/witness/logs_testing.h"

namespace sluice::witness {
namespace {

using ::testing::HasSubstr;

constexpr char kState[] = "/w/state";

audit::NamedSigningKey WitnessKey() {
  return *audit::MakeSigningKey("w1.gov.example/archive", std::string(32, 'w'),
                                audit::KeyType::kCosignatureV1);
}

class WitnessTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Witness>> Opened(FileSystem& files) {
    return Witness::Open({kState, {log_.key().verifier}}, WitnessKey(), files, clock_, operations_);
  }
  void Open() {
    witness_.reset();
    auto opened = Opened(files_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    witness_ = *std::move(opened);
  }
  int Add(const std::string& body) { return (last_ = witness_->Add(body)).status; }
  std::string Newest() {
    return witness_->Newest(HexEncode(AsBytes(Sha256(log_.key().name)))).value_or("");
  }
  uint64_t NewestSize(uint64_t* seconds = nullptr) {
    const auto head =
        audit::VerifyCosignedCheckpoint(Newest(), WitnessKey().verifier, log_.key().name, seconds);
    return head.ok() ? head->size : 0;
  }

  const LogForWitness log_;
  FakeFileSystem files_;
  FakeClock clock_;
  KeptOperations operations_{clock_};
  std::unique_ptr<Witness> witness_;
  WitnessAnswer last_;
};

TEST_F(WitnessTest, CosignsWhatContinuesTheHeadBefore) {
  Open();
  uint64_t old = 0;
  for (const uint64_t size : {1, 3, 3, 5, 8, 100}) {
    ASSERT_EQ(Add(log_.Request(old, size)), 200) << size << last_.body;
    const auto note =
        audit::AddSignatures(log_.Note(size), *audit::ParseSignatureLines(last_.body));
    uint64_t seconds = 0;
    const auto head =
        audit::VerifyCosignedCheckpoint(*note, WitnessKey().verifier, log_.key().name, &seconds);
    ASSERT_TRUE(head.ok()) << head.status();
    EXPECT_EQ(seconds, static_cast<uint64_t>(clock_.Now() / kSecond));
    // What anybody may ask for is that head, by the log and by this witness.
    EXPECT_EQ(Newest(), *note);
    old = size;
    clock_.Advance(kMinute);
  }
  EXPECT_TRUE(operations_.lines.empty());
}

TEST_F(WitnessTest, AnswersEachMistakeWithItsCode) {
  Open();
  ASSERT_EQ(Add(log_.Request(0, 5)), 200);
  const LogForWitness other("gw2.gov.example/log");
  const LogForWitness fork(log_.key().name, 2);
  const std::string good = log_.Request(5, 9);
  const std::string unsigned_note =
      audit::SignNote(audit::FormatCheckpointBody(log_.Head(9)), log_.key().name,
                      audit::MakeSigningKey(log_.key().name, std::string(32, 'x'))->key);
  const std::string bad_signature = absl::StrReplaceAll(log_.Note(9), {{"\n9\n", "\n10\n"}});
  std::vector<Hash> damaged = log_.Proof(5, 9);
  damaged.back()[3] ^= 1;
  const std::string empty_tree = audit::FormatCheckpointBody(
      {.origin = log_.key().name, .size = 1, .root = audit::LeafHash("x")});
  const std::string wrong_empty = audit::SignNote(
      absl::StrReplaceAll(empty_tree, {{"\n1\n", "\n0\n"}}), log_.key().name, log_.key().key);
  std::string long_proof = "old 5\n";
  for (int i = 0; i < 64; ++i)
    absl::StrAppend(&long_proof, Base64Encode(AsBytes(audit::LeafHash("x"))), "\n");
  const struct {
    const char* what;
    std::string body;
    int status;
  } cases[] = {
      {"nothing", "", 400},
      {"no note", "old 5\n\nhello", 400},
      {"64 lines of proof", absl::StrCat(long_proof, "\n", log_.Note(9)), 400},
      {"a note that is no checkpoint",
       absl::StrCat("old 5\n\n",
                    audit::SignNote(log_.key().name + "\n", log_.key().name, log_.key().key)),
       400},
      {"old above new", FormatAddCheckpoint({6, {}, log_.Note(5)}), 400},
      {"another log", other.Request(0, 5), 404},
      {"not signed by the log's key", FormatAddCheckpoint({5, log_.Proof(5, 9), unsigned_note}),
       403},
      {"a signature over another text", FormatAddCheckpoint({5, log_.Proof(5, 9), bad_signature}),
       403},
      {"old is not the last", log_.Request(3, 9), 409},
      {"old is none, though there is a last", log_.Request(0, 9), 409},
      {"a damaged proof", FormatAddCheckpoint({5, damaged, log_.Note(9)}), 422},
      {"no proof", FormatAddCheckpoint({5, {}, log_.Note(9)}), 422},
      {"a proof where none belongs", FormatAddCheckpoint({5, damaged, log_.Note(5)}), 422},
      {"another root of the same size", FormatAddCheckpoint({5, {}, fork.Note(5)}), 422},
      {"another history", fork.Request(5, 9), 422},
      {"size 0 with a root", FormatAddCheckpoint({0, {}, wrong_empty}), 422},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Add(one.body), one.status) << one.what << ": " << last_.body;
    EXPECT_EQ(last_.body.find("\u2014"), std::string::npos) << one.what << " was signed";
    if (one.status != 409) continue;
    EXPECT_EQ(last_.body, "5\n");
    EXPECT_EQ(last_.type, "text/x.tlog.size");
  }
  // Nothing of it was remembered.
  EXPECT_EQ(NewestSize(), 5u);
  EXPECT_EQ(Add(good), 200);

  // A first head needs no proof, and none may be there.
  FakeFileSystem fresh;
  auto unasked = Opened(fresh);
  ASSERT_TRUE(unasked.ok());
  EXPECT_EQ((*unasked)->Add(log_.Request(3, 9)).body, "0\n");
  EXPECT_EQ((*unasked)->Add(FormatAddCheckpoint({0, damaged, log_.Note(9)})).status, 422);
  EXPECT_EQ((*unasked)->Add(log_.Request(0, 0)).status, 200);
  EXPECT_EQ((*unasked)->Add(log_.Request(0, 9)).status, 200);
}

TEST_F(WitnessTest, KeepsBothHeadsOfAFork) {
  Open();
  ASSERT_EQ(Add(log_.Request(0, 5)), 200);
  const LogForWitness fork(log_.key().name, 2);
  EXPECT_EQ(Add(fork.Request(5, 5)), 422);
  EXPECT_EQ(Add(fork.Request(4, 5)), 409);  // seen whatever its old size, and told once
  EXPECT_EQ(Add(fork.Request(5, 9)), 422);
  ASSERT_EQ(operations_.lines.size(), 2u) << absl::StrJoin(operations_.lines, "\n");
  EXPECT_THAT(operations_.lines[0], HasSubstr("\"event\":\"witness_split_view\""));
  EXPECT_THAT(operations_.lines[0], HasSubstr("\"severity\":\"error\""));
  EXPECT_THAT(operations_.lines[1], HasSubstr("\"event\":\"witness_inconsistent\""));
  std::vector<std::string> held, offered;
  for (const auto& [path, bytes] : files_.Files()) {
    if (path.ends_with(".held")) held.push_back(bytes);
    if (path.ends_with(".offered")) offered.push_back(bytes);
  }
  EXPECT_THAT(held, testing::ElementsAre(Newest(), Newest()));
  EXPECT_THAT(offered, testing::UnorderedElementsAre(fork.Note(5), fork.Note(9)));
  // Both signed by the log: each convicts it without this witness.
  for (const std::string& note : offered)
    EXPECT_TRUE(audit::VerifyCheckpoint(note, log_.key().verifier).ok());
}

TEST_F(WitnessTest, OneOfTwoHistoriesThatRaceIsCosigned) {
  Open();
  ASSERT_EQ(Add(log_.Request(0, 5)), 200);
  const LogForWitness fork(log_.key().name, 5);
  for (uint64_t round = 0; round < 20; ++round) {
    FakeFileSystem files;
    auto witness = Opened(files);
    ASSERT_TRUE(witness.ok());
    ASSERT_EQ((*witness)->Add(log_.Request(0, 5)).status, 200);
    int one = 0, other = 0;
    std::thread first([&] { one = (*witness)->Add(log_.Request(5, 9)).status; });
    std::thread second([&] { other = (*witness)->Add(fork.Request(5, 9)).status; });
    first.join();
    second.join();
    EXPECT_THAT((std::vector<int>{one, other}), testing::UnorderedElementsAre(200, 409));
  }
}

TEST_F(WitnessTest, AClockThatGoesBackTakesNothingBack) {
  Open();
  ASSERT_EQ(Add(log_.Request(0, 5)), 200);
  uint64_t before = 0, after = 0;
  NewestSize(&before);
  clock_.Jump(-kHour);
  ASSERT_EQ(Add(log_.Request(5, 5)), 200);
  NewestSize(&after);
  EXPECT_EQ(after, before);
  clock_.Jump(2 * kHour);
  ASSERT_EQ(Add(log_.Request(5, 5)), 200);
  NewestSize(&after);
  EXPECT_EQ(after, before + 3600);
}

TEST_F(WitnessTest, RemembersAndRefusesAMemoryThatIsNotIts) {
  Open();
  ASSERT_EQ(Add(log_.Request(0, 5)), 200);
  EXPECT_FALSE(Opened(files_).ok()) << "two have the folder";
  Open();
  EXPECT_EQ(NewestSize(), 5u);
  EXPECT_EQ(Add(log_.Request(0, 5)), 409);
  witness_.reset();
  const std::string file = absl::StrCat(kState, "/", HexEncode(AsBytes(Sha256(log_.key().name))));
  for (const std::string& text : {std::string(), std::string("x"), log_.Note(7)}) {
    ASSERT_TRUE(files_.WriteAtomically(file, text).ok());
    const auto refused = Opened(files_);
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr(file));
  }
}

// Wherever it loses power, it never cosigns what contradicts a cosignature that it gave.
TEST_F(WitnessTest, ForgetsNoCosignatureWhereverThePowerGoesOff) {
  Open();
  ASSERT_EQ(Add(log_.Request(0, 5)), 200);
  const size_t began = files_.Operations().size();
  ASSERT_EQ(Add(log_.Request(5, 9)), 200);
  const size_t ended = files_.Operations().size();
  ASSERT_GT(ended, began + 3);
  const LogForWitness fork(log_.key().name, 5);
  for (size_t at = began; at <= ended; ++at) {
    for (const bool all : {false, true}) {
      FakeFileSystem files;
      auto witness = Opened(files);
      ASSERT_TRUE(witness.ok());
      ASSERT_EQ((*witness)->Add(log_.Request(0, 5)).status, 200);
      files.Inject({.at = at, .kind = Fault::Kind::kCrash});
      const int answered = (*witness)->Add(log_.Request(5, 9)).status;
      EXPECT_TRUE(answered == 200 || answered == 503) << answered;
      const auto after = files.AfterCrash(std::vector<bool>(files.Units().size(), all));
      auto again = Opened(*after);
      ASSERT_TRUE(again.ok()) << again.status() << " at " << at;
      const WitnessAnswer forked = (*again)->Add(fork.Request(5, 9));
      // Where it does not remember, nothing was given; then either history may come first.
      EXPECT_TRUE(forked.status == 409 || answered == 503) << at << " " << forked.status;
    }
  }
}

TEST_F(WitnessTest, AFullOrFailingDiskSignsNothing) {
  Open();
  ASSERT_EQ(Add(log_.Request(0, 5)), 200);
  const size_t began = files_.Operations().size();
  ASSERT_EQ(Add(log_.Request(5, 9)), 200);
  const size_t ended = files_.Operations().size();
  int refused = 0;
  for (const auto kind : {Fault::Kind::kNoSpace, Fault::Kind::kFail, Fault::Kind::kCutShort}) {
    for (size_t at = began; at < ended; ++at) {
      FakeFileSystem files;
      auto witness = Opened(files);
      ASSERT_TRUE(witness.ok());
      ASSERT_EQ((*witness)->Add(log_.Request(0, 5)).status, 200);
      operations_.lines.clear();
      files.Inject({.at = at, .kind = kind, .keep = 7});
      const WitnessAnswer answer = (*witness)->Add(log_.Request(5, 9));
      if (!files.fault_happened() || answer.status == 200) continue;  // of a look that may fail
      ++refused;
      EXPECT_EQ(answer.status, 503) << at;
      EXPECT_EQ(answer.body.find("\u2014"), std::string::npos);
      ASSERT_EQ(operations_.lines.size(), 1u);
      EXPECT_THAT(operations_.lines[0], HasSubstr("\"event\":\"witness_cannot_write\""));
      // When there is room it goes on from what it gave.
      EXPECT_EQ((*witness)->Add(log_.Request(5, 9)).status, 200) << at;
    }
  }
  EXPECT_GE(refused, 9);
}

// The published log of fifteen entries, checkpoint by checkpoint.
TEST(WitnessCasesTest, FollowsThePublishedLogOfFifteen) {
  SLUICE_CASES_OR_SKIP(folder);
  const std::string log = *folder + "/tlog/tessera15/log/";
  const auto key = audit::ParseVerifierKey(
      "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx");
  std::vector<Hash> leaves;
  const std::string tile = ReadTestFile(log + "tile/0/000.p/15");
  for (size_t at = 0; at < tile.size(); at += kHashSize)
    leaves.push_back(HashFromBytes(std::string_view(tile).substr(at, kHashSize)));
  ASSERT_EQ(leaves.size(), 15u);
  FakeFileSystem files;
  FakeClock clock;
  KeptOperations operations(clock);
  auto witness = Witness::Open({kState, {*key}}, WitnessKey(), files, clock, operations);
  ASSERT_TRUE(witness.ok());
  for (uint64_t size = 1; size <= 15; ++size) {
    AddCheckpoint request{.old_size = size - 1};
    request.checkpoint = ReadTestFile(absl::StrCat(log, "checkpoint.", size));
    if (size > 1) {
      request.proof = *audit::ConsistencyProof(
          size - 1, size, [&](uint64_t begin, int level) -> absl::StatusOr<Hash> {
            const auto from = leaves.begin() + static_cast<ptrdiff_t>(begin);
            return audit::RootOf({from, from + (ptrdiff_t{1} << level)});
          });
    }
    const WitnessAnswer answer = (*witness)->Add(FormatAddCheckpoint(request));
    ASSERT_EQ(answer.status, 200) << size << ": " << answer.body;
  }
}

}  // namespace
}  // namespace sluice::witness
