// A log that cannot go on is ended by two persons, and the gateway goes on with its successor.
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class SealTest : public testing::Test {
 protected:
  SealTest() {
    gateway_.Start();
    gateway_.OfferSample();
    Ask();
    EXPECT_EQ(gateway_.Stop().code, 0);
  }

  void Ask() {
    const auto reply = Call(gateway_.As("relief"), cli::kQuery, Deployment::PersonsQuery());
    EXPECT_TRUE(reply.ok()) << reply.status();
  }

  Finished Prepare() {
    return gateway_.Local({"audit", "seal", "prepare", "audit", "--key", "log.vkey", "--reason",
                           "disk 2 failed, no newer backup", "--head", "state/kept-head"});
  }
  // By the party's own key. The name of the signature's file.
  std::string Sign(const std::string& party) {
    const Finished signed_it =
        gateway_.Local({"audit", "seal", "sign", "seal.txt", "--cert",
                        absl::StrCat("profiles/", party, "/certificate.pem"), "--key",
                        absl::StrCat("profiles/", party, "/key.pem"), "-o", party + ".sig"});
    EXPECT_EQ(signed_it.code, 0) << signed_it.all();
    return party + ".sig";
  }
  Finished Finish(const std::vector<std::string>& signatures,
                  const std::string& authority = "tls/authority.pem",
                  const std::string& list = "tls/revocation.pem") {
    std::vector<std::string> arguments = {"audit", "seal", "finish", "seal.txt"};
    arguments.insert(arguments.end(), signatures.begin(), signatures.end());
    for (const std::string& word :
         {std::string("--log"), std::string("audit"), std::string("--key"), std::string("log.vkey"),
          std::string("--authority"), authority, std::string("--revocation-list"), list})
      arguments.push_back(word);
    return gateway_.Local(arguments);
  }
  void Refused(const Finished& ran, const std::string& why) {
    EXPECT_NE(ran.code, 0);
    EXPECT_THAT(ran.errors, HasSubstr(why));
    EXPECT_TRUE(fs::exists(gateway_.Path("audit/segments")));
    EXPECT_FALSE(fs::exists(gateway_.Path("log-2.key")));
  }

  // The start is refused; two persons seal; the gateway goes on. Returns the sealed log's folder.
  std::string SealAndGoOn(const std::string& lost) {
    Process refused({"sluiced", "--config", gateway_.Path("sluiced.yaml")}, {});
    EXPECT_NE(refused.Wait().code, 0);
    const Finished prepared = Prepare();
    EXPECT_EQ(prepared.code, 0) << prepared.all();
    EXPECT_THAT(prepared.output, HasSubstr(lost));
    const Finished finished = Finish({Sign("auditor"), Sign("authority")});
    EXPECT_EQ(finished.code, 0) << finished.all();
    EXPECT_THAT(finished.output, HasSubstr("disk 2 failed, no newer backup"));
    gateway_.Replace("sluiced.yaml", "/log\n", "/log/2\n");
    gateway_.Replace("sluiced.yaml", "log.key", "log-2.key");
    gateway_.Replace("sluiced.yaml", "state/kept-head ", "state/kept-head-2 ");
    for (int i = 0; i < 2; ++i) {  // the second start is like any other
      gateway_.Start();
      Ask();
      EXPECT_EQ(gateway_.Stop().code, 0);
    }
    gateway_.Start();
    const auto sealed = gateway_.Records(v1::RECORD_KIND_SEALED);
    EXPECT_EQ(sealed.size(), 1u);
    if (sealed.size() == 1) {
      EXPECT_EQ(sealed[0].index(), 0);
      const v1::SealInfo& info = sealed[0].envelope().seal();
      EXPECT_EQ(info.statement(), gateway_.Read("seal.txt"));
      EXPECT_EQ(info.signers(0).principal(), "agency/audit-office/person/auditor");
      EXPECT_EQ(info.signers(1).principal(), "agency/data-bureau/person/authority");
    }
    EXPECT_EQ(gateway_.Stop().code, 0);
    const Finished successor = gateway_.Local({"audit", "verify", "audit", "--key", "log-2.vkey"});
    EXPECT_EQ(successor.code, 0) << successor.all();
    EXPECT_THAT(successor.output, HasSubstr("continues"));
    EXPECT_THAT(successor.output, HasSubstr("/log, sealed with"));
    for (const auto& entry : fs::directory_iterator(gateway_.Path("")))
      if (entry.path().filename().string().starts_with("audit.sealed-")) return entry.path();
    ADD_FAILURE() << "the old log is gone";
    return "";
  }

  Finished VerifySealed(const std::string& folder) {
    return gateway_.Local({"audit", "verify", folder, "--key", "log.vkey"});
  }

  Deployment gateway_;
};

