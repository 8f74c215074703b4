#include "cli/audit_held.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/display.h"
#include "cli/progress.h"
#include "cli/times.h"
#include "gateway/audit/copy_verifier.h"
#include "gateway/audit/log_copy.h"
#include "gateway/audit/record_query.h"
#include "gateway/audit/search_tags.h"
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

// kUntagged: no answer, if it has nothing to be tagged by, or was written before there were tags.
enum class Verdict { kNoAnswer, kUntagged, kAnswer, kCannotBeTold };

// What a search would find, as far as envelopes and their tags tell. The meaning of a search is
// audit::Matches alone: it is asked of details as the tags say that they are.
class HeldSearch {
 public:
  HeldSearch(const v1::RecordFilter& filter, const std::vector<v1::SearchToken>& tokens)
      : query_(QueryOf(filter)), on_details_(NeedsSearchTokens(filter)) {
    query_.case_reference = filter.case_reference();
    query_.end_user = filter.end_user();
    query_.on_behalf_of = filter.on_behalf_of();
    if (filter.has_subject()) query_.subjects.push_back(Sought());
    query_.certain = filter.certain();
    for (const v1::SearchToken& token : tokens)
      tokens_[token.detail_key()].emplace_back(token.condition(), token.token());
  }

  Verdict Judge(const v1::AuditEnvelope& envelope) const {
    if (!on_details_) return Meets(envelope, nullptr) ? Verdict::kAnswer : Verdict::kNoAnswer;
    const auto tokens = tokens_.find(envelope.detail_key());
    const bool erased = tokens == tokens_.end();
    v1::AuditDetail least, most;  // what it has for certain, and at most
    if (!erased)
      for (const auto& [condition, token] : tokens->second)
        if (audit::HasSearchTag(envelope, token)) Add(condition, least);
    most = least;
    if (erased)
      for (const v1::SearchCondition condition : kOnClaims) Add(condition, most);
    if (erased || envelope.subjects_untagged()) Add(v1::SEARCH_CONDITION_SUBJECT, most);
    if (Meets(envelope, &least)) return Verdict::kAnswer;
    if (Meets(envelope, &most)) return Verdict::kCannotBeTold;
    return envelope.search_tags().empty() ? Verdict::kUntagged : Verdict::kNoAnswer;
  }

 private:
  static constexpr v1::SearchCondition kOnClaims[] = {v1::SEARCH_CONDITION_CASE_REFERENCE,
                                                      v1::SEARCH_CONDITION_END_USER,
                                                      v1::SEARCH_CONDITION_ON_BEHALF_OF};
  // Stands for the person, whose pseudonyms a copy has not.
  static v1::SubjectPseudonym Sought() {
    v1::SubjectPseudonym sought;
    sought.set_pseudonym("sought");
    return sought;
  }
  bool Meets(const v1::AuditEnvelope& envelope, const v1::AuditDetail* detail) const {
    return audit::Matches(query_, audit::Scope{.all = true}, envelope, detail);
  }
  void Add(v1::SearchCondition condition, v1::AuditDetail& detail) const {
    if (condition == v1::SEARCH_CONDITION_CASE_REFERENCE)
      detail.set_case_reference(query_.case_reference);
    if (condition == v1::SEARCH_CONDITION_END_USER) detail.set_end_user(query_.end_user);
    if (condition == v1::SEARCH_CONDITION_ON_BEHALF_OF)
      detail.set_on_behalf_of(query_.on_behalf_of);
    if (condition == v1::SEARCH_CONDITION_SUBJECT && detail.asked_size() == 0)
      *detail.add_asked() = Sought();
  }

  audit::RecordQuery query_;
  const bool on_details_;
  // By key of details.
  std::map<std::string, std::vector<std::pair<v1::SearchCondition, std::string>>> tokens_;
};

constexpr char kKeepBoth[] =
    "keep the copy and this answer: together they show what the gateway did not tell";

}  // namespace

bool NeedsSearchTokens(const v1::RecordFilter& filter) {
  return !filter.case_reference().empty() || !filter.end_user().empty() ||
         !filter.on_behalf_of().empty() || filter.has_subject();
}

absl::Status HoldAgainstCopy(Session& session, const std::string& folder,
                             const v1::RecordFilter& filter, const HeldAnswer& answer) {
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  std::map<int64_t, const v1::AuditEnvelope*> told;
  for (const v1::Record& record : answer.records) told.emplace(record.index(), &record.envelope());
  const HeldSearch search(filter, answer.tokens);
  FileSystem& files = session.environment.files;
  std::vector<int64_t> left_out, altered;
  size_t held = 0, untold = 0;
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
          const Verdict verdict =
              index < answer.searched_to ? search.Judge(envelope) : Verdict::kNoAnswer;
          const auto found = told.find(index);
          if (found == told.end()) {
            if (verdict == Verdict::kAnswer) left_out.push_back(index);
            if (verdict == Verdict::kCannotBeTold) ++untold;
            return;
          }
          ++held;
          if (verdict == Verdict::kNoAnswer ||
              found->second->SerializeAsString() != envelope.SerializeAsString())
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
  std::ostream& err = session.environment.err;
  err << "held against the copy of " << Grouped(static_cast<int64_t>(report->records))
      << " records: " << Grouped(static_cast<int64_t>(held)) << " of "
      << Grouped(static_cast<int64_t>(answer.records.size()))
      << " are in it, and none is missing\n";
  if (untold > 0)
    err << "of " << Grouped(static_cast<int64_t>(untold))
        << " more records the copy does not tell whether they belong to the answer: their details "
           "are erased, or list more subjects than have tags\n";
  return absl::OkStatus();
}

}  // namespace sluice::cli
