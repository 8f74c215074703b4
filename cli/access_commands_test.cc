// sluice access, as the one who asks and the one who decides see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/methods.h"
#include "cli/tool_testing.h"
#include "gateway/base/cases_testing.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/records/row_batch.h"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

v1::AccessRequest Request() {
  v1::AccessRequest request;
  request.set_id("r-7q4m2k");
  request.set_dataset("public-security/persons");
  request.set_consumer_agency("civil-affairs");
  request.add_systems("relief");
  request.add_purposes("relief");
  request.mutable_basis()->set_law("社会救助暂行办法");
  request.mutable_basis()->set_article("第五十八条");
  request.add_fields("id_number");
  request.add_fields("county");
  request.add_modes(v1::MODE_QUERY);
  *request.mutable_expires() = At("2027-04-01T00:00:00+08:00");
  request.set_state(v1::ACCESS_REQUEST_STATE_SUBMITTED);
  *request.mutable_submitted() = At("2026-11-20T09:00:00+08:00");
  request.set_submitted_by("agency/civil-affairs/person/wang");
  request.set_etag("e1");
  v1::AccessStep& step = *request.add_steps();
  step.set_action(v1::ACCESS_ACTION_SUBMIT);
  step.set_office(v1::SHARING_OFFICE_REQUESTER_OFFICE);
  step.set_state(request.state());
  *step.mutable_taken() = request.submitted();
  step.set_taken_by(request.submitted_by());
  return request;
}

v1::GetAccessRequestResponse ForTheOwner() {
  v1::GetAccessRequestResponse answer;
  *answer.mutable_request() = Request();
  answer.add_actions(v1::ACCESS_ACTION_GRANT);
  v1::Grant& grant = *answer.mutable_proposed();
  grant.add_fields()->set_name("id_number");
  *grant.mutable_fields(0)->mutable_mask() = *catalogue::ParseMask("partial(3..4)");
  grant.add_fields()->set_name("county");
  return answer;
}

// Rows of one column, as Preview gives them, with a receipt about them.
v1::QueryResponse Preview(const std::string& access_request) {
  records::ColumnBuilder county(records::DataType{records::TypeId::kUtf8});
  county.AppendBytes("东城区");
  county.AppendBytes("西城区");
  std::vector<records::Column> columns;
  columns.push_back(county.Finish());
  const auto schema = std::make_shared<const records::Schema>(
      std::vector<records::Field>{{"county", records::DataType{records::TypeId::kUtf8}}});
  v1::QueryResponse response;
  response.set_rows(2);
  response.set_media_type(std::string(records::kRowBatchMediaType));
  response.set_payload(
      records::EncodeRowBatch(records::RecordBatch(schema, std::move(columns), 2)));
  v1::AuditEnvelope envelope;
  envelope.set_kind(v1::RECORD_KIND_PREVIEWED);
  envelope.set_resource_name(access_request);
  envelope.set_count(2);
  envelope.set_payload_bytes(static_cast<int64_t>(response.payload().size()));
  envelope.set_media_type(response.media_type());
  envelope.set_digest(std::string(AsBytes(Sha256(response.payload()))));
  *response.mutable_receipt() = Tool::ReceiptOf(envelope, 18344);
  return response;
}

v1::CheckResponse Checked(const std::string& purpose) {
  v1::CheckResponse response;
  response.mutable_applied()->set_grant("7q4m2k");
  response.mutable_applied()->set_grant_revision(2);
  response.mutable_applied()->add_fields()->set_name("county");
  response.mutable_applied()->add_left_out("address");
  response.mutable_applied()->mutable_quota_left()->set_rows_today(9412);
  v1::AuditEnvelope envelope;
  envelope.set_kind(v1::RECORD_KIND_CHECKED);
  envelope.set_dataset("public-security/persons");
  envelope.set_purpose(purpose);
  *response.mutable_receipt() = Tool::ReceiptOf(envelope, 18345);
  return response;
}

