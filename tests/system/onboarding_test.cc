// Two departments get to know each other: three people, each at a desk of its own, from a request
// for a certificate to the first row. Then the mistakes that people make there: each is told with
// the thing, the place and what to do.
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "certs/authority_testing.h"
#include "cli/failure.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/desk.h"

namespace sluice::system_test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kBenefits[] = "agency/civil-affairs/system/benefits";
constexpr char kPersons[] = "public-security/persons";

// The word after `before`, as a person reads it off the screen.
std::string WordAfter(const std::string& text, const std::string& before) {
  const size_t at = text.find(before);
  if (at == std::string::npos) {
    ADD_FAILURE() << "no \"" << before << "\" in\n" << text;
    return "";
  }
  const size_t begin = at + before.size();
  return text.substr(begin, text.find_first_of(" ,\n", begin) - begin);
}

// What an error must say to be of use.
struct Told {
  std::string reason;
  std::string thing, place;
  std::string remedy;  // in the line "next", or in the sentence of what has no such line
};

void ExpectTold(const Finished& finished, int code, const Told& told) {
  EXPECT_EQ(finished.code, code) << finished.all();
  EXPECT_THAT(finished.errors, StartsWith("error: " + told.reason + ": "));
  EXPECT_THAT(finished.errors, HasSubstr(told.thing));
  EXPECT_THAT(finished.errors, HasSubstr(told.place));
  const size_t next = finished.errors.find("\n  next ");
  ASSERT_NE(next, std::string::npos) << finished.errors;
  EXPECT_THAT(finished.errors.substr(next), HasSubstr(told.remedy));
  EXPECT_EQ(finished.output, "");
}

class OnboardingTest : public testing::Test {
 protected:
  // A gateway whose operator has the authority at a desk elsewhere, and whose owner has described
  // a dataset on which there is no grant.
  void SetUp() override {
    gateway_.Start();
    operator_.Take(gateway_.Path("ca"), "ca");
    std::filesystem::remove_all(gateway_.Path("ca"));
    SitDown(operator_, "operator");
    SitDown(owner_, "residents-owner");
    SitDown(office_, "regions-owner");  // civil-affairs' sharing office, too
    operator_.Take(gateway_.Path("sources/residents.yaml"), "residents.yaml");
    operator_.Done({"source", "apply", "residents.yaml"});
    owner_.Take(gateway_.Path("datasets/persons.yaml"), "persons.yaml");
    owner_.Done({"catalogue", "apply", "persons.yaml"});
  }

  // Somebody who has a certificate since long.
  void SitDown(Desk& desk, const std::string& party) {
    for (const char* file : {"certificate.pem", "key.pem"})
      desk.Take(gateway_.Path(absl::StrCat("profiles/", party, "/", file)), file);
    desk.Take(gateway_.Path("tls/authority.pem"), "authority.pem");
    desk.WriteProfile(gateway_);
  }

  // Key and request at the engineer's desk, the certificate from the operator's, and registered.
  void GetACertificate() {
    engineer_.Done({"certs", "request", kBenefits, "--trust-domain", "gov.example"});
    operator_.Take(engineer_.Path("request.pem"), "benefits.csr");
    operator_.Done({"certs", "sign", "benefits.csr", "--ca", "ca", "--as", kBenefits,
                    "--trust-domain", "gov.example", "-o", "benefits.pem"});
    operator_.Done({"system", "add", "civil-affairs/benefits", "--en", "Benefits"});
    engineer_.Take(operator_.Path("benefits.pem"), "certificate.pem");
    engineer_.Take(operator_.Path("ca/ca.pem"), "authority.pem");
    engineer_.WriteProfile(gateway_);
  }

  // Returns its id.
  std::string AskForAccess() {
    const std::string said =
        engineer_.Done({"access", "request", kPersons, "--purpose", "relief", "--law",
                        "社会救助暂行办法", "--article", "第五十八条", "--systems", "benefits",
                        "--fields", "id_number,name,birth_date,county", "--until", "90d", "--why",
                        "Caseworkers check who lives here before they pay."});
    const std::string request = WordAfter(said, "ACCESS REQUEST ");
    office_.Done({"access", "submit", request});
    return request;
  }

  // Returns the grant's id.
  std::string Approve(const std::string& request) {
    const std::string said =
        owner_.Done({"access", "approve", request, "--mask", "name=partial(1..0)", "--mask",
                     "birth_date=date(year)", "--filter", "id_number=exact"});
    return WordAfter(said, "GRANT ");
  }

  // All of it; returns the grant's id.
  std::string Onboard() {
    GetACertificate();
    return Approve(AskForAccess());
  }

