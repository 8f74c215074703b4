#include "gateway/exchange/log_reading.h"

#include <future>

#include "absl/strings/str_cat.h"
#include "gateway/audit/search_tags.h"
#include "gateway/base/error.h"
#include "google/protobuf/util/json_util.h"

namespace sluice::exchange {
namespace {

constexpr int kDefaultPage = 100;
constexpr int kMostPage = 1000;
constexpr Micros kTokenLife = kHour;

// `message` as JSON, for its record.
std::string JsonOf(const google::protobuf::Message& message) {
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json).ok()) json.clear();
  return json;
}

absl::Status NotFound(int64_t index) {
  return Error(v1::REASON_RECORD_NOT_FOUND,
               absl::StrCat("there is no record #", index, " that you may read."),
               {{"index", absl::StrCat(index)}});
}

// Of one caller's search: what differs in any part is another's. `request` is as it is recorded.
TokenBinding BindingOf(const Call& call, v1::ListRecordsRequest request,
                       const LogQuestion& question, const audit::Pseudonyms& pseudonyms) {
  request.clear_page_token();
  std::string bytes = request.SerializeAsString();
  const audit::RecordQuery& query = question.query;
  for (const v1::SubjectPseudonym& subject : query.subjects) bytes += subject.pseudonym();
  TokenBinding binding;
  binding.principal = call.principal->path;
  binding.dataset = "audit records";  // no dataset has this name, so no query's token fits
  binding.request_digest = pseudonyms.ForRequest(bytes);
  return binding;
}

std::string TokenFor(const Tokens& tokens, const TokenBinding& binding, uint64_t before,
                     Micros now) {
  PagePosition position;
  position.after = {static_cast<int64_t>(before)};
  position.expires = now + kTokenLife;
  return tokens.SealPage(binding, position);
}

// The index below which the page begins; -1 for the first.
absl::StatusOr<int64_t> BeforeOf(const Tokens& tokens, const TokenBinding& binding,
                                 const std::string& token, Micros now) {
  if (token.empty()) return -1;
  SLUICE_ASSIGN_OR_RETURN(const PagePosition position, tokens.OpenPage(binding, token, now));
  const auto* before =
      position.after.size() == 1 ? std::get_if<int64_t>(&position.after[0]) : nullptr;
  if (before == nullptr || *before < 0)
    return Error(v1::REASON_PAGE_TOKEN_INVALID, "the page token is none of this call's.");
  return *before;
}

// Of each condition on details and each key that is kept. A month without records costs a look.
absl::StatusOr<std::vector<v1::SearchToken>> SearchTokens(const audit::RecordQuery& query,
                                                          const audit::DetailKeys& keys) {
  std::vector<v1::SearchToken> tokens;
  if (!query.AsksDetails()) return tokens;
  SLUICE_ASSIGN_OR_RETURN(const auto names, keys.Names());
  for (const std::string& name : names) {
    const auto key = keys.ForOpening(name);
    if (absl::IsNotFound(key.status())) continue;  // dropped since it was listed
    SLUICE_RETURN_IF_ERROR(key.status());
    const auto add = [&](v1::SearchCondition condition, const std::string& value) {
      if (value.empty()) return;
      v1::SearchToken& token = tokens.emplace_back();
      token.set_detail_key(name);
      token.set_condition(condition);
      token.set_token(audit::SearchToken(*key, condition, value));
    };
    add(v1::SEARCH_CONDITION_CASE_REFERENCE, query.case_reference);
    add(v1::SEARCH_CONDITION_END_USER, query.end_user);
    add(v1::SEARCH_CONDITION_ON_BEHALF_OF, query.on_behalf_of);
    for (const v1::SubjectPseudonym& subject : query.subjects)
      add(v1::SEARCH_CONDITION_SUBJECT, subject.pseudonym());
  }
  return tokens;
}

}  // namespace

