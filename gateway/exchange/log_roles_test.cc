// Who may do what with the log: every kind of caller with every call of Audit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/exchange/exchange_testing.h"
#include "gateway/exchange/kept_report_testing.h"
#include "gateway/exchange/log_reading.h"
#include "gateway/exchange/sharing_report.h"

namespace sluice::exchange {
namespace {

// #0: relief on persons, #1: the clinic on persons, #2: relief on vehicles.
constexpr int64_t kLastOfRoles = 2;
constexpr char kRefusedForRole[] = "-";

// A writer that keeps indices, and its end.
class KeptTail : public TailWriter {
 public:
  void Write(const google::protobuf::Message& message, std::function<void(bool)> taken) override {
    {
      MutexLock lock(mutex_);
      if (const auto* tail = dynamic_cast<const v1::TailResponse*>(&message)) {
        for (const v1::Record& record : tail->records()) See(record.index());
        whole_ = tail->next_index() > kLastOfRoles;
      } else if (const auto* exported = dynamic_cast<const v1::ExportResponse*>(&message)) {
        for (const v1::ProvenRecord& record : exported->records()) See(record.index());
      } else if (const auto* copied = dynamic_cast<const v1::CopyEntriesResponse*>(&message)) {
        for (int i = 0; i < copied->entries_size(); ++i) See(i);
      }
      changed_.NotifyAll();
    }
    taken(true);
  }
  void Finish(absl::Status status) override {
    MutexLock lock(mutex_);
    end_ = std::move(status);
    changed_.NotifyAll();
  }
  void Abort() override {}
  absl::StatusOr<std::string> Seen() {
    MutexLock lock(mutex_);
    while (!whole_ && !end_)
      if (!changed_.WaitFor(mutex_, std::chrono::seconds(30))) break;
    if (end_ && !end_->ok()) return *end_;
    return seen_;
  }

 private:
  void See(int64_t index) SLUICE_REQUIRES(mutex_) {
    if (index <= kLastOfRoles) absl::StrAppend(&seen_, index);
  }
  Mutex mutex_;
  Condition changed_;
  std::string seen_ SLUICE_GUARDED_BY(mutex_);
  bool whole_ SLUICE_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ SLUICE_GUARDED_BY(mutex_);
};

struct Party {
  std::string name;
  std::string seen;  // indices, or kRefusedForRole where reading is refused for the role
};

const Party kParties[] = {
    {"system civil-affairs/relief", "02"},
    {"system civil-affairs/pensions", "02"},
    {"system health/clinic", "1"},
    {"person civil-affairs", "02"},
    {"person public-security", ""},
    {"person public-security owner", "01"},
    {"person public-security sharing_office", ""},
    {"person transport owner", "2"},
    {"person civil-affairs owner", "02"},
    {"person gov authority", ""},
    {"person audit-office auditor", "012"},
    {"person gov operator", kRefusedForRole},
    {"person civil-affairs operator", kRefusedForRole},
    {"person public-security operator owner", "01"},
    {"person gov operator auditor", "012"},
};

class LogRolesTest : public ::testing::TestWithParam<Party> {
 protected:
  LogRolesTest() {
    exchange_.ps.SetRows(Persons(2));
    exchange_.tr.SetRows(Vehicles(2));
    EXPECT_TRUE(exchange_.Query(PersonsRequest()).ok());
    EXPECT_TRUE(exchange_.Query(PersonsRequest(), "health/clinic").ok());
    EXPECT_TRUE(exchange_.Query(VehiclesRequest()).ok());
    exchange_.clock.Advance(kHour);
    EXPECT_TRUE(exchange_.log->Head(true).ok());
    auto index = audit::SearchIndex::Open(
        folder_.path(), {*exchange_.keys, std::string(32, 'k'), [](const absl::Status&) {}});
    EXPECT_TRUE(index.ok()) << index.status();
    index_ = *std::move(index);
    tail_ = std::make_unique<LogTail>(Parts(), LogTailLimits());
    reading_ = std::make_unique<LogReading>(Parts(), *tail_, "log.vkey");
  }