  Finished Query(std::vector<std::string> more = {}, const std::string& purpose = "relief") {
    std::vector<std::string> query = {"query", kPersons, "--purpose", purpose};
    query.insert(query.end(), more.begin(), more.end());
    return engineer_.Type(query);
  }

  // The engineer's certificate becomes one whose period is another.
  void MovePeriod(Micros by) {
    const Micros now = MakeSystemClock()->Now();
    const auto authority = certs::TestAuthority::Root("Another authority", now);
    const auto leaf = authority.Issue(absl::StrCat("spiffe://gov.example/", kBenefits),
                                      [by](certs::CertificateSpec& spec) {
                                        spec.not_before += by;
                                        spec.not_after += by;
                                      });
    engineer_.Write("certificate.pem", leaf.certificate_pem);
    engineer_.Write("key.pem", leaf.key_pem);
  }

  Deployment gateway_;
  Desk operator_, engineer_, owner_, office_;
};

TEST_F(OnboardingTest, FromACertificateRequestToTheFirstRowInEightCommands) {
  const int operators = operator_.typed(), owners = owner_.typed(), offices = office_.typed();
  GetACertificate();
  const std::string request = AskForAccess();

  const std::string shown = owner_.Done({"access", "show", request});
  EXPECT_THAT(shown, HasSubstr("civil-affairs/benefits"));
  EXPECT_THAT(shown, HasSubstr("社会救助暂行办法 第五十八条"));
  EXPECT_THAT(shown, HasSubstr("Caseworkers check who lives here before they pay."));
  EXPECT_THAT(shown, HasSubstr("id_number   partial 3..4"));  // as the dataset demands
  EXPECT_THAT(shown, HasSubstr("next      sluice access preview " + request));
  const std::string grant = Approve(request);

  const std::string rows = engineer_.Done(
      {"query", kPersons, "--purpose", "relief", "--where", "id_number = $id", "--param", "id=@-"},
      SampleIds()[0] + "\n");
  EXPECT_THAT(rows, HasSubstr("990***********3019 │ 张*  │ 1950-01-01 │ 东城区"));
  EXPECT_THAT(rows, HasSubstr("grant    " + grant + " r1 · law 社会救助暂行办法 第五十八条"));

  EXPECT_LE(operator_.typed() - operators, 3);
  EXPECT_LE(engineer_.typed(), 4);
  EXPECT_LE(owner_.typed() - owners, 2);
  EXPECT_LE(office_.typed() - offices, 1);
  // Nobody's key has left its desk, and the authority's is not on the gateway.
  EXPECT_FALSE(std::filesystem::exists(gateway_.Path("ca")));
  EXPECT_THAT(gateway_.Verify(), HasSubstr("verified"));
}

TEST_F(OnboardingTest, AWrongAuthorityInTheProfile) {
  GetACertificate();
  Desk elsewhere;
  ASSERT_EQ(elsewhere.Type({"init", "gw", "--listen", "127.0.0.1:0"}).code, 0);
  engineer_.Take(elsewhere.Path("gw/tls/authority.pem"), "authority.pem");
  ExpectTold(engineer_.Type({"whoami"}), 1,
             {"SERVER_NOT_TRUSTED", "the gateway's certificate", "./authority.pem",
              "ask the operator for the authority's ca.pem"});
}

TEST_F(OnboardingTest, ASystemThatNobodyRegistered) {
  engineer_.Done({"certs", "request", kBenefits, "--trust-domain", "gov.example"});
  operator_.Take(engineer_.Path("request.pem"), "benefits.csr");
  operator_.Done({"certs", "sign", "benefits.csr", "--ca", "ca", "--as", kBenefits,
                  "--trust-domain", "gov.example", "-o", "benefits.pem"});
  engineer_.Take(operator_.Path("benefits.pem"), "certificate.pem");
  engineer_.Take(operator_.Path("ca/ca.pem"), "authority.pem");
  engineer_.WriteProfile(gateway_);
  ExpectTold(engineer_.Type({"whoami"}), 3,
             {"CERTIFICATE_REFUSED", "the certificate of profile.yaml", "./certificate.pem",
              "sluice system list"});
}

TEST_F(OnboardingTest, AnExpiredCertificate) {
  GetACertificate();
  MovePeriod(-200 * kDay);
  ExpectTold(engineer_.Type({"whoami"}), 3,
             {"CERTIFICATE_EXPIRED", "has expired at", "./certificate.pem", "sluice certs renew"});
}