TEST_F(SealTest, ALogThatIsCorruptInItsMiddleIsEndedAtWhatVerifies) {
  const std::string segment = gateway_.Path("audit/segments/000001");
  std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
  ASSERT_TRUE(file.good());
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const size_t used = text.find_last_not_of('\0');
  file.clear();
  file.seekp(static_cast<std::streamoff>(used / 2));
  file.put(static_cast<char>(~text[used / 2]));
  file.close();
  const std::string before = Execute({"sha256sum", segment}).output.substr(0, 64);
  const std::string sealed = SealAndGoOn("which a head was signed over");
  const Finished verified = VerifySealed(sealed);
  EXPECT_EQ(verified.code, 1) << verified.all();
  EXPECT_THAT(verified.errors, HasSubstr("LOG_BROKEN"));
  EXPECT_THAT(verified.errors, HasSubstr("by agency/audit-office/person/auditor and "));
  EXPECT_EQ(Execute({"sha256sum", sealed + "/segments/000001"}).output.substr(0, 64), before);
}

TEST_F(SealTest, AnOlderBackupIsEndedWithWhatItLacks) {
  fs::copy(gateway_.Path("audit"), gateway_.Path("backup"), fs::copy_options::recursive);
  gateway_.Start();
  gateway_.AddSystem("civil-affairs", "later");
  Ask();
  EXPECT_EQ(gateway_.Stop().code, 0);
  fs::remove_all(gateway_.Path("audit"));
  fs::rename(gateway_.Path("backup"), gateway_.Path("audit"));
  const std::string sealed = SealAndGoOn("which a head was signed over");
  const Finished verified = VerifySealed(sealed);
  EXPECT_EQ(verified.code, 0) << verified.all();
  EXPECT_THAT(verified.output, HasSubstr("are lost"));
  // Put back where it was, it is not begun again.
  fs::remove_all(gateway_.Path("audit"));
  fs::rename(sealed, gateway_.Path("audit"));
  gateway_.Replace("sluiced.yaml", "/log/2\n", "/log\n");
  gateway_.Replace("sluiced.yaml", "log-2.key", "log.key");
  gateway_.Replace("sluiced.yaml", "state/kept-head-2 ", "state/kept-head-none ");
  const Finished again = Execute({"sluiced", "--config", gateway_.Path("sluiced.yaml")});
  EXPECT_EQ(again.code, 65) << again.all();
  EXPECT_THAT(again.errors, HasSubstr("this log was ended"));
}

TEST_F(SealTest, ALogWhoseKeyIsLostIsEndedWhole) {
  ASSERT_TRUE(fs::remove(gateway_.Path("log.key")));
  const std::string sealed = SealAndGoOn("nothing that a known head was signed over");
  const Finished verified = VerifySealed(sealed);
  EXPECT_EQ(verified.code, 0) << verified.all();
  EXPECT_THAT(verified.output, HasSubstr("sealed"));
  EXPECT_THAT(verified.output, Not(HasSubstr("are lost")));
}

TEST_F(SealTest, OneAloneSealsNothingNorDoAlteredStatementsOrStrangers) {
  ASSERT_EQ(Prepare().code, 0);
  const std::string auditor = Sign("auditor");
  Refused(Finish({auditor}), "two signatures are needed");
  Refused(Finish({auditor, auditor}), "by two persons");
  Refused(Finish({auditor, Sign("relief")}), "is no person");
  const std::string authority = Sign("authority");
  Refused(Finish({auditor, authority, Sign("operator")}), "two signatures are needed");
  const Deployment other;
  Refused(Finish({auditor, authority}, other.Path("tls/authority.pem"),
                 other.Path("tls/revocation.pem")),
          "CERTIFICATE_INVALID");
  const std::string statement = gateway_.Read("seal.txt");
  gateway_.Replace("seal.txt", "disk 2", "disk 3");
  Refused(Finish({auditor, authority}), "altered");
  gateway_.Write("seal.txt", statement);
  // What is sealed is what was signed.
  gateway_.Start();
  Ask();
  Refused(Finish({auditor, authority}), "a gateway runs on this log");
  EXPECT_EQ(gateway_.Stop().code, 0);
  Refused(Finish({auditor, authority}), "the log is not what was signed");
}

TEST_F(SealTest, AFinishThatWasInterruptedGoesOn) {
  ASSERT_EQ(Prepare().code, 0);
  const std::vector<std::string> signatures = {Sign("auditor"), Sign("authority")};
  // Killed once the seal was written, before a folder had another name.
  fs::create_directories(gateway_.Path("audit.successor"));
  gateway_.Write("audit.successor/seal", "sluice-");
  const Finished finished = Finish(signatures);
  EXPECT_EQ(finished.code, 0) << finished.all();
  const std::string key = gateway_.Read("log-2.key");
  // Killed between the two names.
  fs::rename(gateway_.Path("audit"), gateway_.Path("audit.successor"));
  const Finished again = Finish(signatures);
  EXPECT_EQ(again.code, 0) << again.all();
  EXPECT_TRUE(fs::exists(gateway_.Path("audit/seal")));
  EXPECT_FALSE(fs::exists(gateway_.Path("audit/segments")));
  EXPECT_FALSE(fs::exists(gateway_.Path("audit.successor")));
  EXPECT_EQ(gateway_.Read("log-2.key"), key);
  // Once more is once too often: the successor's folder is no log that could be sealed.
  EXPECT_NE(Finish(signatures).code, 0);
}

}  // namespace
}  // namespace sluice::system_test