  LogReadingParts Parts() const {
    return {*exchange_.log,       *index_,           *exchange_.keys,     *exchange_.sealer,
            exchange_.pseudonyms, *exchange_.tokens, exchange_.snapshots, exchange_.clock};
  }

  // The caller that "system AGENCY/NAME" or "person AGENCY [ROLE...]" names, registered.
  Call Caller(const std::string& name) {
    std::vector<std::string> words;
    for (size_t begin = 0; begin <= name.size();) {
      const size_t end = std::min(name.find(' ', begin), name.size());
      words.push_back(name.substr(begin, end - begin));
      begin = end + 1;
    }
    if (words[0] == "system") return exchange_.CallBy(words[1]);
    std::vector<v1::Role> roles;
    v1::Person& person = exchange_.directory.persons[words[1] + "/li-na"];
    person.set_name("li-na");
    person.set_state(v1::REGISTRATION_STATE_ACTIVE);
    exchange_.directory.agencies[words[1]].set_state(v1::REGISTRATION_STATE_ACTIVE);
    for (size_t i = 2; i < words.size(); ++i) {
      std::string role = "ROLE_" + words[i];
      std::transform(role.begin(), role.end(), role.begin(), ::toupper);
      v1::Role parsed = v1::ROLE_UNSPECIFIED;
      EXPECT_TRUE(v1::Role_Parse(role, &parsed)) << role;
      roles.push_back(parsed);
      person.add_roles(parsed);
    }
    exchange_.Publish();
    return exchange_.CallByPerson(words[1], roles);
  }

  // Of the three records, those that `read` answers; kRefusedForRole where the role is refused.
  template <class Response, class Read>
  std::string Seen(Read read) {
    std::string seen;
    for (int64_t index = 0; index <= kLastOfRoles; ++index) {
      const Pending<Response> pending;
      read(index, pending.Done());
      const auto answer = pending.Wait();
      if (ReasonOf(answer.status()) == v1::REASON_ROLE_REQUIRED) return kRefusedForRole;
      if (answer.ok()) absl::StrAppend(&seen, index);
      if (!answer.ok()) {
        EXPECT_EQ(ReasonOf(answer.status()), v1::REASON_RECORD_NOT_FOUND) << answer.status();
      }
    }
    return seen;
  }

