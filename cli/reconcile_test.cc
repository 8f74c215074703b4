// A consumer's receipts held against the log: in a folder, and in both directions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "cli/methods.h"
#include "cli/receipts.h"
#include "cli/tool_testing.h"
#include "gateway/audit/log_copy.h"
#include "gateway/audit/merkle.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kReconcileOrigin[] = "gw1.gov.example/log";
constexpr char kReceiptsFolder[] = "/home/li/.local/state/sluice/receipts";

const SigningKey& ReconcileSigner() {
  static const SigningKey* const key = new SigningKey(*SigningKey::FromSeed(std::string(32, 'k')));
  return *key;
}

std::string ReconcileVkey() {
  return audit::FormatVerifierKey(*audit::MakeVerifierKey(
      kReconcileOrigin, audit::KeyType::kEd25519, ReconcileSigner().public_key()));
}

v1::AuditEnvelope LetGo(const std::string& payload) {
  v1::AuditEnvelope envelope;
  envelope.set_kind(v1::RECORD_KIND_RELEASED);
  *envelope.mutable_time() = At("2026-11-23T14:00:00+08:00");
  envelope.mutable_actor()->set_principal("agency/civil-affairs/system/relief");
  envelope.mutable_actor()->set_agency("civil-affairs");
  envelope.set_dataset("public-security/persons");
  envelope.set_first_page(-1);
  envelope.set_repeats(-1);
  envelope.set_count(1);
  envelope.set_digest(std::string(AsBytes(Sha256(payload))));
  envelope.set_payload_bytes(static_cast<int64_t>(payload.size()));
  return envelope;
}

// A log of these records, as the gateway proves it.
class ReconcileTest : public ::testing::Test {
 protected:
  ReconcileTest() {
    v1::WhoAmIResponse who;
    who.set_agency("civil-affairs");
    tool_.gateway.Answer(kWhoAmI, who);
  }

  int64_t Append(const v1::AuditEnvelope& envelope) {
    log_.push_back(envelope.SerializeAsString());
    return static_cast<int64_t>(log_.size()) - 1;
  }
  void Keep(const v1::AuditEnvelope& envelope, int64_t index) {
    tool_.Write(absl::StrCat(kReceiptsFolder, "/", index, ".json"),
                FormatReceipt(Tool::ReceiptOf(envelope, index)));
  }
  std::string Head() const {
    std::vector<Hash> leaves;
    for (const std::string& entry : log_) leaves.push_back(audit::LeafHash(entry));
    const audit::Checkpoint head{
        .origin = kReconcileOrigin, .size = log_.size(), .root = audit::RootOf(leaves)};
    return audit::SignNote(audit::FormatCheckpointBody(head), kReconcileOrigin, ReconcileSigner());
  }
  std::vector<Hash> PathOf(int64_t index) const {
    const auto subtree = [this](uint64_t begin, int level) -> absl::StatusOr<Hash> {
      std::vector<Hash> leaves;
      for (uint64_t i = begin; i < begin + (uint64_t{1} << level); ++i)
        leaves.push_back(audit::LeafHash(log_[i]));
      return audit::RootOf(leaves);
    };
    return *audit::InclusionProof(static_cast<uint64_t>(index), log_.size(), subtree);
  }
  // The gateway shows these in an export, and all else one by one.
  void Serve(const std::vector<int64_t>& shown) {
    v1::ExportResponse response;
    response.mutable_start()->set_checkpoint(Head());
    response.mutable_start()->set_count(static_cast<int64_t>(shown.size()));
    for (const int64_t index : shown) {
      v1::ProvenRecord& record = *response.add_records();
      record.set_index(index);
      record.set_envelope(log_[static_cast<size_t>(index)]);
      for (const Hash& hash : PathOf(index)) record.add_path(std::string(AsBytes(hash)));
    }
    tool_.gateway.Answer(kExport, response);
    tool_.gateway.On(
        kProveRecord,
        [this](const v1::ProveRecordRequest& request) -> absl::StatusOr<v1::ProveRecordResponse> {
          if (request.index() >= static_cast<int64_t>(log_.size()))
            return Error(v1::REASON_RECORD_NOT_FOUND, "there is no such record.");
          v1::ProveRecordResponse proved;
          proved.set_envelope(log_[static_cast<size_t>(request.index())]);
          proved.set_proof(audit::FormatTlogProof({.index = static_cast<uint64_t>(request.index()),
                                                   .path = PathOf(request.index()),
                                                   .checkpoint = Head()}));
          return proved;
        });
  }

  Tool tool_;
  std::vector<std::string> log_;
};

TEST_F(ReconcileTest, TellsWhatEitherLacks) {
  const v1::AuditEnvelope both = LetGo("both"), without = LetGo("without"),
                          changed = LetGo("before");
  Keep(both, Append(both));
  Append(without);   // #1: no receipt
  Keep(changed, 2);  // #2: the log has another
  Append(LetGo("after"));
  Keep(LetGo("vanished"), 77);  // #77: the log lacks it
  Serve({0, 1, 2});

  const Ran ran = tool_.Run({"--format", "json", "audit", "reconcile"});

  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out,
            "{\"index\":1,\"difference\":\"no receipt here\"}\n"
            "{\"index\":2,\"file\":\"2.json\",\"difference\":\"THE LOG HAS ANOTHER\"}\n"
            "{\"index\":77,\"file\":\"77.json\",\"difference\":\"THE LOG LACKS IT\"}\n");
  EXPECT_THAT(ran.err, HasSubstr("RECEIPTS_DIFFER: 3 differences"));
  const v1::ExportRequest asked = tool_.gateway.Asked(kExport).back();
  EXPECT_EQ(asked.filter().agency(), "civil-affairs");
  EXPECT_TRUE(asked.without_details());
}