TEST(AccessTest, ARequestIsSentAndShownWithWhatComesNext) {
  Tool tool;
  v1::SubmitAccessRequestResponse answer;
  *answer.mutable_request() = Request();
  tool.gateway.Answer(kSubmitAccessRequest, answer);
  const Ran ran = tool.Run({"access", "request", "public-security/persons", "--purpose", "relief",
                            "--law", "社会救助暂行办法", "--article", "第五十八条", "--fields",
                            "id_number,county", "--until", "2027-04-01", "--submit"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("ACCESS REQUEST r-7q4m2k "));
  EXPECT_THAT(ran.out, HasSubstr("SUBMITTED, the owner has not decided\n"));
  EXPECT_THAT(ran.out, HasSubstr("\nWho       civil-affairs/relief\n"));
  EXPECT_THAT(ran.out, HasSubstr("\nHistory   submit 2026-11-20 09:00:00 +08:00 by "
                                 "civil-affairs/wang, requester's office\n"));
  EXPECT_THAT(ran.out, HasSubstr("next      sluice access show r-7q4m2k"));
  const auto asked = tool.gateway.Asked(kSubmitAccessRequest);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_FALSE(asked[0].dry_run());
  EXPECT_THAT(asked[0].request().fields(), ElementsAre("id_number", "county"));
}

TEST(AccessTest, ADraftIsMadeAndMendedBeforeTheOfficeSendsIt) {
  Tool tool;
  v1::DraftAccessRequestResponse answer;
  *answer.mutable_request() = Request();
  answer.mutable_request()->set_state(v1::ACCESS_REQUEST_STATE_DRAFTED);
  tool.gateway.Answer(kDraftAccessRequest, answer);
  std::vector<std::string> said = {"access", "request", "a/b",       "--purpose", "relief",
                                   "--law",  "L",       "--article", "A",         "--fields",
                                   "county", "--until", "90d"};
  const Ran made = tool.Run(said);
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("DRAFTED, your sharing office has not sent it\n"));
  EXPECT_THAT(made.out, HasSubstr("next      sluice access submit r-7q4m2k"));
  said.insert(said.end(), {"--mend", "r-7q4m2k", "--etag", "e1"});
  EXPECT_EQ(tool.Run(said).code, 0);
  const auto asked = tool.gateway.Asked(kDraftAccessRequest);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].request().id(), "");
  EXPECT_EQ(asked[1].request().id(), "r-7q4m2k");
  EXPECT_EQ(asked[1].request().etag(), "e1");
  said.push_back("--submit");
  EXPECT_EQ(tool.Run(said).code, 2);  // sent once it is mended
}

