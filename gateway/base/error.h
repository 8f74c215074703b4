// Errors with a reason. An absl::Status made here carries google.rpc details (ErrorInfo and, where
// they apply, BadRequest, RetryInfo, QuotaFailure) as payloads under their type URLs; gateway/rpc
// copies them into the reply as they are. What a status without a reason says is internal: it goes
// to the operational log, never to a peer.
//
//   return Error(v1::REASON_PURPOSE_NOT_GRANTED, "no grant for \"tax\"", {{"dataset", name}});
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "google/rpc/error_details.pb.h"
#include "sluice/v1/reason.pb.h"

namespace sluice {

using ErrorKeys = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// The status code is the reason's own (reason.proto). The sentence may be read by a foreign agency:
// no values of personal data, no internals. Keys: dataset, grant, call, index, field, …
absl::Status Error(v1::Reason reason, std::string_view sentence, ErrorKeys keys = {});

// REQUEST_INVALID with a violation of `field`, as AddFieldViolation takes it.
absl::Status InvalidField(std::string_view field, std::string_view mistake);

// Adds to a status; no effect on an OK one.
void AddKey(absl::Status& status, std::string_view key, std::string_view value);
// With the key `nearest`, where there is one: the known name that was probably meant (NearestName).
absl::Status WithNearest(absl::Status status, const std::optional<std::string>& nearest);
// `field` is a path in the request, such as "filter:17" (position, in code points from 1) or
// "grant.fields[2].mask".
void AddFieldViolation(absl::Status& status, std::string_view field, std::string_view description);
void AddRetryDelay(absl::Status& status, Micros delay);
void AddQuotaViolation(absl::Status& status, std::string_view subject,
                       std::string_view description);

// What the operator alone may read of a failure, such as the words of a system that is not ours:
// exchange::PublicStatus writes it to the operational log, and no reply carries it. No effect on an
// OK status.
void AddOperatorNote(absl::Status& status, std::string_view note);
// Empty where there is none.
std::string OperatorNoteOf(const absl::Status& status);
void RemoveOperatorNote(absl::Status& status);

// REASON_UNSPECIFIED where the status carries none.
v1::Reason ReasonOf(const absl::Status& status);
std::optional<google::rpc::ErrorInfo> ErrorInfoOf(const absl::Status& status);
std::optional<google::rpc::BadRequest> BadRequestOf(const absl::Status& status);
std::optional<google::rpc::RetryInfo> RetryInfoOf(const absl::Status& status);
std::optional<google::rpc::QuotaFailure> QuotaFailureOf(const absl::Status& status);

// "PURPOSE_NOT_GRANTED": as written in ErrorInfo.reason, JSON and tables (without "REASON_").
std::string ReasonName(v1::Reason reason);
// REASON_UNSPECIFIED for a name that is none.
v1::Reason ReasonFromName(std::string_view name);
// What reason.proto says of it.
const v1::ReasonInfo& InfoOf(v1::Reason reason);

// The same status with `context` and ": " before its message; payloads kept. For internal errors,
// once on the way up.
absl::Status Annotate(const absl::Status& status, std::string_view context);

}  // namespace sluice

// Returns early with the status of `expr` where it is not OK.
#define SLUICE_RETURN_IF_ERROR(expr)                                                       \
  do {                                                                                     \
    if (absl::Status sluice_status_ = (expr); !sluice_status_.ok()) return sluice_status_; \
  } while (false)

#define SLUICE_CONCAT_INNER_(a, b) a##b
#define SLUICE_CONCAT_(a, b) SLUICE_CONCAT_INNER_(a, b)
// SLUICE_ASSIGN_OR_RETURN(auto value, Make());
#define SLUICE_ASSIGN_OR_RETURN(lhs, expr) \
  SLUICE_ASSIGN_OR_RETURN_(SLUICE_CONCAT_(sluice_result_, __LINE__), lhs, expr)
#define SLUICE_ASSIGN_OR_RETURN_(result, lhs, expr)    \
  auto result = (expr);                                \
  if (!result.ok()) return std::move(result).status(); \
  lhs = *std::move(result)
