// One exchange from end to end, by consumers that try to get more than their grant allows.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"
#include "sluice/v1/values.pb.h"
#include "tests/system/raw_client.h"

namespace sluice::system_test {
namespace {

v1::RowBatch Rows(const v1::QueryResponse& reply) {
  v1::RowBatch rows;
  EXPECT_TRUE(rows.ParseFromString(reply.payload()));
  return rows;
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class ExchangeTest : public testing::Test {
 protected:
  void SetUp() override {
    gateway_.Start();
    gateway_.OfferSample();
  }

  // A grant beside the sample's, which that one then stands in the way of no more.
  std::string Regrant(const std::string& from, const std::string& to) {
    for (const v1::Grant& old : gateway_.GrantsInForce())
      gateway_.Done("residents-owner", {"grant", "revoke", old.id(), "--reason", "replaced"});
    gateway_.Replace("grants/persons-relief.yaml", from, to);
    gateway_.Done("residents-owner", {"grant", "apply", "grants/persons-relief.yaml"});
    const std::vector<v1::Grant> grants = gateway_.GrantsInForce();
    EXPECT_EQ(grants.size(), 1u);
    return grants.empty() ? "" : grants[0].id();
  }

  Deployment gateway_;
};

TEST_F(ExchangeTest, AnAnswerHasMaskedRowsWhatWasAppliedAndAReceipt) {
  const auto reply =
      Call(gateway_.As("relief"), cli::kQuery, Deployment::PersonsQuery("990101195001013019"));
  ASSERT_TRUE(reply.ok()) << reply.status();
  const v1::RowBatch rows = Rows(*reply);
  ASSERT_EQ(rows.rows_size(), 1);
  EXPECT_EQ(rows.rows(0).values(0).string_value(), "990***********3019");
  EXPECT_EQ(rows.rows(0).values(1).string_value(), "张*");
  EXPECT_EQ(rows.rows(0).values(2).date_value(), "1950-01-01");
  EXPECT_EQ(rows.rows(0).values(3).string_value(), "东城区");
  EXPECT_EQ(rows.columns_size(), 4);
  v1::AuditEnvelope envelope;
  ASSERT_TRUE(envelope.ParseFromString(reply->receipt().envelope()));
  EXPECT_EQ(envelope.kind(), v1::RECORD_KIND_RELEASED);
  EXPECT_EQ(envelope.digest(), std::string(AsBytes(Sha256(reply->payload()))));
  EXPECT_EQ(envelope.basis().law(), "社会救助暂行办法");
  // Durable before it was let go: the record is there although the daemon dies now.
  gateway_.Kill();
  EXPECT_NE(gateway_.Verify().find("verified"), std::string::npos);
}

// Promise 6: searched in all that the daemon wrote, sealed details opened.
TEST_F(ExchangeTest, NoFileOfTheGatewayHoldsARawIdentifier) {
  cli::Gateway& relief = gateway_.As("relief");
  std::string errors;
  for (const std::string& id : SampleIds()) {
    EXPECT_TRUE(Call(relief, cli::kQuery, Deployment::PersonsQuery(id)).ok());
  }
  const std::string unknown = "990101200001019996";
  EXPECT_TRUE(Call(relief, cli::kQuery, Deployment::PersonsQuery(unknown)).ok());
  v1::QueryRequest denied = Deployment::PersonsQuery(SampleIds()[0]);
  denied.set_purpose("census");
  errors += Call(relief, cli::kQuery, denied).status().ToString();
  v1::QueryRequest literal = Deployment::PersonsQuery();
  literal.set_filter("id_number = \"" + SampleIds()[1] + "\"");
  errors += Call(relief, cli::kQuery, literal).status().ToString();
  v1::QueryRequest by_name = Deployment::PersonsQuery();
  by_name.set_filter("name = $n");
  (*by_name.mutable_parameters())["n"].add_values()->set_string_value(SampleNames()[3]);
  errors += Call(relief, cli::kQuery, by_name).status().ToString();
  v1::QueryRequest wrong_place = Deployment::PersonsQuery();
  wrong_place.set_dataset(SampleIds()[2]);
  wrong_place.set_purpose(SampleIds()[2]);
  wrong_place.set_grant(SampleIds()[2]);
  wrong_place.set_filter(SampleIds()[2]);
  errors += Call(relief, cli::kQuery, wrong_place).status().ToString();
  v1::QueryRequest wrong_type = Deployment::PersonsQuery();
  wrong_type.set_filter("birth_date = $d");
  (*wrong_type.mutable_parameters())["d"].add_values()->set_string_value(SampleIds()[4]);
  errors += Call(relief, cli::kQuery, wrong_type).status().ToString();
  v1::QueryRequest token = Deployment::PersonsQuery(SampleIds()[5]);
  token.set_page_token(SampleIds()[5]);
  errors += Call(relief, cli::kQuery, token).status().ToString();
  // The source breaks in the middle of a row that names somebody.
  ASSERT_EQ(Execute({"sqlite3", gateway_.Path("sources/residents.db"),
                     "UPDATE resident SET born = 'never' WHERE id_no = '" + SampleIds()[6] + "'"})
                .code,
            0);
  errors += Call(relief, cli::kQuery, Deployment::PersonsQuery(SampleIds()[6])).status().ToString();

  std::string details;
  for (const v1::Record& record : gateway_.Records())
    details += gateway_.RecordAt(record.index()).DebugString();
  ASSERT_EQ(gateway_.Stop().code, 0);
  std::vector<std::string> wanted = SampleIds();
  wanted.insert(wanted.end(), SampleNames().begin(), SampleNames().end());
  wanted.push_back(unknown);
  for (const std::string& raw : wanted) {
    EXPECT_EQ(details.find(raw), std::string::npos) << "a record's detail holds " << raw;
    EXPECT_EQ(gateway_.daemon().Errors().find(raw), std::string::npos) << raw;
    EXPECT_EQ(errors.find(raw), std::string::npos) << errors;
  }
  int files = 0;
  for (const char* folder : {"audit", "state", "derived", "keys"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(gateway_.Path(folder))) {
      if (!entry.is_regular_file()) continue;
      ++files;
      const std::string bytes = ReadAll(entry.path());
      for (const std::string& raw : wanted) {
        EXPECT_EQ(bytes.find(raw), std::string::npos) << entry.path() << " holds " << raw;
        EXPECT_EQ(entry.path().string().find(raw), std::string::npos);
      }
    }
  }
  EXPECT_GT(files, 5);
}

TEST_F(ExchangeTest, InjectionStringsComeBackAsData) {
  const std::vector<std::string> hostile = {"'; DROP TABLE resident; --",
                                            "\" OR \"1\"=\"1",
                                            "x' UNION SELECT 1,2,3 --",
                                            "$id",
                                            "county = \"x\" OR 1",
                                            "%_",
                                            "\\",
                                            "\x1b[31mred\x1b[0m",
                                            "a\nb"};
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(gateway_.Path("sources/residents.db").c_str(), &database), SQLITE_OK);
  for (size_t i = 0; i < hostile.size(); ++i) {
    sqlite3_stmt* insert = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(database,
                                 "INSERT INTO resident VALUES (?, 'x', '1990-01-01', '99', ?, "
                                 "NULL, NULL)",
                                 -1, &insert, nullptr),
              SQLITE_OK);
    const std::string id = absl::StrCat("99010119900101900", i);
    sqlite3_bind_text(insert, 1, id.c_str(), -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(insert, 2, hostile[i].c_str(), -1, SQLITE_TRANSIENT);
    ASSERT_EQ(sqlite3_step(insert), SQLITE_DONE);
    sqlite3_finalize(insert);
  }
  sqlite3_close(database);
  for (const std::string& text : hostile) {
    v1::QueryRequest request = Deployment::PersonsQuery();
    request.set_filter("county = $c");
    (*request.mutable_parameters())["c"].add_values()->set_string_value(text);
    const auto reply = Call(gateway_.As("relief"), cli::kQuery, request);
    ASSERT_TRUE(reply.ok()) << text << reply.status();
    const v1::RowBatch rows = Rows(*reply);
    ASSERT_EQ(rows.rows_size(), 1) << text;
    EXPECT_EQ(rows.rows(0).values(3).string_value(), text);
  }
}

TEST_F(ExchangeTest, PagesFollowTheKeyAndAreLinkedToTheFirst) {
  gateway_.OfferRegions(12);
  v1::QueryRequest request = Deployment::RegionsQuery();
  request.set_page_size(5);
  std::vector<std::string> seen;
  int64_t first = -1;
  for (int page = 0; page < 3; ++page) {
    const auto reply = Call(gateway_.As("planning"), cli::kQuery, request);
    ASSERT_TRUE(reply.ok()) << reply.status();
    const v1::RowBatch rows = Rows(*reply);
    for (const v1::Row& row : rows.rows()) seen.push_back(row.values(0).string_value());
    v1::AuditEnvelope envelope;
    ASSERT_TRUE(envelope.ParseFromString(reply->receipt().envelope()));
    EXPECT_EQ(envelope.first_page(), page == 0 ? -1 : first);
    if (page == 0) first = reply->receipt().index();
    request.set_page_token(reply->next_page_token());
    EXPECT_EQ(reply->next_page_token().empty(), page == 2);
  }
  ASSERT_EQ(seen.size(), 12u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

// A grant that hides the key shows no order: what does not fit one page is refused.
TEST_F(ExchangeTest, AHiddenKeyGivesNoPages) {
  v1::QueryRequest request = Deployment::PersonsQuery();
  request.set_page_size(5);
  const auto refused = Call(gateway_.As("relief"), cli::kQuery, request);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_ORDER_NOT_GRANTED) << refused.status();
}

TEST_F(ExchangeTest, APageTokenServesNobodyElseAndNothingElse) {
  gateway_.OfferRegions(12);
  gateway_.AddSystem("public-security", "other");
  v1::QueryRequest query = Deployment::RegionsQuery();
  query.set_page_size(5);
  const auto first = Call(gateway_.As("planning"), cli::kQuery, query);
  ASSERT_TRUE(first.ok()) << first.status();
  query.set_page_token(first->next_page_token());
  const auto refused = [&](const std::string& party, const v1::QueryRequest& tried) {
    return ReasonOf(Call(gateway_.As(party), cli::kQuery, tried).status());
  };
  EXPECT_EQ(refused("other", query), v1::REASON_PAGE_TOKEN_INVALID);
  v1::QueryRequest changed = query;
  changed.set_filter("area_code = \"000000\"");
  EXPECT_EQ(refused("planning", changed), v1::REASON_PAGE_TOKEN_INVALID);
  changed = query;
  changed.add_fields("code");
  EXPECT_EQ(refused("planning", changed), v1::REASON_PAGE_TOKEN_INVALID);
  for (size_t i = 0; i < query.page_token().size(); i += 3) {
    changed = query;
    char& character = (*changed.mutable_page_token())[i];
    character = character == 'A' ? 'B' : 'A';
    EXPECT_EQ(refused("planning", changed), v1::REASON_PAGE_TOKEN_INVALID);
  }
  EXPECT_TRUE(Call(gateway_.As("planning"), cli::kQuery, query).ok());
  // Another grant: the old token is nothing to it.
  for (const v1::Grant& old : gateway_.GrantsInForce()) {
    if (old.dataset() == query.dataset())
      gateway_.Done("regions-owner", {"grant", "revoke", old.id(), "--reason", "replaced"});
  }
  gateway_.Done("regions-owner", {"grant", "apply", "grants/regions-planning.yaml"});
  EXPECT_EQ(refused("planning", query), v1::REASON_PAGE_TOKEN_INVALID);
}

TEST_F(ExchangeTest, CallsThatTogetherExceedTheQuotaDoNotAllPass) {
  Regrant("rows_per_day: 10000", "rows_per_day: 30");
  std::atomic<int64_t> rows{0};
  std::atomic<int> refusals{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, connection = gateway_.Connect("relief")] {
      const auto reply = Call(*connection, cli::kQuery, Deployment::PersonsQuery());
      if (reply.ok()) {
        rows += reply->rows();
      } else if (ReasonOf(reply.status()) == v1::REASON_QUOTA_EXCEEDED) {
        ++refusals;
      } else {
        ADD_FAILURE() << reply.status();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LE(rows, 30);
  EXPECT_GT(refusals, 0);
  // What is left survives the restart.
  gateway_.Kill();
  gateway_.Start();
  int64_t after = 0;
  for (int i = 0; i < 5; ++i) {
    const auto reply = Call(gateway_.As("relief"), cli::kQuery, Deployment::PersonsQuery());
    if (reply.ok()) after += reply->rows();
  }
  EXPECT_LE(rows + after, 30);
}

// Promise 10 and the registry of running exchanges: none later than a second after.
TEST_F(ExchangeTest, ARevokedGrantReleasesNothingASecondLater) {
  const std::string grant = Regrant("calls_per_minute: 60, ", "");
  std::atomic<bool> over{false};
  std::atomic<int> released{0};
  std::atomic<int64_t> last_release{0};
  const auto clock = MakeSystemClock();
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&, connection = gateway_.Connect("relief")] {
      while (!over) {
        if (!Call(*connection, cli::kQuery, Deployment::PersonsQuery()).ok()) continue;
        ++released;
        last_release = std::max<int64_t>(last_release, clock->Monotonic());
      }
    });
  }
  EXPECT_TRUE(Eventually([&] { return released > 20; }));
  gateway_.Done("residents-owner", {"grant", "revoke", grant, "--reason", "misused"});
  const Micros revoked = clock->Monotonic();
  Nap(1500);
  over = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_LT(last_release, revoked + kSecond);
  const auto refused = Call(gateway_.As("relief"), cli::kQuery, Deployment::PersonsQuery());
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_GRANT_REVOKED) << refused.status();
  // The log says the same. What was being recorded at that moment was taken back before it left.
  std::set<int64_t> taken_back;
  for (const v1::Record& record : gateway_.Records(v1::RECORD_KIND_FAILED))
    taken_back.insert(record.envelope().repeats());
  int64_t revocation = -1;
  for (const v1::Record& record : gateway_.Records()) {
    const v1::AuditEnvelope& envelope = record.envelope();
    if (envelope.action() == "revoke" && envelope.resource_name() == grant)
      revocation = record.index();
    if (revocation >= 0 && envelope.kind() == v1::RECORD_KIND_RELEASED) {
      EXPECT_TRUE(taken_back.contains(record.index())) << "#" << record.index();
    }
  }
  EXPECT_GE(revocation, 0);
}

// Denials flood the log no more than ten a second; what is more is counted.
TEST_F(ExchangeTest, AFloodOfDenialsIsCounted) {
  v1::QueryRequest denied = Deployment::PersonsQuery(SampleIds()[0]);
  denied.set_purpose("census");
  constexpr int kFlood = 300;
  for (int i = 0; i < kFlood; ++i) {
    EXPECT_EQ(ReasonOf(Call(gateway_.As("relief"), cli::kQuery, denied).status()),
              v1::REASON_PURPOSE_NOT_GRANTED);
  }
  ASSERT_EQ(gateway_.Stop().code, 0);
  gateway_.Start();
  int64_t counted = 0;
  const auto single = gateway_.Records(v1::RECORD_KIND_DENIED);
  for (const v1::Record& record : gateway_.Records(v1::RECORD_KIND_DENIALS))
    counted += record.envelope().count();
  EXPECT_EQ(static_cast<int64_t>(single.size()) + counted, kFlood);
  EXPECT_LT(single.size(), static_cast<size_t>(kFlood));
}

}  // namespace
}  // namespace sluice::system_test