TEST(AccessTest, ADryRunSaysThatNothingWasSent) {
  Tool tool;
  v1::DraftAccessRequestResponse answer;
  *answer.mutable_request() = Request();
  answer.mutable_request()->clear_id();
  tool.gateway.Answer(kDraftAccessRequest, answer);
  const Ran ran =
      tool.Run({"access", "request", "public-security/persons", "--purpose", "relief", "--law", "L",
                "--article", "A", "--fields", "county", "--until", "90d", "--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("NOT SENT"));
  EXPECT_THAT(ran.out, HasSubstr("next      the same without --dry-run\n"));
  EXPECT_TRUE(tool.gateway.Asked(kDraftAccessRequest)[0].dry_run());
}

TEST(AccessTest, AFileHoldsTheWholeRequest) {
  Tool tool;
  // The documented one.
  const std::string page = ReadSourceFile("docs/cli.md");
  const size_t begin = page.find("# request\n"), end = page.find("```", begin);
  ASSERT_NE(begin, std::string::npos);
  tool.Write("/r/request.yaml", page.substr(begin, end - begin));
  v1::DraftAccessRequestResponse answer;
  *answer.mutable_request() = Request();
  tool.gateway.Answer(kDraftAccessRequest, answer);
  EXPECT_EQ(tool.Run({"access", "request", "-f", "/r/request.yaml"}).code, 0);
  EXPECT_EQ(tool.gateway.Asked(kDraftAccessRequest)[0].request().dataset(),
            "public-security/persons");

  const Ran both = tool.Run({"access", "request", "-f", "/r/request.yaml", "--rows", "a = 1"});
  EXPECT_EQ(both.code, 2);
  EXPECT_EQ(tool.gateway.Asked(kDraftAccessRequest).size(), 1u);
}

TEST(AccessTest, MistakesAreNamedByTheFilesLines) {
  Tool tool;
  tool.Write("/r.yaml",
             "dataset: a/b\npurposes: [relief]\nbasis: {law: l, article: a}\nfields: [x, y]\n"
             "expires: 2027-04-01T00:00:00+08:00\n");
  absl::Status refused = Error(v1::REASON_DEFINITION_INVALID, "The request has mistakes.");
  AddFieldViolation(refused, "request.fields[1]", "the dataset has no such field");
  tool.gateway.Refuse(kDraftAccessRequest, refused);
  const Ran placed = tool.Run({"access", "request", "-f", "/r.yaml"});
  EXPECT_THAT(placed.err, HasSubstr("/r.yaml:4: fields[1]: the dataset has no such field"));

  tool.Write("/r.yaml", "dataset: a/b\nfield: [x]\n");
  const Ran strict = tool.Run({"access", "request", "-f", "/r.yaml"});
  EXPECT_EQ(strict.code, 2);
  EXPECT_THAT(strict.err, HasSubstr("/r.yaml:2: field: "));
  EXPECT_EQ(tool.gateway.Asked(kDraftAccessRequest).size(), 1u);
}

TEST(AccessTest, TheOwnerSeesWhatWouldComeOfIt) {
  Tool tool;
  tool.gateway.Answer(kGetAccessRequest, ForTheOwner());
  const Ran ran = tool.Run({"access", "show", "r-7q4m2k"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Approved  as asked, it would give:\n"
                                 "          id_number  partial 3..4\n"
                                 "          county     as it is\n"));
  EXPECT_THAT(ran.out, HasSubstr("next      sluice access preview r-7q4m2k"));
}

TEST(AccessTest, ARefusalIsShownWithItsLaw) {
  Tool tool;
  v1::TakeAccessStepResponse answer;
  *answer.mutable_request() = Request();
  answer.mutable_request()->set_state(v1::ACCESS_REQUEST_STATE_REFUSED);
  v1::AccessStep& step = *answer.mutable_request()->add_steps();
  step.set_action(v1::ACCESS_ACTION_REFUSE);
  step.set_office(v1::SHARING_OFFICE_OWNER_OFFICE);
  step.set_reason("too wide");
  step.mutable_basis()->set_law("L");
  *step.mutable_taken() = At("2026-11-21T10:00:00+08:00");
  step.set_taken_by("agency/public-security/person/li");
  tool.gateway.Answer(kTakeAccessStep, answer);
  const Ran ran = tool.Run(
      {"access", "refuse", "r-7q4m2k", "--reason", "too wide", "--law", "L", "--article", "A"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("REFUSED\n"));
  EXPECT_THAT(ran.out, HasSubstr("refuse 2026-11-21 10:00:00 +08:00 by public-security/li, "
                                 "owner's office: too wide\n            by L\n"));
  EXPECT_EQ(tool.Run({"access", "refuse", "r-7q4m2k", "--reason", "too wide"}).code, 2);
  ASSERT_EQ(tool.gateway.Asked(kTakeAccessStep).size(), 1u);
  EXPECT_EQ(tool.gateway.Asked(kTakeAccessStep)[0].basis().article(), "A");
}

TEST(AccessTest, ApprovingSendsWholeFieldsAndTheEtagThatWasRead) {
  Tool tool;
  tool.gateway.Answer(kGetAccessRequest, ForTheOwner());
  v1::ApproveAccessRequestResponse answer;
  answer.mutable_grant()->set_id("7q4m2k");
  answer.mutable_grant()->set_revision(1);
  answer.mutable_grant()->set_request("r-7q4m2k");
  *answer.mutable_grant()->mutable_expires() = At("2027-04-01T00:00:00+08:00");
  *answer.mutable_request() = Request();
  tool.gateway.Answer(kApproveAccessRequest, answer);
  const Ran ran = tool.Run({"access", "approve", "r-7q4m2k", "--mask", "county=null", "--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("request r-7q4m2k, if approved (dry run"));
  EXPECT_THAT(ran.out, HasSubstr("\nGRANT 7q4m2k, revision 1 "));
  const auto asked = tool.gateway.Asked(kApproveAccessRequest);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_TRUE(asked[0].dry_run());
  EXPECT_EQ(asked[0].etag(), "e1");
  ASSERT_EQ(asked[0].terms().fields_size(), 2);
  EXPECT_EQ(catalogue::FormatMask(asked[0].terms().fields(0).mask()), "partial(3..4)");
  EXPECT_EQ(catalogue::FormatMask(asked[0].terms().fields(1).mask()), "null");
}

TEST(AccessTest, ApprovingTellsOfGrantsThatAllowTheSameCalls) {
  Tool tool;
  tool.gateway.Answer(kGetAccessRequest, ForTheOwner());
  v1::ApproveAccessRequestResponse answer;
  v1::Grant& made = *answer.mutable_grant();
  made.set_id("7q4m2k");
  made.set_state(v1::GRANT_STATE_IN_FORCE);
  made.add_systems("civil-affairs/relief");
  made.add_purposes("relief");
  made.add_modes(v1::MODE_QUERY);
  tool.gateway.Answer(kApproveAccessRequest, answer);
  v1::ListGrantsResponse held;
  const auto add = [&held](const char* id, const char* system, const char* purpose) {
    v1::Grant& grant = *held.add_grants();
    grant.set_id(id);
    grant.set_state(v1::GRANT_STATE_IN_FORCE);
    if (*system != '\0') grant.add_systems(system);
    grant.add_purposes(purpose);
    grant.add_modes(v1::MODE_QUERY);
    *grant.mutable_expires() = At("2099-01-01T00:00:00+08:00");
    return &grant;
  };
  add("7q4m2k", "civil-affairs/relief", "relief");
  add("same", "civil-affairs/relief", "relief");
  add("wider", "", "relief");
  add("another", "civil-affairs/pensions", "relief");
  add("otherwise", "civil-affairs/relief", "pensions");
  add("gone", "civil-affairs/relief", "relief")->set_state(v1::GRANT_STATE_REVOKED);
  add("answers", "civil-affairs/relief", "relief")->set_modes(0, v1::MODE_MATCH);
  tool.gateway.Answer(kListGrants, held);
  const Ran ran = tool.Run({"access", "approve", "r-7q4m2k"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("note      grant same allows relief to the same systems"));
  EXPECT_THAT(ran.out, HasSubstr("note      grant wider "));
  for (const char* other :
       {"grant 7q4m2k allows", "grant another", "grant otherwise", "grant gone", "grant answers"})
    EXPECT_THAT(ran.out, Not(HasSubstr(other)));
}

TEST(AccessTest, TermsThatGoTooFarAreNamedByTheFilesLines) {
  Tool tool;
  tool.gateway.Answer(kGetAccessRequest, ForTheOwner());
  absl::Status refused = Error(v1::REASON_DEFINITION_INVALID, "The terms have mistakes.");
  AddFieldViolation(refused, "terms.expires", "beyond the request");
  tool.gateway.Refuse(kApproveAccessRequest, refused);
  tool.Write("/t.yaml", "max_page_rows: 20\nexpires: 2029-01-01T00:00:00Z\n");
  const Ran ran = tool.Run({"access", "approve", "r-7q4m2k", "-f", "/t.yaml"});
  EXPECT_THAT(ran.err, HasSubstr("/t.yaml:2: expires: beyond the request"));
  EXPECT_EQ(tool.gateway.Asked(kApproveAccessRequest)[0].terms().max_page_rows(), 20);
}

TEST(AccessTest, APreviewShowsRowsAndKeepsTheirReceipt) {
  Tool tool;
  tool.gateway.Answer(kGetAccessRequest, ForTheOwner());
  tool.gateway.Answer(kPreview, Preview("r-7q4m2k"));
  const Ran ran = tool.Run({"access", "preview", "r-7q4m2k", "--limit", "2", "--fields", "county"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr(" county\n"));
  EXPECT_THAT(ran.out, HasSubstr(" 东城区\n 西城区\n"));
  EXPECT_THAT(ran.err, HasSubstr("#18344 gw1.gov.example/log"));
  EXPECT_EQ(tool.files.Files().count("/home/li/.local/state/sluice/receipts/18344.json"), 1u);
  const auto asked = tool.gateway.Asked(kPreview);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].limit(), 2);
  EXPECT_EQ(asked[0].terms().fields_size(), 1);
}

TEST(AccessTest, APreviewWithoutItsOwnReceiptIsNotShown) {
  Tool tool;
  tool.gateway.Answer(kGetAccessRequest, ForTheOwner());
  v1::QueryResponse forged = Preview("r-7q4m2k");
  *forged.mutable_payload() += "x";
  for (const v1::QueryResponse& answer : {Preview("r-other"), forged}) {
    tool.gateway.Answer(kPreview, answer);
    const Ran ran = tool.Run({"access", "preview", "r-7q4m2k"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, StartsWith("error: RECEIPT_BROKEN: "));
  }
}

TEST(AccessTest, ACheckThatPassesSaysWhatWouldBeDone) {
  Tool tool;
  tool.gateway.Answer(kCheck, Checked("relief"));
  const Ran ran = tool.Run({"access", "check", "public-security/persons", "--purpose", "relief",
                            "--mode", "read", "--where", "id_number = $id", "--param", "id=1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("a read of public-security/persons for relief would be answered"));
  EXPECT_THAT(ran.out, HasSubstr("left out  address\n"));
  EXPECT_THAT(ran.out, HasSubstr("grant     7q4m2k r2 · 9,412 rows left today\n"));
  EXPECT_EQ(ran.err, "this check is recorded as #18345 of gw1.gov.example/log\n");
  const auto asked = tool.gateway.Asked(kCheck);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].mode(), v1::MODE_READ);
  EXPECT_EQ(asked[0].filter(), "id_number = $id");
  EXPECT_EQ(asked[0].parameters().count("id"), 1u);

  // A true receipt of another check proves nothing about this one.
  const Ran other = tool.Run({"access", "check", "public-security/persons", "--purpose", "census"});
  EXPECT_EQ(other.code, 1);
  EXPECT_EQ(other.out, "");
}

TEST(AccessTest, ACheckThatDoesNotPassEndsAsTheCallWould) {
  Tool tool;
  tool.gateway.Refuse(kCheck, Error(v1::REASON_PURPOSE_NOT_GRANTED, "no grant for \"tax\".",
                                    {{"index", "18346"}, {"call", "7CQ2"}}));
  const Ran ran = tool.Run({"access", "check", "public-security/persons", "--purpose", "tax"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, StartsWith("error: PURPOSE_NOT_GRANTED: "));
  EXPECT_THAT(ran.err, HasSubstr("audit  #18346, call 7CQ2"));
}

TEST(AccessTest, AListIsPagedThroughAndFiltered) {
  Tool tool;
  tool.gateway.On(kListAccessRequests, [](const v1::ListAccessRequestsRequest& request) {
    v1::ListAccessRequestsResponse answer;
    *answer.add_requests() = Request();
    if (request.page_token().empty()) answer.set_next_page_token("more");
    return answer;
  });
  const Ran ran = tool.Run({"access", "list", "--state", "submitted", "--agency", "civil-affairs"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto asked = tool.gateway.Asked(kListAccessRequests);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].state(), v1::ACCESS_REQUEST_STATE_SUBMITTED);
  EXPECT_EQ(asked[0].consumer_agency(), "civil-affairs");
  EXPECT_THAT(ran.out, HasSubstr(" r-7q4m2k │ 2026-11-20 09:00:00 +08:00 │ civil-affairs "));
  EXPECT_EQ(tool.Run({"access", "list", "--state", "open"}).code, 2);
  EXPECT_THAT(tool.Run({"access", "list", "--state", "refused", "--format", "json"}).out,
              HasSubstr("\"id\":\"r-7q4m2k\""));
}

}  // namespace
}  // namespace sluice::cli
