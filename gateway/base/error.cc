#include "gateway/base/error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/view.h"

namespace sluice {
namespace {

constexpr absl::string_view kPrefix = "REASON_";
constexpr absl::string_view kOperatorNote = "sluice.dev/operator-note";

template <class Message>
absl::string_view UrlOf() {
  static const std::string* const url =
      new std::string(absl::StrCat("type.googleapis.com/", Message::descriptor()->full_name()));
  return *url;
}

template <class Message>
std::optional<Message> PayloadOf(const absl::Status& status) {
  const auto payload = status.GetPayload(UrlOf<Message>());
  if (!payload) return std::nullopt;
  Message message;
  if (!message.ParseFromString(std::string(*payload))) return std::nullopt;
  return message;
}

template <class Message>
void SetPayload(absl::Status& status, const Message& message) {
  status.SetPayload(UrlOf<Message>(), absl::Cord(message.SerializeAsString()));
}

}  // namespace

absl::Status Error(v1::Reason reason, std::string_view sentence, ErrorKeys keys) {
  absl::Status status(static_cast<absl::StatusCode>(InfoOf(reason).code()), View(sentence));
  google::rpc::ErrorInfo info;
  info.set_reason(ReasonName(reason));
  info.set_domain("sluice");
  for (const auto& [key, value] : keys)
    (*info.mutable_metadata())[std::string(key)] = std::string(value);
  SetPayload(status, info);
  return status;
}

absl::Status InvalidField(std::string_view field, std::string_view mistake) {
  absl::Status status =
      Error(v1::REASON_REQUEST_INVALID, absl::StrCat(View(field), ": ", View(mistake)));
  AddFieldViolation(status, field, mistake);
  return status;
}

void AddKey(absl::Status& status, std::string_view key, std::string_view value) {
  auto info = ErrorInfoOf(status).value_or(google::rpc::ErrorInfo());
  (*info.mutable_metadata())[std::string(key)] = std::string(value);
  SetPayload(status, info);
}

absl::Status WithNearest(absl::Status status, const std::optional<std::string>& nearest) {
  if (nearest) AddKey(status, "nearest", *nearest);
  return status;
}

void AddFieldViolation(absl::Status& status, std::string_view field, std::string_view description) {
  auto request = BadRequestOf(status).value_or(google::rpc::BadRequest());
  auto* violation = request.add_field_violations();
  violation->set_field(std::string(field));
  violation->set_description(std::string(description));
  SetPayload(status, request);
}

void AddRetryDelay(absl::Status& status, Micros delay) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(delay / kSecond);
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(delay % kSecond * 1000));
  SetPayload(status, info);
}

void AddQuotaViolation(absl::Status& status, std::string_view subject,
                       std::string_view description) {
  auto failure = QuotaFailureOf(status).value_or(google::rpc::QuotaFailure());
  auto* violation = failure.add_violations();
  violation->set_subject(std::string(subject));
  violation->set_description(std::string(description));
  SetPayload(status, failure);
}

void AddOperatorNote(absl::Status& status, std::string_view note) {
  status.SetPayload(kOperatorNote, absl::Cord(View(note)));
}

std::string OperatorNoteOf(const absl::Status& status) {
  const auto note = status.GetPayload(kOperatorNote);
  return note ? std::string(*note) : std::string();
}

void RemoveOperatorNote(absl::Status& status) { status.ErasePayload(kOperatorNote); }

std::optional<google::rpc::ErrorInfo> ErrorInfoOf(const absl::Status& status) {
  return PayloadOf<google::rpc::ErrorInfo>(status);
}
std::optional<google::rpc::BadRequest> BadRequestOf(const absl::Status& status) {
  return PayloadOf<google::rpc::BadRequest>(status);
}
std::optional<google::rpc::RetryInfo> RetryInfoOf(const absl::Status& status) {
  return PayloadOf<google::rpc::RetryInfo>(status);
}
std::optional<google::rpc::QuotaFailure> QuotaFailureOf(const absl::Status& status) {
  return PayloadOf<google::rpc::QuotaFailure>(status);
}

v1::Reason ReasonOf(const absl::Status& status) {
  const auto info = ErrorInfoOf(status);
  return info ? ReasonFromName(info->reason()) : v1::REASON_UNSPECIFIED;
}

std::string ReasonName(v1::Reason reason) { return v1::Reason_Name(reason).substr(kPrefix.size()); }

v1::Reason ReasonFromName(std::string_view name) {
  v1::Reason reason;
  return v1::Reason_Parse(absl::StrCat(kPrefix, View(name)), &reason) ? reason
                                                                      : v1::REASON_UNSPECIFIED;
}

const v1::ReasonInfo& InfoOf(v1::Reason reason) {
  const auto* value = v1::Reason_descriptor()->FindValueByNumber(reason);
  if (value == nullptr) return v1::ReasonInfo::default_instance();
  return value->options().GetExtension(v1::reason_info);
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(View(context), ": ", status.message()));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

}  // namespace sluice