// To a clock that is slow, a certificate is not valid yet: a new one would be no better.
TEST_F(OnboardingTest, AClockThatIsSlow) {
  GetACertificate();
  MovePeriod(30 * kDay);
  const Finished refused = engineer_.Type({"whoami"});
  ExpectTold(refused, 3,
             {"CERTIFICATE_EXPIRED", "is not valid before", "./certificate.pem",
              "set this machine's clock"});
  EXPECT_THAT(refused.errors, Not(HasSubstr("certs renew")));
}

TEST_F(OnboardingTest, AFieldMisspelt) {
  GetACertificate();
  // In a request for access, as a file.
  engineer_.Write("request.yaml",
                  "dataset: public-security/persons\n"
                  "purposes: [relief]\n"
                  "basis: {law: \"社会救助暂行办法\", article: \"第五十八条\"}\n"
                  "fields: [id_number, nmae]\n"
                  "expires: \"2099-01-01T00:00:00Z\"\n");
  ExpectTold(engineer_.Type({"access", "request", "-f", "request.yaml"}), 2,
             {"DEFINITION_INVALID", "no such field", "request.yaml:4: fields[1]", "Mend"});
  // In a query: its place in the request, or in the filter's text.
  Approve(AskForAccess());
  ExpectTold(Query({"--fields", "county,nmae"}), 2,
             {"FIELD_UNKNOWN", "nearest    name", "fields[1]", "sluice catalogue show"});
  ExpectTold(Query({"--where", "cuonty = \"东城区\""}), 2,
             {"FIELD_UNKNOWN", "nearest   county", "position  1", "sluice catalogue show"});
  // In the owner's file.
  owner_.Write("persons.yaml", "dataset: public-security/persons\nfeilds: []\n");
  ExpectTold(owner_.Type({"catalogue", "apply", "persons.yaml"}), 2,
             {"DEFINITION_INVALID", "feilds", "persons.yaml:2", "mend it and apply again"});
}

TEST_F(OnboardingTest, APurposeThatWasNotGranted) {
  const std::string grant = Onboard();
  ExpectTold(Query({}, "census"), 3,
             {"PURPOSE_NOT_GRANTED", "holds no grant on public-security/persons for \"census\"",
              "held     " + grant + "  relief", "apply for this one: sluice access request"});
}

TEST_F(OnboardingTest, AFileThatIsNotThere) {
  const Finished before = operator_.Type({"certs", "sign", "benefits.csr", "--ca", "ca", "--as",
                                          kBenefits, "--trust-domain", "gov.example", "-o", "x"});
  ExpectTold(before, 2, {"FILE_NOT_READ", "No such file", "benefits.csr", "ls -l benefits.csr"});
  ExpectTold(owner_.Type({"catalogue", "apply", "gone/persons.yaml"}), 2,
             {"FILE_NOT_READ", "No such file", "gone/persons.yaml", "ls -l gone/persons.yaml"});
  GetACertificate();
  for (const char* file : {"key.pem", "certificate.pem", "authority.pem"}) {
    std::filesystem::rename(engineer_.Path(file), engineer_.Path("kept"));
    const Finished refused = engineer_.Type({"whoami"});
    ExpectTold(refused, 2,
               {"PROFILE_INVALID", "No such file", absl::StrCat("./", file, ": "), " there"});
    EXPECT_THAT(refused.errors, HasSubstr("\n  profile  profile.yaml\n"));
    std::filesystem::rename(engineer_.Path("kept"), engineer_.Path(file));
  }
  engineer_.Done({"whoami"});
}

// What a daemon says has no line "next": its supervisor's log has one line.
TEST_F(OnboardingTest, APortThatAnotherGatewayHas) {
  const Deployment second;
  second.Replace("sluiced.yaml", "127.0.0.1:0", gateway_.address());
  const Finished refused = Execute({"sluiced", "--config", second.Path("sluiced.yaml")});
  EXPECT_EQ(refused.code, 78) << refused.all();
  EXPECT_THAT(refused.errors, HasSubstr("error: START_REFUSED: listen: cannot bind " +
                                        gateway_.address() + "; is another process on it?"));
  // The first one goes on.
  owner_.Done({"whoami"});
}