LogReading::LogReading(const LogReadingParts& parts, LogTail& tail, std::string verifier_key)
    : parts_(parts),
      tail_(tail),
      verifier_key_(std::move(verifier_key)),
      subject_keys_({parts.log, parts.sealer, parts.pseudonyms, parts.clock}) {}

void LogReading::ListRecords(const Call& call, v1::ListRecordsRequest request,
                             Done<v1::ListRecordsResponse> done) {
  if (const auto scope = ScopeOf(*call.principal); !scope.ok()) return done(scope.status());
  if (request.page_size() < 0 || request.page_size() > kMostPage)
    return done(Error(v1::REASON_PAGE_SIZE_TOO_LARGE, "a page has 1 to 1,000 records."));
  const Micros now = parts_.clock.Now();
  const auto question = PrepareQuestion(*call.principal, request.filter(), parts_.pseudonyms,
                                        parts_.log, parts_.index, now);
  if (!question.ok()) return done(question.status());
  // A token finds records in any copy, whoever may see them.
  if (request.with_search_tokens() && !question->scope.all)
    return done(
        Error(v1::REASON_ROLE_REQUIRED, "search tokens are for auditors.", {{"role", "auditor"}}));
  *request.mutable_filter() = question->recorded;
  const TokenBinding binding = BindingOf(call, request, *question, parts_.pseudonyms);
  const auto before = BeforeOf(parts_.tokens, binding, request.page_token(), now);
  if (!before.ok()) return done(before.status());

  const audit::SearchPage page{request.page_size() == 0 ? kDefaultPage : request.page_size(),
                               *before};
  auto response = std::make_shared<v1::ListRecordsResponse>();
  const auto found = SearchAndRead(*question, page, *response);
  if (!found.ok()) return done(found.status());
  response->set_searched_to(static_cast<int64_t>(found->searched_to));
  response->set_log_records(static_cast<int64_t>(parts_.log.size()));
  response->set_erased(static_cast<int64_t>(found->erased));
  if (request.with_search_tokens()) {
    auto tokens = SearchTokens(question->query, parts_.keys);
    if (!tokens.ok()) return done(tokens.status());
    response->mutable_search_tokens()->Assign(tokens->begin(), tokens->end());
  }
  if (found->more && !found->hits.empty())
    response->set_next_page_token(TokenFor(parts_.tokens, binding, found->hits.back(), now));
  request.clear_page_token();
  Reading reading;
  reading.request_json = JsonOf(request);
  reading.asked = question->query.subjects;
  reading.to = response->searched_to();
  reading.shown = response->records_size();
  RecordReading(parts_, call, reading, [response, done](absl::StatusOr<int64_t> index) {
    if (!index.ok()) return done(index.status());
    response->set_read_index(*index);
    done(std::move(*response));
  });
}

// The index only says where to look. What it names and is no answer shows that it is damaged.
absl::StatusOr<audit::SearchResult> LogReading::SearchAndRead(const LogQuestion& question,
                                                              const audit::SearchPage& page,
                                                              v1::ListRecordsResponse& response) {
  for (bool again = false;; again = true) {
    SLUICE_ASSIGN_OR_RETURN(audit::SearchResult found,
                            parts_.index.Search(parts_.log, question.query, question.scope, page));
    response.clear_records();
    bool sound = true;
    for (const uint64_t index : found.hits) {
      SLUICE_ASSIGN_OR_RETURN(const bool answers, Add(question, index, response));
      if (!(sound = answers)) break;
    }
    if (sound) {
      SLUICE_RETURN_IF_ERROR(AddLatest(response));
      return found;
    }
    const absl::Status bad = absl::DataLossError("the search index names records that do not fit");
    if (again) return bad;
    SLUICE_RETURN_IF_ERROR(parts_.index.Rebuild(bad));
  }
}

