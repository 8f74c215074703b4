// A gateway whose heads are cosigned: by our witness, by one that shares no code with us, and by
// one that stalls, vanishes or remembers more than the gateway does.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/audit/signed_note.h"
#include "gateway/audit/tlog_policy.h"
#include "gateway/base/error.h"
#include "gateway/http/http_client_testing.h"
#include "gateway/witness/add_checkpoint.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"
#include "tests/system/witness_testing.h"

namespace sluice::system_test {
namespace {

using testing::HasSubstr;

class CosigningTest : public testing::Test {
 protected:
  CosigningTest() {
    gateway_.Replace("sluiced.yaml", "interval: 10s", "interval: 1s ");
    gateway_.Replace("sluiced.yaml", "timeout: 5s ", "timeout: 1s ");
    gateway_.Replace("sluiced.yaml", "listen: \"\"                 # /healthz",
                     "listen: 127.0.0.1:0  # ");
    log_ = gateway_.Read("log.vkey");
    log_ = log_.substr(0, log_.find('\n'));
    origin_ = log_.substr(0, log_.find('+'));
  }

  void AskWitnesses(const std::string& lines) {
    gateway_.Write("witnesses.policy", absl::StrCat("log ", log_, "\n", lines));
    gateway_.Replace("sluiced.yaml", "policy: \"\"", "policy: witnesses.policy");
  }
  // One witness of ours, and that it alone is needed.
  void AskOurWitness() {
    witness_ = std::make_unique<WitnessProcess>(
        "w1.gov.example/archive", std::vector<std::string>{gateway_.Path("log.vkey")});
    witness_->Start();
    AskWitnesses(absl::StrCat("witness archive ", witness_->vkey(), " http://", witness_->address(),
                              "\nquorum archive\n"));
  }
  void StopReleasesAfterEightSeconds() {
    gateway_.Replace("sluiced.yaml", "releases_stop_after: 0s", "releases_stop_after: 8s");
  }
  audit::TlogPolicy Policy() {
    return *audit::ParseTlogPolicy(gateway_.Read("witnesses.policy"), "p");
  }
  // Whether it carries the cosignatures that the policy asks for.
  bool IsCosigned(const std::string& note) {
    const auto verdict = audit::Judge(note, Policy());
    return verdict.ok() && verdict->quorum;
  }
  absl::StatusOr<v1::GetHeadResponse> Head() {
    return Call(gateway_.As("auditor"), cli::kGetHead, v1::GetHeadRequest());
  }
  // Until a cosigned head covers all that is in the log now.
  bool AllIsCosigned() {
    const auto status = Call(gateway_.As("operator"), cli::kGetStatus, {});
    const int64_t records = status.ok() ? status->log_records() : INT64_MAX;
    return Eventually([&] {
      const auto now = Call(gateway_.As("operator"), cli::kGetStatus, {});
      return now.ok() && now->cosigned_records() >= records;
    });
  }
  absl::StatusOr<v1::QueryResponse> Ask() {
    return Call(gateway_.As("relief"), cli::kQuery, Deployment::PersonsQuery());
  }
  // Asked for rows only where it says that it is not ready, or ready: calls are limited.
  bool IsStopped() {
    return http::StatusOf(Page("/readyz")) == 503 &&
           ReasonOf(Ask().status()) == v1::REASON_RELEASES_STOPPED;
  }
  bool GoesOn() { return http::StatusOf(Page("/readyz")) == 200 && Ask().ok(); }
  std::string Page(const std::string& path) {
    return http::Get(gateway_.Events("http_listening").at(0).at("address"), path);
  }
  std::set<std::string> Alarms() {
    std::set<std::string> names;
    const auto status = Call(gateway_.As("operator"), cli::kGetStatus, {});
    EXPECT_TRUE(status.ok()) << status.status();
    if (status.ok())
      for (const v1::Alarm& alarm : status->alarms()) names.insert(alarm.alarm());
    return names;
  }