TEST_F(OnboardingTest, AnApprovalWithAWeakerMaskThanTheDatasetDemands) {
  GetACertificate();
  const std::string request = AskForAccess();
  ExpectTold(owner_.Type({"access", "approve", request, "--mask", "id_number=none"}), 2,
             {"DEFINITION_INVALID", "the dataset demands at least partial(3..4)",
              "terms.fields[0].mask", "Mend them"});
  ExpectTold(owner_.Type({"access", "approve", request, "--mask", "id_nubmer=null"}), 2,
             {"USAGE", "the field \"id_nubmer\" is not in it", "--mask",
              "one of id_number, name, birth_date, county"});
  // From a file, with its line.
  owner_.Write("terms.yaml", "fields:\n  - {name: id_number, mask: \"partial(6..4)\"}\n");
  ExpectTold(owner_.Type({"access", "approve", request, "-f", "terms.yaml"}), 2,
             {"DEFINITION_INVALID", "the dataset demands at least partial(3..4)",
              "terms.yaml:2: fields[0].mask", "Mend them"});
  EXPECT_THAT(owner_.Done({"access", "show", request}), HasSubstr("SUBMITTED"));
}

TEST_F(OnboardingTest, ARequestDecidedTwice) {
  GetACertificate();
  const std::string request = AskForAccess();
  const std::string grant = Approve(request);
  const std::string look = "sluice access show";
  ExpectTold(owner_.Type({"access", "approve", request}), 1,
             {"STEP_NOT_ALLOWED", "is granted: this step cannot be taken now", request, look});
  ExpectTold(owner_.Type({"access", "refuse", request, "--reason", "more than is needed", "--law",
                          "政务数据共享条例", "--article", "第二十一条"}),
             1, {"STEP_NOT_ALLOWED", "is granted: this step cannot be taken now", request, look});
  ExpectTold(engineer_.Type({"access", "withdraw", request}), 1,
             {"STEP_NOT_ALLOWED", "is granted: this step cannot be taken now", request, look});
  EXPECT_THAT(owner_.Done({"grant", "list"}), HasSubstr(grant));
  EXPECT_THAT(owner_.Done({"access", "list"}), HasSubstr("granted"));
}

// Two people of the owner's change what both have read.
TEST_F(OnboardingTest, AChangeThatWouldUndoAnothers) {
  v1::GetDatasetRequest get;
  get.set_name(kPersons);
  cli::Gateway& api = gateway_.As("residents-owner");
  const auto read = Call(api, cli::kGetDataset, get);
  ASSERT_TRUE(read.ok()) << read.status();
  v1::ApplyDatasetRequest first, second;
  *first.mutable_dataset() = *second.mutable_dataset() = read->dataset();
  first.mutable_dataset()->mutable_title()->set_en("Residents, by the first");
  second.mutable_dataset()->mutable_title()->set_en("Residents, by the second");
  ASSERT_TRUE(Call(api, cli::kApplyDataset, first).ok());
  const auto lost = Call(api, cli::kApplyDataset, second);
  ASSERT_FALSE(lost.ok());
  ExpectTold({1, "", cli::FormatFailure(cli::DescribeFailure(lost.status()))}, 1,
             {"ETAG_MISMATCH", "Somebody changed it since you read it", "etag",
              "Read it again, then change it"});
  EXPECT_THAT(owner_.Done({"catalogue", "show", kPersons}), HasSubstr("by the first"));
}

TEST_F(OnboardingTest, ADatasetRetypedBreaksItsGrantsOnlyWhereTheOwnerSaysSo) {
  const std::string grant = Onboard();
  gateway_.Replace("datasets/persons.yaml", "column: born, type: date32",
                   "column: born, type: utf8");
  owner_.Take(gateway_.Path("datasets/persons.yaml"), "persons.yaml");
  const std::string effect = "the mask date(year) cannot stand on utf8";
  const std::string dry = owner_.Done({"catalogue", "apply", "persons.yaml", "--dry-run"});
  EXPECT_THAT(dry, HasSubstr(grant + " │ civil-affairs │ ENDS │"));
  EXPECT_THAT(dry, HasSubstr(effect));
  EXPECT_THAT(dry, HasSubstr("--break-grants"));
  const Finished refused = owner_.Type({"catalogue", "apply", "persons.yaml"});
  ExpectTold(refused, 1,
             {"STILL_IN_USE", effect, "grants." + grant, "sluice explain STILL_IN_USE"});
  EXPECT_THAT(refused.errors, HasSubstr("say that they may break"));
  EXPECT_EQ(Query().code, 0);

  owner_.Done({"catalogue", "apply", "persons.yaml", "--break-grants"});
  ExpectTold(Query(), 3, {"GRANT_REVOKED", "grant " + grant, kPersons, "Ask the owner"});
  EXPECT_THAT(owner_.Done({"grant", "show", grant}),
              HasSubstr("REVOKED: cannot stand on revision 2 of public-security/persons"));
}

}  // namespace
}  // namespace sluice::system_test
