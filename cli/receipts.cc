#include "cli/receipts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "gateway/audit/receipts.h"
#include "gateway/audit/record_query.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "nlohmann/json.hpp"

namespace sluice::cli {
namespace {

using Json = nlohmann::json;

// Reads fields, remembering the first that is wrong.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {}
  std::string Text(const char* name) {
    const auto found = json_.find(name);
    if (found != json_.end() && found->is_string()) return found->get<std::string>();
    Note(name, "must be text");
    return "";
  }
  int64_t Number(const char* name) {
    const auto found = json_.find(name);
    if (found != json_.end() && found->is_number_integer() &&
        !(found->is_number_unsigned() && found->get<uint64_t>() > INT64_MAX))
      return found->get<int64_t>();
    Note(name, "must be a whole number");
    return 0;
  }
  std::string Bytes(const char* name) { return Decoded(name, Text(name)); }
  std::vector<std::string> ListOfBytes(const char* name) {
    const auto found = json_.find(name);
    std::vector<std::string> list;
    if (found == json_.end()) return list;  // the path of a batch of one is empty
    if (!found->is_array()) Note(name, "must be a list");
    for (const Json& item : *found) {
      if (item.is_string())
        list.push_back(Decoded(name, item.get<std::string>()));
      else
        Note(name, "must hold text");
    }
    return list;
  }
  const absl::Status& status() const { return status_; }

 private:
  std::string Decoded(const char* name, const std::string& text) {
    auto bytes = Base64Decode(text);
    if (!bytes.ok()) Note(name, "must be base64");
    return bytes.value_or("");
  }
  void Note(const char* name, const char* mistake) {
    if (status_.ok())
      status_ = absl::InvalidArgumentError(absl::StrCat("receipt: ", name, ": ", mistake));
  }
  const Json& json_;
  absl::Status status_;
};

absl::Status CheckKind(const v1::AuditEnvelope& envelope, v1::RecordKind kind) {
  if (envelope.kind() == kind) return absl::OkStatus();
  return ReceiptBroken("the receipt is of another kind of access.");
}

// A true receipt of another access would prove nothing about this one.
absl::Status CheckAbout(const v1::AuditEnvelope& envelope, std::string_view dataset,
                        std::string_view purpose) {
  if (envelope.dataset() != dataset) return ReceiptBroken("the receipt is of another dataset.");
  if (envelope.purpose() != purpose) return ReceiptBroken("the receipt is for another purpose.");
  return absl::OkStatus();
}

// Of an answer: that the receipt holds, and is about these very bytes.
template <class Response>
absl::StatusOr<v1::AuditEnvelope> CheckAnswered(const Response& response, v1::RecordKind kind,
                                                int64_t count, const audit::VerifierKey& key) {
  SLUICE_ASSIGN_OR_RETURN(v1::AuditEnvelope envelope, CheckReceipt(response.receipt(), key));
  SLUICE_RETURN_IF_ERROR(CheckPayload(envelope, response.payload()));
  SLUICE_RETURN_IF_ERROR(CheckKind(envelope, kind));
  if (envelope.media_type() != response.media_type())
    return ReceiptBroken("the receipt is of another media type.");
  if (envelope.count() != count)
    return ReceiptBroken("the receipt is about another number of rows.");
  return envelope;
}

absl::StatusOr<v1::AuditEnvelope> CheckRows(const v1::QueryResponse& response, v1::RecordKind kind,
                                            const audit::VerifierKey& key) {
  return CheckAnswered(response, kind, response.rows(), key);
}

}  // namespace

absl::Status ReceiptBroken(std::string_view what) {
  return LocalError("RECEIPT_BROKEN", what, {},
                    "keep what you have and show it to the auditor; the gateway did not prove it");
}

std::string FormatReceipt(const v1::Receipt& receipt) { return ToJson(receipt).dump(1) + "\n"; }

absl::StatusOr<v1::Receipt> ParseReceipt(std::string_view text) {
  return ReceiptFromJson(Json::parse(text, nullptr, /*allow_exceptions=*/false));
}

absl::StatusOr<v1::Receipt> ReceiptFromJson(const Json& json) {
  if (!json.is_object()) return absl::InvalidArgumentError("receipt: no JSON object");
  Fields fields(json);
  v1::Receipt receipt;
  receipt.set_origin(fields.Text("origin"));
  receipt.set_envelope(fields.Bytes("envelope"));
  receipt.set_index(fields.Number("index"));
  receipt.set_first_index(fields.Number("first_index"));
  receipt.set_count(fields.Number("count"));
  for (std::string& hash : fields.ListOfBytes("path")) receipt.add_path(std::move(hash));
  receipt.set_signature(fields.Bytes("signature"));
  SLUICE_RETURN_IF_ERROR(fields.status());
  return receipt;
}

