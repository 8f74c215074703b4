// No raw personal identifier in log, error texts, operational log or tokens (DESIGN, promise 6).
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

// What must be found nowhere: numbers in the rows, and numbers only asked about.
constexpr int kHeld = 6, kAskedOnly = 9;

class NoIdentifiersTest : public ::testing::Test {
 protected:
  NoIdentifiersTest() {
    auto rows = Persons(kHeld);
    for (int i = 0; i < kHeld; ++i) rows[i]["name"] = absl::StrCat("Zhang Secret ", i);
    exchange_.ps.SetRows(rows);
    exchange_.ps.SetVersion("v1", true);
  }

  void Ask(const v1::QueryRequest& request) {
    const auto answer = exchange_.Query(request);
    // Status payloads too: reasons, keys, field violations.
    texts_ += answer.status().ToString();
    answer.status().ForEachPayload(
        [this](absl::string_view, const absl::Cord& payload) { texts_ += std::string(payload); });
    if (answer.ok()) {
      std::string token;
      absl::WebSafeBase64Unescape(answer->next_page_token(), &token);
      absl::StrAppend(&texts_, answer->next_page_token(), token);
      v1::QueryResponse rest = *answer;
      rest.clear_payload();
      texts_ += rest.SerializeAsString();
    }
  }

  static void ExpectClean(std::string_view where, std::string_view text) {
    for (int i = 0; i <= kAskedOnly; ++i) {
      const std::string id = ResidentNumber(i);
      EXPECT_EQ(text.find(id), std::string_view::npos) << where << ": number " << i;
      EXPECT_EQ(text.find(id.substr(6, 11)), std::string_view::npos) << where << ": part of " << i;
      EXPECT_EQ(text.find(absl::StrCat("Zhang Secret ", i)), std::string_view::npos) << where;
    }
  }

  void ExpectCleanEverywhere() {
    exchange_.denials->Flush(true);
    exchange_.AwaitIdle();
    ASSERT_TRUE(exchange_.usage->Save(*exchange_.log, *exchange_.snapshots.Get()).ok());
    ASSERT_TRUE(exchange_.file_log->Close().ok());
    for (const auto& [path, bytes] : exchange_.files->Files()) {
      ExpectClean(path, bytes);
      ExpectClean("a file's name", path);
    }
    for (const ReadRecord& record : exchange_.Records()) {
      ExpectClean("envelope", record.envelope.SerializeAsString());
      ExpectClean("unsealed detail", record.detail.SerializeAsString());
    }
    ExpectClean("answers", texts_);
    ExpectClean("operational log", exchange_.operations.text());
    for (const v1::SourceStatus& status : exchange_.sources->Status())
      ExpectClean("status", status.SerializeAsString());
  }

  Exchange exchange_;
  std::string texts_;
};

TEST_F(NoIdentifiersTest, AfterPermittedExchanges) {
  Ask(PersonsRequest(2));  // with a token that holds the last key
  Ask(PersonRequest(ResidentNumber(3)));
  Ask(PersonRequest(ResidentNumber(kAskedOnly)));  // not found
  v1::QueryRequest list = PersonRequest(ResidentNumber(1));
  list.set_request_id("repeated");
  (*list.mutable_parameters())["id"].add_values()->set_string_value(ResidentNumber(8));
  Ask(list);
  Ask(list);
  ASSERT_EQ(exchange_.Records(v1::RECORD_KIND_RELEASED).size(), 5u);
  ExpectCleanEverywhere();
}

TEST_F(NoIdentifiersTest, AfterRefusals) {
  const std::string id = ResidentNumber(7);
  v1::QueryRequest request = PersonRequest(id);
  request.set_purpose("curiosity");
  Ask(request);
  request = PersonRequest(id);
  request.set_filter(absl::StrCat("id_number = \"", id, "\""));  // a literal, refused
  Ask(request);
  request.set_filter(absl::StrCat("id_number = ", id));
  Ask(request);
  request.set_filter(absl::StrCat(id, " = $id"));  // as a field's name
  Ask(request);
  request.set_filter(absl::StrCat("id_number = $id AND (", id));
  Ask(request);
  request = PersonRequest(id);
  request.add_fields(id);
  Ask(request);
  request = PersonRequest(id);  // as a parameter's name
  (*request.mutable_parameters())[id].add_values()->set_string_value(id);
  Ask(request);
  request = PersonRequest(id);  // of the wrong type
  (*request.mutable_parameters())["id"].mutable_values(0)->set_int64_value(
      std::stoll(id.substr(0, 17)));
  Ask(request);
  request = PersonRequest(id);
  request.set_dataset("public-security/" + id);
  Ask(request);
  request = PersonRequest(id);
  request.set_purpose(id);
  Ask(request);
  request = PersonRequest(id);
  request.set_grant(id);
  Ask(request);
  request = PersonRequest(id);
  request.set_page_token(id);
  Ask(request);
  EXPECT_EQ(exchange_.Records(v1::RECORD_KIND_RELEASED).size(), 0u);
  EXPECT_GE(exchange_.Records(v1::RECORD_KIND_DENIED).size(), 12u);
  ExpectCleanEverywhere();
}

TEST_F(NoIdentifiersTest, AfterFailures) {
  exchange_.ps.FailNext(0, Error(v1::REASON_SOURCE_BAD_VALUE, "row 1, column name."));
  Ask(PersonRequest(ResidentNumber(3)));
  exchange_.ps.FailNext(0, absl::OkStatus());
  exchange_.ps.OnNext([this] { exchange_.running->EndAll(Error(v1::REASON_CANCELLED, "ended.")); });
  Ask(PersonRequest(ResidentNumber(4)));
  exchange_.ps.OnNext(nullptr);
  // Within the second beyond which refusals are counted.
  v1::QueryRequest denied = PersonRequest(ResidentNumber(kAskedOnly));
  denied.set_purpose("curiosity");
  for (int i = 0; i < 15; ++i) Ask(denied);
  EXPECT_EQ(exchange_.Records(v1::RECORD_KIND_FAILED).size(), 2u);
  ExpectCleanEverywhere();
}

}  // namespace
}  // namespace sluice::exchange
