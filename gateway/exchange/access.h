// What a page and a stream have in common: a call with its request, the plan that was decided, its
// request id, and what records and replies say of all this. A value; the run that owns it says
// which thread may use it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gateway/exchange/broker.h"

namespace sluice::exchange {

struct Access {
  const BrokerParts& parts;
  const Call call;
  const v1::QueryRequest request;  // of a stream: what is decided on

  Micros started = 0;  // wall clock
  policy::SnapshotPtr snapshot;
  std::optional<policy::Plan> plan;
  std::string request_id, request_id_digest, request_digest;
  RequestIds::Place place;  // among the uses of its request id

  // Takes the caller's request id, or makes one. `digest` is RequestDigest's. REQUEST_ID_CONFLICT,
  // REQUEST_ID_EXHAUSTED.
  absl::Status TakeRequestId(std::string digest);
  // Takes it for what it names alone: it is not counted among its uses.
  void NameRequest();
  // What tokens of this access are bound to.
  TokenBinding Binding(std::string digest) const;
  // SOURCE_UNAVAILABLE where the plan's source is not set up; SCHEMA_DRIFT.
  absl::StatusOr<std::shared_ptr<SourceAtWork>> FindSource() const;

  // The record of what was refused before there was a plan.
  audit::Draft Denied(const policy::Denial& denial) const;
  // What the envelope of every record of the access says.
  void FillGrant(v1::AuditEnvelope& envelope) const;
  // The above, the subjects asked about, and the detail.
  void FillPlan(audit::Draft& draft) const;
  // The part of a reply that says what was done to the request, without quota and source.
  void FillApplied(v1::Applied& applied) const;

  // Records a refusal or failure, then tells it: `told` gets a status that a foreign agency may
  // read, with call, request id and index. `draft` has all but reason and message. The place among
  // the uses of the request id is given back.
  void Refuse(absl::Status why, audit::Draft draft, std::function<void(absl::Status)> told) const;

 private:
  void FillAsked(const catalogue::Dataset* dataset,
                 const std::vector<policy::BoundFilter::Asked>& asked, bool named,
                 audit::Draft& draft) const;
};

// DENIED for what the call itself ran into of identity and decision (reasons before 70 in
// reason.proto), FAILED for the rest.
v1::RecordKind KindFor(const absl::Status& status);

// Of all that makes two requests the same access; request id, trace context and resume token are
// not part of it.
std::string RequestDigest(v1::QueryRequest request, const audit::Pseudonyms& pseudonyms);
std::string RequestDigest(v1::ReadRequest request, const audit::Pseudonyms& pseudonyms);
std::string RequestDigest(v1::MatchRequest request, const audit::Pseudonyms& pseudonyms);
std::string RequestDigest(v1::CountRequest request, const audit::Pseudonyms& pseudonyms);

// What a reply says of the source as it was read.
void FillSource(const adapters::SourceVersion& version, bool snapshot, int64_t bad_values,
                v1::Applied& applied);

}  // namespace sluice::exchange