absl::StatusOr<v1::AuditEnvelope> CheckReceipt(const v1::Receipt& receipt,
                                               const audit::VerifierKey& key) {
  if (const absl::Status status = audit::VerifyReceipt(receipt, key); !status.ok())
    return ReceiptBroken(
        absl::StrCat("the receipt does not hold: ", std::string(status.message())));
  v1::AuditEnvelope envelope;
  if (!envelope.ParseFromString(receipt.envelope()))
    return ReceiptBroken("the receipt's envelope cannot be read.");
  return envelope;
}

absl::Status CheckPayload(const v1::AuditEnvelope& envelope, std::string_view payload) {
  if (!audit::IsAnswer(envelope.kind()))
    return ReceiptBroken("the receipt is of a record that let nothing go.");
  if (static_cast<uint64_t>(envelope.payload_bytes()) != payload.size())
    return ReceiptBroken(absl::StrCat("the receipt is about ", envelope.payload_bytes(),
                                      " bytes, and these are ", payload.size(), "."));
  if (envelope.digest() != AsBytes(Sha256(payload)))
    return ReceiptBroken(
        "the bytes are not those that the receipt is about: their SHA-256 differs.");
  return absl::OkStatus();
}

absl::StatusOr<v1::AuditEnvelope> CheckAnswer(const v1::QueryRequest& request,
                                              const v1::QueryResponse& response,
                                              const audit::VerifierKey& key) {
  SLUICE_ASSIGN_OR_RETURN(v1::AuditEnvelope envelope,
                          CheckRows(response, v1::RECORD_KIND_RELEASED, key));
  SLUICE_RETURN_IF_ERROR(CheckAbout(envelope, request.dataset(), request.purpose()));
  return envelope;
}

absl::StatusOr<v1::AuditEnvelope> CheckChecked(const v1::CheckRequest& request,
                                               const v1::CheckResponse& response,
                                               const audit::VerifierKey& key) {
  SLUICE_ASSIGN_OR_RETURN(v1::AuditEnvelope envelope, CheckReceipt(response.receipt(), key));
  SLUICE_RETURN_IF_ERROR(CheckKind(envelope, v1::RECORD_KIND_CHECKED));
  SLUICE_RETURN_IF_ERROR(CheckAbout(envelope, request.dataset(), request.purpose()));
  return envelope;
}

absl::StatusOr<v1::AuditEnvelope> CheckMatch(const v1::MatchRequest& request,
                                             const v1::MatchResponse& response,
                                             const audit::VerifierKey& key) {
  SLUICE_ASSIGN_OR_RETURN(
      v1::AuditEnvelope envelope,
      CheckAnswered(response, v1::RECORD_KIND_MATCHED, request.items_size(), key));
  SLUICE_RETURN_IF_ERROR(CheckAbout(envelope, request.dataset(), request.purpose()));
  return envelope;
}

absl::StatusOr<v1::AuditEnvelope> CheckCount(const v1::CountRequest& request,
                                             const v1::CountResponse& response,
                                             const audit::VerifierKey& key) {
  SLUICE_ASSIGN_OR_RETURN(v1::AuditEnvelope envelope,
                          CheckAnswered(response, v1::RECORD_KIND_COUNTED, response.groups(), key));
  SLUICE_RETURN_IF_ERROR(CheckAbout(envelope, request.dataset(), request.purpose()));
  return envelope;
}

absl::StatusOr<v1::AuditEnvelope> CheckPreview(const v1::PreviewRequest& request,
                                               const v1::QueryResponse& response,
                                               const audit::VerifierKey& key) {
  SLUICE_ASSIGN_OR_RETURN(v1::AuditEnvelope envelope,
                          CheckRows(response, v1::RECORD_KIND_PREVIEWED, key));
  if (envelope.resource_name() != request.access_request())
    return ReceiptBroken("the receipt is of another access request.");
  return envelope;
}

absl::StatusOr<std::string> KeepReceipt(FileSystem& files, const std::string& folder,
                                        const v1::Receipt& receipt, const audit::VerifierKey& key) {
  const std::string receipts = JoinPath(folder, "receipts");
  SLUICE_RETURN_IF_ERROR(files.CreateDirectories(receipts, 0700));
  const std::string text = FormatReceipt(receipt);
  std::string path = JoinPath(receipts, absl::StrCat(receipt.index(), ".json"));
  if (const auto there = files.ReadAll(path); there.ok()) {
    const auto other = ParseReceipt(*there);
    if (!other.ok() || other->origin() != receipt.origin() ||
        other->envelope() != receipt.envelope())
      path = JoinPath(receipts, absl::StrFormat("%d-%08x.json", receipt.index(), key.id));
  }
  SLUICE_RETURN_IF_ERROR(files.WriteAtomically(path, text, 0600));
  return path;
}

}  // namespace sluice::cli