  Deployment gateway_;
  std::string log_, origin_;
  std::unique_ptr<WitnessProcess> witness_;
};

TEST_F(CosigningTest, HeadsAndProofsCarryTheCosignatures) {
  AskOurWitness();
  gateway_.Start();
  gateway_.OfferSample();
  ASSERT_TRUE(Ask().ok());
  ASSERT_TRUE(AllIsCosigned());
  const auto head = Head();
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_TRUE(IsCosigned(head->checkpoint())) << head->checkpoint();
  // The whole log's only copy of what was cosigned is not the gateway's.
  EXPECT_TRUE(
      IsCosigned(http::BodyOf(http::Get(witness_->address(), witness::CheckpointPath(origin_)))));
  gateway_.Write("head", head->checkpoint());
  const Finished checked =
      gateway_.Local({"witness", "check", "head", "--policy", "witnesses.policy"});
  EXPECT_EQ(checked.code, 0) << checked.all();
  EXPECT_THAT(checked.output, HasSubstr("witness  archive saw it at "));

  gateway_.Done("auditor", {"audit", "prove", "3", "-o", "3.tlog-proof"});
  const auto proof = audit::ParseTlogProof(gateway_.Read("3.tlog-proof"));
  ASSERT_TRUE(proof.ok()) << proof.status();
  EXPECT_TRUE(IsCosigned(proof->checkpoint)) << proof->checkpoint;
  const Finished proved =
      gateway_.Local({"audit", "verify-proof", "3.tlog-proof", "--key", "log.vkey"});
  EXPECT_EQ(proved.code, 0) << proved.all();

  const std::string status = gateway_.Done("operator", {"--format", "table", "ops", "status"});
  EXPECT_THAT(status, HasSubstr("archive, cosigned "));
  EXPECT_THAT(Page("/metrics"), HasSubstr("\nsluice_witness_up{witness=\"archive\"} 1\n"));
  gateway_.Verify();
}

TEST_F(CosigningTest, AWitnessThatIsNotOursCosigns) {
  Process tiny(
      {"/usr/bin/python3", SLUICE_TEST_SCRIPTS "/tiny_witness.py",
       "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "tiny.example/w", log_},
      {});
  ASSERT_TRUE(tiny.WaitForError("\n")) << tiny.Errors();
  const std::vector<std::string> ready = absl::StrSplit(tiny.Errors(), absl::ByAnyChar(" \n"));
  AskWitnesses(absl::StrCat("witness tiny ", ready.at(2), " http://127.0.0.1:", ready.at(1),
                            "/\nquorum tiny\n"));
  gateway_.Start();
  gateway_.OfferSample();
  ASSERT_TRUE(AllIsCosigned());
  ASSERT_TRUE(Ask().ok());
  ASSERT_TRUE(AllIsCosigned());
  EXPECT_TRUE(IsCosigned(Head()->checkpoint()));
  // It had to name its size where a run of the gateway knew none, and a proof followed.
  std::filesystem::remove(gateway_.Path("derived/cosigned-head"));
  ASSERT_EQ(gateway_.Stop().code, 0);
  std::filesystem::remove(gateway_.Path("derived/cosigned-head"));
  gateway_.Start();
  ASSERT_TRUE(AllIsCosigned());
  EXPECT_THAT(tiny.Output(), HasSubstr("\n409 "));
  EXPECT_EQ(tiny.Output().find("422"), std::string::npos) << tiny.Output();
}

TEST_F(CosigningTest, ReleasesStopWithoutCosignaturesAndGoOnWithThem) {
  AskOurWitness();
  StopReleasesAfterEightSeconds();
  gateway_.Start();
  gateway_.OfferSample();
  ASSERT_TRUE(Ask().ok());
  // It answers nothing, and does not hang up.
  witness_->Signal(SIGSTOP);
  ASSERT_TRUE(Eventually([&] { return IsStopped(); }, 40'000));
  const auto refused = Ask();
  EXPECT_EQ(ErrorInfoOf(refused.status())->metadata().at("cause"), "cosignatures_old");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Alarms(), testing::Contains("cosignatures_old"));
  EXPECT_EQ(http::StatusOf(Page("/readyz")), 503);
  EXPECT_THAT(Page("/readyz"), HasSubstr("alarm cosignatures_old: "));
  EXPECT_THAT(Page("/metrics"), HasSubstr("\nsluice_releases_stopped 1\n"));
  EXPECT_THAT(Page("/metrics"), HasSubstr("\nsluice_alarm{alarm=\"cosignatures_old\"} 1\n"));
  const Finished alarms = gateway_.Sluice("operator", {"--format", "table", "ops", "alarms"});
  EXPECT_EQ(alarms.code, 1);
  EXPECT_THAT(alarms.output, HasSubstr("cosignatures_old"));
  witness_->Signal(SIGCONT);
  EXPECT_TRUE(Eventually([&] { return GoesOn(); }, 40'000));
  EXPECT_TRUE(Eventually([&] { return Alarms().empty(); }));
  EXPECT_EQ(http::StatusOf(Page("/readyz")), 200);

  // It is gone.
  witness_->Kill();
  ASSERT_TRUE(Eventually([&] { return IsStopped(); }, 40'000));
  witness_->Start();
  EXPECT_TRUE(Eventually([&] { return GoesOn(); }, 40'000));
  // What was refused is in the log, and says so.
  bool recorded = false;
  for (const v1::Record& record : gateway_.Records(v1::RECORD_KIND_FAILED))
    recorded |= record.envelope().reason() == v1::REASON_RELEASES_STOPPED;
  EXPECT_TRUE(recorded);
}

// A snapshot with everything on it: log, control store and kept head of one moment.
TEST_F(CosigningTest, ASnapshotWithEverythingOnItIsRefusedByTheWitness) {
  AskOurWitness();
  StopReleasesAfterEightSeconds();
  gateway_.Start();
  gateway_.OfferSample();
  ASSERT_TRUE(AllIsCosigned());
  ASSERT_EQ(gateway_.Stop().code, 0);
  const auto copy = [&](const std::string& from, const std::string& to) {
    std::filesystem::remove_all(gateway_.Path(to));
    std::filesystem::copy(
        gateway_.Path(from), gateway_.Path(to),
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  };
  const std::vector<std::string> all = {"audit", "state", "derived", "keys"};
  for (const std::string& folder : all) copy(folder, "older-" + folder);
  gateway_.Start();
  ASSERT_TRUE(Ask().ok());
  ASSERT_TRUE(AllIsCosigned());
  ASSERT_EQ(gateway_.Stop().code, 0);
  for (const std::string& folder : all) copy("older-" + folder, folder);

  // Nothing on the machine tells: it starts, and is not cosigned.
  gateway_.Start();
  ASSERT_TRUE(Eventually([&] { return IsStopped(); }, 40'000));
  EXPECT_FALSE(gateway_.Events("witness_is_ahead").empty() &&
               gateway_.Events("witness_silent").empty());
  const auto status = Call(gateway_.As("operator"), cli::kGetStatus, {});
  ASSERT_TRUE(status.ok());
  EXPECT_NE(status->witnesses(0).failure(), "");
  ASSERT_EQ(gateway_.Stop().code, 0);

  // Asked at start, the witness has it refused.
  gateway_.Replace("sluiced.yaml", "heads_at: []",
                   absl::StrCat("heads_at: [\"http://", witness_->address(),
                                witness::CheckpointPath(origin_), "\"]"));
  for (const std::string& folder : all) copy("older-" + folder, folder);
  const Finished refused = Execute({"sluiced", "--config", gateway_.Path("sluiced.yaml")});
  EXPECT_EQ(refused.code, 65) << refused.errors;
  EXPECT_THAT(refused.errors, HasSubstr("older state of the log"));
}

TEST_F(CosigningTest, MistakesInThePolicyRefuseTheStart) {
  const std::string witness = "witness a w.example/a+00000000+AAAA\n";
  const struct {
    std::string lines, told;
  } cases[] = {{"quorum b\n", "witnesses.policy:2: \"b\" is no witness"},
               {witness + "quorum none\n", "witnesses.policy:2: "}};
  AskWitnesses("");
  for (const auto& one : cases) {
    gateway_.Write("witnesses.policy", absl::StrCat("log ", log_, "\n", one.lines));
    const Finished refused =
        Execute({"sluiced", "--config", gateway_.Path("sluiced.yaml"), "--check"});
    EXPECT_EQ(refused.code, 78) << refused.errors;
    EXPECT_THAT(refused.errors, HasSubstr(one.told));
  }
  gateway_.Write("witnesses.policy", absl::StrCat("log ", log_, "\nquorum none\n"));
  StopReleasesAfterEightSeconds();
  const Finished refused =
      Execute({"sluiced", "--config", gateway_.Path("sluiced.yaml"), "--check"});
  EXPECT_EQ(refused.code, 78);
  EXPECT_THAT(refused.errors, HasSubstr("has \"quorum none\""));
}

// More than any disk has free.
TEST_F(CosigningTest, ReleasesStopBeforeTheDiskIsFull) {
  gateway_.Replace("sluiced.yaml", "disk_low: 256MiB", "disk_low: 1000000GiB");
  gateway_.Start();
  gateway_.OfferSample();
  const auto refused = Ask();
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_RELEASES_STOPPED) << refused.status();
  EXPECT_EQ(ErrorInfoOf(refused.status())->metadata().at("cause"), "disk_low");
  EXPECT_THAT(Alarms(), testing::Contains("disk_low"));
  EXPECT_EQ(http::StatusOf(Page("/readyz")), 503);
  // The log itself goes on.
  EXPECT_FALSE(gateway_.Records(v1::RECORD_KIND_FAILED).empty());
}

// A byte of an old segment changes under a gateway that runs.
TEST_F(CosigningTest, WhatDoesNotReadBackStopsReleases) {
  gateway_.Replace("sluiced.yaml", "rest: 1d", "rest: 1s");
  gateway_.Replace("sluiced.yaml", "rate: 4MiB", "rate: 1GiB");
  gateway_.Start();
  gateway_.OfferSample();
  ASSERT_TRUE(Ask().ok());
  ASSERT_TRUE(Eventually([&] {
    return Page("/metrics").find("\nsluice_scrub_passes_total 0\n") == std::string::npos;
  }));
  // What no head covers is read back before one is signed, and is not the scrub's to find.
  ASSERT_TRUE(Eventually([&] {
    const auto status = Call(gateway_.As("operator"), cli::kGetStatus, {});
    return status.ok() && status->head_records() == status->log_records();
  }));
  const std::string segment = "audit/segments/000001";
  // In place: the log is written to meanwhile.
  std::fstream file(gateway_.Path(segment), std::ios::in | std::ios::out | std::ios::binary);
  const auto flip = [&] {
    file.seekg(4096 + 200);
    const char byte = static_cast<char>(file.get());
    file.seekp(4096 + 200);
    file.put(static_cast<char>(byte ^ 1));
    file.flush();
  };
  flip();
  ASSERT_TRUE(Eventually([&] { return IsStopped(); }, 40'000)) << gateway_.daemon().Errors();
  EXPECT_THAT(Alarms(), testing::Contains("scrub_mismatch"));
  // A later pass that finds it sound, as after a repair, lets releases go on.
  flip();
  EXPECT_TRUE(Eventually([&] { return GoesOn(); }, 40'000));
}

}  // namespace
}  // namespace sluice::system_test
