#include "adapters/remote/errors.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::remote {
namespace {

constexpr size_t kMostNote = 500;

// For a log: short, on one line.
std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, kMostNote));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  return shown;
}

google::rpc::ErrorInfo InfoIn(const std::string& details) {
  google::rpc::Status status;
  google::rpc::ErrorInfo info, none;
  if (!status.ParseFromString(details)) return none;
  for (const auto& detail : status.details())
    if (detail.UnpackTo(&info) && info.domain() == "sluice") return info;
  return none;
}

v1::Reason ReasonOfCode(absl::StatusCode code, bool of_scan) {
  switch (code) {
    case absl::StatusCode::kNotFound:
      return of_scan ? v1::REASON_SCHEMA_DRIFT : v1::REASON_NOT_FOUND;
    case absl::StatusCode::kFailedPrecondition:
      return v1::REASON_SCHEMA_DRIFT;
    case absl::StatusCode::kDataLoss:
      return v1::REASON_SOURCE_BAD_VALUE;
    case absl::StatusCode::kAborted:
      return v1::REASON_SOURCE_CHANGED;
    case absl::StatusCode::kDeadlineExceeded:
      return v1::REASON_DEADLINE_EXCEEDED;
    default:
      return v1::REASON_SOURCE_UNAVAILABLE;
  }
}

// What an adapter may say; anything else in its ErrorInfo is passed over.
v1::Reason ReasonNamed(const google::rpc::ErrorInfo& info) {
  const v1::Reason reason = ReasonFromName(info.reason());
  switch (reason) {
    case v1::REASON_SOURCE_UNAVAILABLE:
    case v1::REASON_SOURCE_BAD_VALUE:
    case v1::REASON_SCHEMA_DRIFT:
    case v1::REASON_SOURCE_CHANGED:
    case v1::REASON_SOURCE_BUSY:
      return reason;
    default:
      return v1::REASON_UNSPECIFIED;
  }
}

std::string UnavailableSentence(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
      return "the source's adapter cannot be reached, or cannot reach its system";
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return "the source's adapter refuses this gateway: it has to be told the gateway's name";
    case absl::StatusCode::kUnimplemented:
      return "what answers at the source's address is no adapter of this version";
    case absl::StatusCode::kResourceExhausted:
      return "the source's adapter has too much to do, or a message is over 16 MiB";
    default:
      return "the source's adapter failed";
  }
}

absl::Status BadValueOf(const google::rpc::ErrorInfo& info, const ScanRequest* request,
                        int64_t rows_before) {
  if (request == nullptr) return Error(v1::REASON_SOURCE_BAD_VALUE, "a value cannot be read");
  int64_t row = 0;
  int field = -1;
  const auto& said = info.metadata();
  if (const auto found = said.find("row"); found != said.end()) {
    if (!absl::SimpleAtoi(found->second, &row) || row < 1 || row > INT64_MAX - rows_before) row = 0;
  }
  if (const auto found = said.find("field"); found != said.end()) {
    for (size_t i = 0; i < request->fields.size(); ++i)
      if (request->fields[i].field.name == found->second) field = static_cast<int>(i);
  }
  return BadValue(*request, row > 0 ? rows_before + row : 0, field, "not of its type");
}

absl::Status StatusFor(v1::Reason reason, const Failure& failure,
                       const google::rpc::ErrorInfo& info, const ScanRequest* request,
                       int64_t rows_before) {
  switch (reason) {
    case v1::REASON_NOT_FOUND:
      return absl::NotFoundError("the source has no table of that name");
    case v1::REASON_SCHEMA_DRIFT:
      return Drift("a table or column that the dataset reads is not in the source");
    case v1::REASON_SOURCE_CHANGED:
      return Error(reason, "the source was replaced while it was read");
    case v1::REASON_SOURCE_BUSY:
      return Error(reason, "the source's adapter has too much to do");
    case v1::REASON_DEADLINE_EXCEEDED:
      return Error(reason, "the deadline passed while the source's adapter worked");
    case v1::REASON_SOURCE_BAD_VALUE:
      return BadValueOf(info, request, rows_before);
    default:
      return Unavailable(UnavailableSentence(failure.code));
  }
}

}  // namespace

absl::Status Unavailable(std::string_view sentence, std::string_view note) {
  absl::Status status = Error(v1::REASON_SOURCE_UNAVAILABLE, sentence);
  if (!note.empty()) AddOperatorNote(status, Shown(note));
  return status;
}

absl::Status Broken(std::string_view note) {
  return Unavailable("the source's adapter answered what it was not asked", note);
}

absl::Status Drift(std::string_view sentence) { return Error(v1::REASON_SCHEMA_DRIFT, sentence); }

absl::Status BadValue(const ScanRequest& request, int64_t row, int field, std::string_view what) {
  std::string sentence = absl::StrCat("table '", request.table, "'");
  if (field >= 0) absl::StrAppend(&sentence, ", column '", request.fields[field].column, "'");
  if (row > 0) absl::StrAppend(&sentence, ", row ", row, " of the scan");
  absl::StrAppend(&sentence, ": ", View(what));
  absl::Status status = Error(v1::REASON_SOURCE_BAD_VALUE, sentence);
  if (field >= 0) AddKey(status, "field", request.fields[field].field.name);
  if (row > 0) AddKey(status, "row", absl::StrCat(row));
  return status;
}

absl::Status ToStatus(const Failure& failure, const ScanRequest* request, int64_t rows_before) {
  const google::rpc::ErrorInfo info = InfoIn(failure.details);
  v1::Reason reason = ReasonNamed(info);
  if (reason == v1::REASON_UNSPECIFIED) reason = ReasonOfCode(failure.code, request != nullptr);
  absl::Status status = StatusFor(reason, failure, info, request, rows_before);
  if (!failure.text.empty())
    AddOperatorNote(status, Shown(absl::StrCat("adapter: ", failure.text)));
  return status;
}

}  // namespace sluice::adapters::remote