absl::StatusOr<bool> LogReading::Add(const LogQuestion& question, uint64_t index,
                                     v1::ListRecordsResponse& response) {
  if (index >= parts_.log.size()) return false;
  SLUICE_ASSIGN_OR_RETURN(const audit::Log::Entry entry, parts_.log.ReadOne(index));
  v1::Record record;
  record.set_index(static_cast<int64_t>(index));
  v1::AuditEnvelope& envelope = *record.mutable_envelope();
  if (!envelope.ParseFromString(entry.record.envelope))
    return absl::DataLossError(absl::StrCat("record ", index, " does not parse"));
  absl::StatusOr<v1::AuditDetail> detail = absl::NotFoundError("not needed");
  if (question.query.AsksDetails()) detail = audit::OpenDetail(entry.record, parts_.keys);
  const v1::AuditDetail* const opened = detail.ok() ? &*detail : nullptr;
  if (!audit::Matches(question.query, question.scope, envelope, opened)) {
    // Erased since the index was asked: then it is gone.
    return question.query.AsksDetails() && absl::IsNotFound(detail.status());
  }
  if (!question.query.subjects.empty())
    record.set_subject_match(audit::MatchOf(question.query.subjects, envelope, opened));
  *response.add_records() = std::move(record);
  return true;
}

// How far each stream got that one of these records opened.
absl::Status LogReading::AddLatest(v1::ListRecordsResponse& response) {
  std::vector<v1::Record*> records;
  std::vector<uint64_t> opened;
  for (v1::Record& record : *response.mutable_records()) {
    if (record.envelope().kind() != v1::RECORD_KIND_OPENED) continue;
    records.push_back(&record);
    opened.push_back(static_cast<uint64_t>(record.index()));
  }
  SLUICE_ASSIGN_OR_RETURN(const auto latest, parts_.index.LatestOf(opened));
  for (size_t i = 0; i < records.size(); ++i) {
    if (latest[i] == opened[i]) continue;
    SLUICE_ASSIGN_OR_RETURN(const audit::Log::Entry entry, parts_.log.ReadOne(latest[i]));
    records[i]->set_latest_index(static_cast<int64_t>(latest[i]));
    if (!records[i]->mutable_latest()->ParseFromString(entry.record.envelope))
      return absl::DataLossError(absl::StrCat("record ", latest[i], " does not parse"));
  }
  return absl::OkStatus();
}

absl::StatusOr<audit::Log::Entry> LogReading::Find(const Call& call, int64_t index,
                                                   v1::AuditEnvelope* envelope) {
  SLUICE_ASSIGN_OR_RETURN(const audit::Scope scope, ScopeOf(*call.principal));
  if (index < 0 || static_cast<uint64_t>(index) >= parts_.log.size()) return NotFound(index);
  SLUICE_ASSIGN_OR_RETURN(audit::Log::Entry entry,
                          parts_.log.ReadOne(static_cast<uint64_t>(index)));
  if (!envelope->ParseFromString(entry.record.envelope))
    return absl::DataLossError(absl::StrCat("record ", index, " does not parse"));
  if (!audit::Allows(scope, *envelope)) return NotFound(index);
  return entry;
}

void LogReading::GetRecord(const Call& call, v1::GetRecordRequest request,
                           Done<v1::GetRecordResponse> done) {
  auto response = std::make_shared<v1::GetRecordResponse>();
  v1::Record& record = *response->mutable_record();
  const auto entry = Find(call, request.index(), record.mutable_envelope());
  if (!entry.ok()) return done(entry.status());
  record.set_index(request.index());
  auto detail = audit::OpenDetail(entry->record, parts_.keys);
  if (detail.ok()) {
    *record.mutable_detail() = *std::move(detail);
  } else if (!absl::IsNotFound(detail.status())) {
    return done(detail.status());
  }
  RecordReading(parts_, call, {JsonOf(request), {}, request.index(), request.index() + 1, 1},
                [response, done](absl::StatusOr<int64_t> index) {
                  if (!index.ok()) return done(index.status());
                  response->set_read_index(*index);
                  done(std::move(*response));
                });
}