TEST_F(ReconcileTest, WhatWasKeptBackOrIsAStepIsNotMissed) {
  const v1::AuditEnvelope held = LetGo("held");
  Keep(held, Append(held));
  Append(LetGo("kept back"));  // #1
  v1::AuditEnvelope failed = LetGo("");
  failed.set_kind(v1::RECORD_KIND_FAILED);
  failed.set_repeats(1);
  Append(failed);
  // In the log, and not shown by the search.
  const v1::AuditEnvelope unshown = LetGo("unshown");
  Keep(unshown, Append(unshown));
  Serve({0, 1, 2});

  const Ran ran = tool_.Run({"audit", "reconcile"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("2 receipts held against the log's head of size 4"));
}

TEST_F(ReconcileTest, AReceiptThatDoesNotHoldIsADifference) {
  const v1::AuditEnvelope held = LetGo("held");
  Keep(held, Append(held));
  v1::Receipt forged = Tool::ReceiptOf(LetGo("forged"), 5);
  forged.set_index(4);
  tool_.Write(absl::StrCat(kReceiptsFolder, "/4.json"), FormatReceipt(forged));
  Serve({0});
  const Ran ran = tool_.Run({"audit", "reconcile"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("the receipt does not hold"));
}

TEST_F(ReconcileTest, ALogThatIsNotProvedIsNotCompared) {
  const v1::AuditEnvelope held = LetGo("held");
  Keep(held, Append(held));
  Append(LetGo("other"));
  Serve({0, 1});
  v1::ExportResponse response;
  response.mutable_start()->set_checkpoint(Head());
  response.mutable_start()->set_count(1);
  response.add_records()->set_envelope(log_[1]);
  tool_.gateway.Answer(kExport, response);
  const Ran ran = tool_.Run({"audit", "reconcile"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("PROOF_BROKEN"));
}

TEST_F(ReconcileTest, AFolderOfReceiptsIsHeldAgainstTheLog) {
  const v1::AuditEnvelope one = LetGo("payload of one"), other = LetGo("payload of another");
  Keep(one, Append(one));
  Keep(other, Append(other));
  tool_.Write(absl::StrCat(kReceiptsFolder, "/answer.bin"), "payload of one");
  tool_.Write(absl::StrCat(kReceiptsFolder, "/notes.json"), "{}");
  Serve({0, 1});
  const std::vector<std::string> check = {"receipts", "check", kReceiptsFolder, "--key",
                                          ReconcileVkey()};
  Ran ran = tool_.Run(check);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("answer.bin"));
  EXPECT_THAT(ran.out, Not(HasSubstr("notes.json")));
  EXPECT_THAT(ran.err, Not(HasSubstr("head of size")));

  std::vector<std::string> in_log = check;
  in_log.push_back("--in-log");
  ran = tool_.Run(in_log);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("yes"));
  EXPECT_THAT(ran.err, HasSubstr("2 receipts · held against the log's head of size 2"));

  Keep(LetGo("vanished"), 9);
  ran = tool_.Run(in_log);
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("#9 NOT THERE"));
  EXPECT_THAT(ran.err, HasSubstr("1 receipt does not hold"));
}

TEST_F(ReconcileTest, ACopyOfTheLogServesAsWell) {
  const v1::AuditEnvelope one = LetGo("payload of one");
  Keep(one, Append(one));
  for (int i = 0; i < 300; ++i) Append(LetGo("others"));
  const v1::AuditEnvelope late = LetGo("late");
  Keep(late, Append(late));
  {
    auto copy =
        audit::LogCopy::Open("/copy", *audit::ParseVerifierKey(ReconcileVkey()), tool_.files);
    ASSERT_TRUE(copy.ok());
    ASSERT_TRUE((*copy)->Begin(Head(), {}, nullptr).ok());
    for (const std::string& entry : log_) ASSERT_TRUE((*copy)->Add(entry).ok());
    ASSERT_TRUE((*copy)->Finish().ok());
  }
  const std::vector<std::string> check = {"receipts", "check", kReceiptsFolder, "--log",
                                          "/copy",    "--key", ReconcileVkey()};
  EXPECT_EQ(tool_.Run(check).code, 0);
  Keep(LetGo("otherwise"), 5);
  const Ran ran = tool_.Run(check);
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("#5 IS ANOTHER RECORD"));
  // A copy that was tampered with proves nothing.
  std::string bundle = *tool_.files.ReadAll("/copy/tile/entries/000");
  bundle[10] = static_cast<char>(bundle[10] ^ 1);
  tool_.Write("/copy/tile/entries/000", bundle);
  EXPECT_THAT(tool_.Run(check).err, HasSubstr("LOG_BROKEN"));
}

}  // namespace
}  // namespace sluice::cli