  Exchange exchange_;
  audit::TestFolder folder_;
  std::unique_ptr<audit::SearchIndex> index_;
  std::unique_ptr<LogTail> tail_;
  std::unique_ptr<LogReading> reading_;
};

TEST_P(LogRolesTest, SeesWhatItMayByEveryCall) {
  const Party& party = GetParam();
  const Call call = Caller(party.name);
  std::set<std::string> tried;

  tried.insert("ListRecords");
  // Whatever it asks for: conditions only narrow.
  v1::RecordFilter person;
  person.mutable_subject()->set_id_type("CN-RID");
  person.mutable_subject()->set_id(ResidentNumber(1));
  v1::RecordFilter released;
  released.set_outcome(v1::RECORD_OUTCOME_LET_GO);
  for (const v1::RecordFilter& filter : {v1::RecordFilter(), released, person}) {
    v1::ListRecordsRequest request;
    *request.mutable_filter() = filter;
    const Pending<v1::ListRecordsResponse> pending;
    reading_->ListRecords(call, request, pending.Done());
    const auto answer = pending.Wait();
    std::string seen;
    if (answer.ok()) {
      for (const v1::Record& record : answer->records())
        if (record.index() <= kLastOfRoles) seen = absl::StrCat(record.index(), seen);
    } else {
      EXPECT_EQ(ReasonOf(answer.status()), v1::REASON_ROLE_REQUIRED);
      seen = kRefusedForRole;
    }
    std::string expected = party.seen;
    // Vehicles name no subjects.
    if (filter.has_subject() && !expected.empty() && expected.back() == '2') expected.pop_back();
    EXPECT_EQ(seen, expected) << filter.ShortDebugString();
  }

  tried.insert("GetRecord");
  EXPECT_EQ(Seen<v1::GetRecordResponse>([&](int64_t index, const auto& done) {
              v1::GetRecordRequest request;
              request.set_index(index);
              reading_->GetRecord(call, request, done);
            }),
            party.seen);
  tried.insert("ProveRecord");
  EXPECT_EQ(Seen<v1::ProveRecordResponse>([&](int64_t index, const auto& done) {
              v1::ProveRecordRequest request;
              request.set_index(index);
              reading_->ProveRecord(call, request, done);
            }),
            party.seen);

  tried.insert("Tail");
  const auto writer = std::make_shared<KeptTail>();
  const auto follower = LogTail::MakeFollower(call, writer);
  v1::TailRequest follow;
  follow.set_from(0);
  reading_->Tail(follower, call, follow);
  const auto followed = writer->Seen();
  if (followed.ok()) {
    EXPECT_EQ(*followed, party.seen);
  } else {
    EXPECT_EQ(ReasonOf(followed.status()), v1::REASON_ROLE_REQUIRED) << followed.status();
    EXPECT_EQ(party.seen, kRefusedForRole);
  }

  tried.insert("Report");
  LogReports reports(Parts());
  const auto kept = std::make_shared<KeptReport>();
  v1::ReportRequest report;
  const int64_t now = exchange_.clock.Now() / kSecond;
  report.mutable_since()->set_seconds(now - 86'400);
  report.mutable_until()->set_seconds(now + 86'400);
  reports.Begin(LogReports::Ask(call, report, kept));
  const absl::Status reported = kept->Wait();
  if (reported.ok()) {
    std::string seen;
    for (const v1::ReportResponse& message : kept->messages())
      for (const v1::ReportUse& use : message.uses())
        seen += use.dataset() != "public-security/persons" ? '2'
                : use.agency() == "health"                 ? '1'
                                                           : '0';
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, party.seen);
  } else {
    EXPECT_EQ(ReasonOf(reported), v1::REASON_ROLE_REQUIRED) << reported;
    EXPECT_EQ(party.seen, kRefusedForRole);
  }

  tried.insert("ReportSharing");
  SharingReports scorecards(Parts(), sharing::Rules::Shipped());
  const absl::CivilMonth month(
      absl::ToCivilSecond(absl::FromUnixSeconds(now), absl::UTCTimeZone()));
  v1::ReportSharingRequest months;
  months.mutable_since()->set_seconds(
      absl::ToUnixSeconds(absl::FromCivil(absl::CivilDay(month), absl::UTCTimeZone())));
  months.mutable_until()->set_seconds(
      absl::ToUnixSeconds(absl::FromCivil(absl::CivilDay(month + 1), absl::UTCTimeZone())));
  const Pending<v1::ReportSharingResponse> scored;
  const uint64_t records = exchange_.log->size();
  scorecards.ReportSharing(call, months, scored.Done());
  const auto scorecard = scored.Wait();
  const bool sees_all =
      call.principal->Has(v1::ROLE_AUDITOR) || call.principal->Has(v1::ROLE_AUTHORITY);
  if (sees_all || call.principal->Has(v1::ROLE_SHARING_OFFICE)) {
    ASSERT_TRUE(scorecard.ok()) << scorecard.status();
    std::string owners;
    for (const v1::SharingScore& score : scorecard->scores())
      absl::StrAppend(&owners, score.agency(), " ", score.answers(), ";");
    EXPECT_EQ(owners, sees_all ? "public-security 2;transport 1;" : "public-security 2;");
    EXPECT_EQ(scorecard->read_index(), static_cast<int64_t>(records)) << "it is recorded";
  } else {
    EXPECT_EQ(ReasonOf(scorecard.status()), v1::REASON_ROLE_REQUIRED) << scorecard.status();
    EXPECT_EQ(exchange_.log->size(), records);
  }

  tried.insert("Export");
  const auto exported = std::make_shared<KeptTail>();
  {  // its head waits for a second of the clock, which otherwise stands
    std::atomic<bool> done = false;
    std::thread passing([&] {
      while (!done) {
        exchange_.clock.Advance(kSecond);
        std::this_thread::yield();
      }
    });
    reading_->Export(LogTail::MakeFollower(call, exported), call, {});
    done = true;
    passing.join();
  }
  const auto shown = exported->Seen();
  if (shown.ok()) {
    EXPECT_EQ(*shown, party.seen);
  } else {
    EXPECT_EQ(ReasonOf(shown.status()), v1::REASON_ROLE_REQUIRED) << shown.status();
    EXPECT_EQ(party.seen, kRefusedForRole);
  }

  tried.insert("CopyEntries");  // shows all, so for those alone that may see all
  const auto copied = std::make_shared<KeptTail>();
  reading_->CopyEntries(LogTail::MakeFollower(call, copied), call, {});
  const auto entries = copied->Seen();
  if (call.principal->Has(v1::ROLE_AUDITOR)) {
    EXPECT_EQ(entries.value_or(""), "012") << entries.status();
  } else {
    EXPECT_EQ(ReasonOf(entries.status()), v1::REASON_ROLE_REQUIRED) << entries.status();
  }

  tried.insert("GetHead");  // shows no record: for everybody
  EXPECT_TRUE(reading_->GetHead().ok());

  tried.insert("RebuildIndex");
  const Pending<v1::RebuildIndexResponse> rebuilt;
  reading_->RebuildIndex(call, {}, rebuilt.Done());
  const bool rebuilds =
      call.principal->Has(v1::ROLE_OPERATOR) || party.name == "person audit-office auditor";
  EXPECT_EQ(ReasonOf(rebuilt.Wait().status()),
            rebuilds ? v1::REASON_UNSPECIFIED : v1::REASON_ROLE_REQUIRED);

  tried.insert("OpenSubjectKey");
  const auto open_key = [&](const v1::OpenSubjectKeyRequest& request) {
    const Pending<v1::OpenSubjectKeyResponse> opened;
    reading_->OpenSubjectKey(call, request, opened.Done());
    return opened.Wait();
  };
  v1::OpenSubjectKeyRequest key;
  key.set_key_year(2025);
  key.set_case_reference("(2026) 1");
  key.mutable_basis()->set_law("Criminal Procedure Law");
  key.mutable_basis()->set_article("54");
  EXPECT_EQ(ReasonOf(open_key(key).status()), call.principal->Has(v1::ROLE_AUDITOR)
                                                  ? v1::REASON_UNSPECIFIED
                                                  : v1::REASON_ROLE_REQUIRED);
  key.set_id("k-000000000000");
  const bool may_open =
      call.principal->Has(v1::ROLE_AUDITOR) || call.principal->Has(v1::ROLE_AUTHORITY);
  EXPECT_EQ(ReasonOf(open_key(key).status()),
            may_open ? v1::REASON_NOT_FOUND : v1::REASON_ROLE_REQUIRED);

  // A call that is added has to be added here.
  const auto* audit = v1::Record::descriptor()->file()->FindServiceByName("Audit");
  ASSERT_NE(audit, nullptr);
  for (int i = 0; i < audit->method_count(); ++i)
    EXPECT_TRUE(tried.contains(audit->method(i)->name())) << audit->method(i)->name();
}

INSTANTIATE_TEST_SUITE_P(Parties, LogRolesTest, ::testing::ValuesIn(kParties),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

}  // namespace
}  // namespace sluice::exchange