void LogReading::ProveRecord(const Call& call, v1::ProveRecordRequest request,
                             Done<v1::ProveRecordResponse> done) {
  auto response = std::make_shared<v1::ProveRecordResponse>();
  v1::AuditEnvelope envelope;
  const auto entry = Find(call, request.index(), &envelope);
  if (!entry.ok()) return done(entry.status());
  const auto index = static_cast<uint64_t>(request.index());
  const auto cosigned = parts_.Cosigned();
  const auto proof = cosigned != nullptr && index < cosigned->checkpoint.size
                         ? audit::ProveUnder(parts_.log, index, *cosigned)
                         : parts_.log.Prove(index);
  if (!proof.ok()) return done(proof.status());
  response->set_envelope(entry->record.envelope);
  response->set_proof(audit::FormatTlogProof(*proof));
  RecordReading(parts_, call, {JsonOf(request), {}, request.index(), request.index() + 1, 1},
                [response, done](absl::StatusOr<int64_t> index) {
                  if (!index.ok()) return done(index.status());
                  response->set_read_index(*index);
                  done(std::move(*response));
                });
}

absl::StatusOr<v1::GetHeadResponse> LogReading::GetHead() {
  v1::GetHeadResponse response;
  if (const auto cosigned = parts_.Cosigned(); cosigned != nullptr) {
    response.set_checkpoint(cosigned->note);
  } else {
    SLUICE_ASSIGN_OR_RETURN(*response.mutable_checkpoint(), parts_.log.Head(false));
  }
  response.set_verifier_key(verifier_key_);
  return response;
}

void LogReading::RebuildIndex(const Call& call, v1::RebuildIndexRequest,
                              Done<v1::RebuildIndexResponse> done) {
  if (!call.principal->Has(v1::ROLE_OPERATOR) && !call.principal->Has(v1::ROLE_AUDITOR))
    return done(Error(v1::REASON_ROLE_REQUIRED, "this is for operators and auditors.",
                      {{"role", "operator"}}));
  audit::Draft draft = DraftFor(v1::RECORD_KIND_CHANGED, call);
  draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_resource_kind("index");
  draft.envelope.set_resource_name("search");
  draft.envelope.set_action("rebuild");
  auto sealed = parts_.sealer.Seal(std::move(draft));
  if (!sealed.ok()) return done(sealed.status());
  auto appended = std::make_shared<std::promise<absl::StatusOr<v1::Receipt>>>();
  parts_.log.Append(*std::move(sealed), [appended](absl::StatusOr<v1::Receipt> receipt) {
    appended->set_value(std::move(receipt));
  });
  const auto receipt = appended->get_future().get();
  if (!receipt.ok()) return done(receipt.status());
  if (absl::Status status = parts_.index.Rebuild(absl::OkStatus()); !status.ok())
    return done(status);
  v1::RebuildIndexResponse response;
  response.set_log_records(static_cast<int64_t>(parts_.log.size()));
  response.set_change_index(receipt->index());
  done(std::move(response));
}

void LogReading::Tail(const std::shared_ptr<LogTail::Follower>& follower, const Call& call,
                      v1::TailRequest request) {
  auto question = PrepareQuestion(*call.principal, request.filter(), parts_.pseudonyms, parts_.log,
                                  parts_.index, parts_.clock.Now());
  if (question.ok() && request.has_from() && request.from() < 0) {
    question = Error(v1::REASON_REQUEST_INVALID, "from: the index of a record");
  }
  if (!question.ok()) return LogTail::Refuse(follower, question.status());
  *request.mutable_filter() = question->recorded;
  tail_.Follow(follower, *std::move(question), JsonOf(request),
               request.has_from() ? request.from() : -1);
}

}  // namespace sluice::exchange
