#include "cli/audit_held.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "cli/display.h"
#include "cli/progress.h"
#include "cli/times.h"
#include "gateway/audit/copy_verifier.h"
#include "gateway/audit/log_copy.h"
#include "gateway/audit/record_query.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr size_t kMostBundle = 256 * (65535 + 2);
constexpr size_t kMostNamed = 10;

audit::RecordQuery QueryOf(const v1::RecordFilter& filter) {
  audit::RecordQuery query;
  if (filter.has_since()) query.since = ToMicros(filter.since());
  if (filter.has_until()) query.until = ToMicros(filter.until());
  query.agency = filter.agency();
  query.principal = filter.principal();
  query.owner = filter.owner_agency();
  query.dataset = filter.dataset();
  query.grant = filter.grant();
  query.purpose = filter.purpose();
  query.law = filter.law();
  query.article = filter.article();
  query.outcome = filter.outcome();
  query.reason = filter.reason();
  query.kind = filter.kind();
  return query;
}

// "#3 #7 and 12 more".
std::string Named(const std::vector<int64_t>& indices) {
  std::string words;
  for (size_t i = 0; i < indices.size() && i < kMostNamed; ++i)
    absl::StrAppend(&words, i == 0 ? "#" : " #", indices[i]);
  if (indices.size() > kMostNamed)
    absl::StrAppend(&words, " and ", indices.size() - kMostNamed, " more");
  return words;
}

constexpr char kKeepBoth[] =
    "keep the copy and this answer: together they show what the gateway did not tell";

}  // namespace

absl::Status CanBeHeld(const v1::RecordFilter& filter) {
  if (filter.case_reference().empty() && filter.end_user().empty() &&
      filter.on_behalf_of().empty() && !filter.has_subject())
    return absl::OkStatus();
  return UsageError(
      "case, end user, on behalf of and subject stand in sealed details, and a copy "
      "has envelopes alone.",
      "sluice audit search --agency … --dataset … --copy DIR");
}

absl::Status HoldAgainstCopy(Session& session, const std::string& folder,
                             const v1::RecordFilter& filter, const std::vector<v1::Record>& records,
                             int64_t searched_to) {
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  std::map<int64_t, const v1::AuditEnvelope*> told;
  for (const v1::Record& record : records) told.emplace(record.index(), &record.envelope());
  const audit::RecordQuery query = QueryOf(filter);
  const audit::Scope all{.all = true};
  FileSystem& files = session.environment.files;
  std::vector<int64_t> left_out, altered;
  size_t held = 0;
  audit::LogBroken broken;
  absl::StatusOr<audit::VerifyReport> report;
  {
    ProgressBar bar(session.environment);
    report = audit::VerifyTiles(
        profile->log_key,
        [&](const std::string& name) { return files.ReadAll(JoinPath(folder, name), kMostBundle); },
        &broken, [&bar](uint64_t done, uint64_t of) { bar.Show(done, of); },
        [&](uint64_t at, const v1::AuditEnvelope& envelope) {
          const auto index = static_cast<int64_t>(at);
          const bool meets = index < searched_to && audit::Matches(query, all, envelope, nullptr);
          const auto found = told.find(index);
          if (found == told.end()) {
            if (meets) left_out.push_back(index);
            return;
          }
          ++held;
          if (!meets || found->second->SerializeAsString() != envelope.SerializeAsString())
            altered.push_back(index);
        });
  }
  if (!report.ok()) {
    if (broken.what.empty()) return Annotate(report.status(), folder);
    return LocalError("LOG_BROKEN", absl::StrCat("the copy does not hold: ", broken.what),
                      {{"place", absl::StrCat(folder, "/", broken.where)}}, broken.next);
  }
  if (!altered.empty())
    return LocalError(
        "SEARCH_ALTERED",
        absl::StrCat(altered.size(), " records of the answer are others in the copy."),
        {{"records", Named(altered)}}, kKeepBoth);
  if (!left_out.empty())
    return LocalError(
        "SEARCH_INCOMPLETE",
        absl::StrCat("the answer lacks ", left_out.size(), " records that the copy has."),
        {{"records", Named(left_out)}}, kKeepBoth);
  session.environment.err << "held against the copy of "
                          << Grouped(static_cast<int64_t>(report->records))
                          << " records: " << Grouped(static_cast<int64_t>(held)) << " of "
                          << Grouped(static_cast<int64_t>(records.size()))
                          << " are in it, and none is missing\n";
  return absl::OkStatus();
}

}  // namespace sluice::cli
