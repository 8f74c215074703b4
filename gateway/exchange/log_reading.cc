#include "gateway/exchange/log_reading.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "google/protobuf/util/json_util.h"

namespace sluice::exchange {
namespace {

constexpr int kDefaultPage = 100;
constexpr int kMostPage = 1000;
constexpr Micros kTokenLife = kHour;

Micros ToMicros(const google::protobuf::Timestamp& time) {
  return time.seconds() * kSecond + time.nanos() / 1000;
}

absl::StatusOr<audit::Scope> ScopeOf(const identity::Principal& who) {
  audit::Scope scope;
  scope.all = who.Has(v1::ROLE_AUDITOR);
  scope.agency = who.agency;
  scope.owned_datasets = who.Has(v1::ROLE_OWNER);
  // An operator runs the gateway: what passes through it is not his to read.
  if (who.Has(v1::ROLE_OPERATOR) && !scope.all && !scope.owned_datasets)
    return Error(v1::REASON_ROLE_REQUIRED, "an operator reads no audit records; an auditor does.");
  return scope;
}

absl::Status NotFound(int64_t index) {
  return Error(v1::REASON_RECORD_NOT_FOUND,
               absl::StrCat("there is no record #", index, " that you may read."),
               {{"index", absl::StrCat(index)}});
}

// Of one caller's search: what differs in any part is another's.
TokenBinding BindingOf(const Call& call, v1::ListRecordsRequest request) {
  request.clear_page_token();
  TokenBinding binding;
  binding.principal = call.principal->path;
  binding.dataset = "audit records";  // no dataset has this name, so no query's token fits
  binding.request_digest = std::string(AsBytes(Sha256(request.SerializeAsString())));
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

}  // namespace

LogReading::LogReading(audit::Log& log, audit::SearchIndex& index, const audit::DetailKeys& keys,
                       audit::RecordSealer& sealer, const Tokens& tokens, const Clock& clock,
                       std::string verifier_key)
    : log_(log),
      index_(index),
      keys_(keys),
      sealer_(sealer),
      tokens_(tokens),
      clock_(clock),
      verifier_key_(std::move(verifier_key)) {}

void LogReading::ListRecords(const Call& call, v1::ListRecordsRequest request,
                             Done<v1::ListRecordsResponse> done) {
  const auto scope = ScopeOf(*call.principal);
  if (!scope.ok()) return done(scope.status());
  if (request.page_size() < 0 || request.page_size() > kMostPage)
    return done(Error(v1::REASON_PAGE_SIZE_TOO_LARGE, "a page has 1 to 1,000 records."));
  const Micros now = clock_.Now();
  const TokenBinding binding = BindingOf(call, request);
  const auto before = BeforeOf(tokens_, binding, request.page_token(), now);
  if (!before.ok()) return done(before.status());

  audit::SearchQuery query;
  if (request.has_since()) query.since = ToMicros(request.since());
  if (request.has_until()) query.until = ToMicros(request.until());
  query.agency = request.agency();
  query.dataset = request.dataset();
  query.grant = request.grant();
  query.kind = request.kind();
  query.limit = request.page_size() == 0 ? kDefaultPage : request.page_size();
  query.before = *before;
  auto found = index_.Search(log_, query, *scope);
  if (!found.ok()) return done(found.status());

  auto response = std::make_shared<v1::ListRecordsResponse>();
  for (const audit::SearchHit& hit : found->hits) {
    auto entry = log_.ReadOne(hit.index);
    if (!entry.ok()) return done(entry.status());
    v1::Record* record = response->add_records();
    record->set_index(static_cast<int64_t>(hit.index));
    if (!record->mutable_envelope()->ParseFromString(entry->record.envelope))
      return done(absl::DataLossError(absl::StrCat("record ", hit.index, " does not parse")));
    if (absl::Status status = AddLatest(*record); !status.ok()) return done(status);
  }
  response->set_searched_to(static_cast<int64_t>(found->searched_to));
  if (found->more && !found->hits.empty())
    response->set_next_page_token(TokenFor(tokens_, binding, found->hits.back().index, now));
  Record(call, request, 0, static_cast<int64_t>(found->searched_to),
         [response, done](absl::StatusOr<int64_t> index) {
           if (!index.ok()) return done(index.status());
           response->set_read_index(*index);
           done(std::move(*response));
         });
}

// How far the stream got that this record opened.
absl::Status LogReading::AddLatest(v1::Record& record) {
  if (record.envelope().kind() != v1::RECORD_KIND_OPENED) return absl::OkStatus();
  const auto opened = static_cast<uint64_t>(record.index());
  SLUICE_ASSIGN_OR_RETURN(const uint64_t latest, index_.LatestOf(opened));
  if (latest == opened) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const audit::Log::Entry entry, log_.ReadOne(latest));
  record.set_latest_index(static_cast<int64_t>(latest));
  if (!record.mutable_latest()->ParseFromString(entry.record.envelope))
    return absl::DataLossError(absl::StrCat("record ", latest, " does not parse"));
  return absl::OkStatus();
}

absl::StatusOr<audit::Log::Entry> LogReading::Find(const Call& call, int64_t index,
                                                   v1::AuditEnvelope* envelope) {
  SLUICE_ASSIGN_OR_RETURN(const audit::Scope scope, ScopeOf(*call.principal));
  if (index < 0 || static_cast<uint64_t>(index) >= log_.size()) return NotFound(index);
  SLUICE_ASSIGN_OR_RETURN(audit::Log::Entry entry, log_.ReadOne(static_cast<uint64_t>(index)));
  if (!envelope->ParseFromString(entry.record.envelope))
    return absl::DataLossError(absl::StrCat("record ", index, " does not parse"));
  if (!audit::SearchIndex::Allows(scope, *envelope)) return NotFound(index);
  return entry;
}

void LogReading::GetRecord(const Call& call, v1::GetRecordRequest request,
                           Done<v1::GetRecordResponse> done) {
  auto response = std::make_shared<v1::GetRecordResponse>();
  v1::Record& record = *response->mutable_record();
  const auto entry = Find(call, request.index(), record.mutable_envelope());
  if (!entry.ok()) return done(entry.status());
  record.set_index(request.index());
  auto detail = audit::OpenDetail(entry->record, keys_);
  if (detail.ok()) {
    *record.mutable_detail() = *std::move(detail);
  } else if (!absl::IsNotFound(detail.status())) {
    return done(detail.status());
  }
  Record(call, request, request.index(), request.index() + 1,
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
  const auto proof = log_.Prove(static_cast<uint64_t>(request.index()));
  if (!proof.ok()) return done(proof.status());
  response->set_envelope(entry->record.envelope);
  response->set_proof(audit::FormatTlogProof(*proof));
  Record(call, request, request.index(), request.index() + 1,
         [response, done](absl::StatusOr<int64_t> index) {
           if (!index.ok()) return done(index.status());
           response->set_read_index(*index);
           done(std::move(*response));
         });
}

absl::StatusOr<v1::GetHeadResponse> LogReading::GetHead() {
  v1::GetHeadResponse response;
  SLUICE_ASSIGN_OR_RETURN(*response.mutable_checkpoint(), log_.Head(false));
  response.set_verifier_key(verifier_key_);
  return response;
}

void LogReading::Record(const Call& call, const google::protobuf::Message& request, int64_t from,
                        int64_t to, std::function<void(absl::StatusOr<int64_t>)> answer) {
  audit::Draft draft = DraftFor(v1::RECORD_KIND_READ, call);
  draft.envelope.set_read_from(from);
  draft.envelope.set_read_to(to);
  draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  std::string json;
  if (google::protobuf::util::MessageToJsonString(request, &json).ok())
    draft.detail.set_search_json(json);
  auto sealed = sealer_.Seal(std::move(draft));
  if (!sealed.ok()) return answer(sealed.status());
  log_.Append(*std::move(sealed),
              [answer = std::move(answer)](absl::StatusOr<v1::Receipt> receipt) {
                if (!receipt.ok()) return answer(receipt.status());
                answer(receipt->index());
              });
}

}  // namespace sluice::exchange
