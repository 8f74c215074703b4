#include "cli/stream_receipt.h"

#include <numeric>

#include "absl/strings/str_cat.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/receipts.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::json;

constexpr char kFormat[] = "sluice-stream-receipt/v1";
constexpr int64_t kMostBatch = 1 << 20;

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("stream receipt: ", absl::string_view(what.data(), what.size())));
}

// Of one access, whatever else they say.
bool SameAccess(const v1::AuditEnvelope& a, const v1::AuditEnvelope& b) {
  return a.actor().principal() == b.actor().principal() && a.dataset() == b.dataset() &&
         a.dataset_revision() == b.dataset_revision() && a.grant() == b.grant() &&
         a.grant_revision() == b.grant_revision() && a.purpose() == b.purpose() &&
         a.media_type() == b.media_type();
}

// That a further part follows the one before it, as far as the two receipts tell.
absl::Status CheckFollows(const v1::AuditEnvelope& part, const v1::Receipt& first,
                          const v1::Receipt& previous, const v1::AuditEnvelope& before) {
  if (part.kind() != v1::RECORD_KIND_OPENED || !part.has_continues())
    return ReceiptBroken("the receipt of a further part is not of the opening of one.");
  const v1::StreamStart& start = part.continues();
  if (start.first() != first.index() || start.previous() != previous.index() ||
      start.batches() < before.continues().batches() || !SameAccess(part, before))
    return ReceiptBroken("the receipts are of parts of two streams.");
  return absl::OkStatus();
}

}  // namespace

std::string FormatStreamReceipt(const StreamReceipt& receipt) {
  nlohmann::ordered_json json;
  json["format"] = kFormat;
  json["media_type"] = receipt.media_type;
  json["opened"] = ToJson(receipt.opened);
  for (const v1::Receipt& part : receipt.parts) json["parts"].push_back(ToJson(part));
  if (receipt.latest) json["latest"] = ToJson(*receipt.latest);
  json["batch_lengths"] = receipt.batch_lengths;
  json["missing_digests"] = Json::array();
  for (const std::string& digest : receipt.missing_digests)
    json["missing_digests"].push_back(Base64Encode(digest));
  return json.dump() + "\n";
}

bool IsStreamReceipt(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("format", Json()) == kFormat;
}

absl::StatusOr<StreamReceipt> ParseStreamReceipt(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("format", Json()) != kFormat)
    return Malformed(absl::StrCat("not of the format ", kFormat));
  StreamReceipt receipt;
  const Json type = json.value("media_type", Json());
  const Json lengths = json.value("batch_lengths", Json());
  const Json missing = json.value("missing_digests", Json());
  if (!type.is_string()) return Malformed("media_type: must be text");
  if (!lengths.is_array() || !missing.is_array()) return Malformed("a list is missing");
  receipt.media_type = type.get<std::string>();
  SLUICE_ASSIGN_OR_RETURN(receipt.opened, ReceiptFromJson(json.value("opened", Json())));
  const Json parts = json.value("parts", Json::array());
  if (!parts.is_array()) return Malformed("parts: must be a list");
  for (const Json& part : parts) {
    SLUICE_ASSIGN_OR_RETURN(v1::Receipt opened, ReceiptFromJson(part));
    receipt.parts.push_back(std::move(opened));
  }
  if (json.contains("latest")) {
    SLUICE_ASSIGN_OR_RETURN(receipt.latest, ReceiptFromJson(json["latest"]));
  }
  for (const Json& length : lengths) {
    if (!length.is_number_unsigned() || length.get<uint64_t>() > kMostBatch ||
        length.get<uint64_t>() == 0)
      return Malformed("batch_lengths: must hold numbers from 1 to 1048576");
    receipt.batch_lengths.push_back(length.get<int64_t>());
  }
  for (const Json& digest : missing) {
    auto bytes = digest.is_string() ? Base64Decode(digest.get<std::string>())
                                    : absl::InvalidArgumentError("no text");
    if (!bytes.ok() || bytes->size() != kHashSize)
      return Malformed("missing_digests: must hold 32 bytes each, in base64");
    receipt.missing_digests.push_back(*std::move(bytes));
  }
  return receipt;
}

absl::StatusOr<StreamProof> CheckStreamRecords(const StreamReceipt& receipt,
                                               const audit::VerifierKey& key) {
  StreamProof proof;
  SLUICE_ASSIGN_OR_RETURN(proof.opened, CheckReceipt(receipt.opened, key));
  if (proof.opened.kind() != v1::RECORD_KIND_OPENED)
    return ReceiptBroken("the first receipt is not of the opening of a stream.");
  if (proof.opened.media_type() != receipt.media_type)
    return ReceiptBroken("the receipt is of another media type.");
  if (proof.opened.has_continues())
    return ReceiptBroken("the first receipt is of a further part of a stream.");
  const v1::Receipt* previous = &receipt.opened;
  for (const v1::Receipt& part : receipt.parts) {
    SLUICE_ASSIGN_OR_RETURN(v1::AuditEnvelope envelope, CheckReceipt(part, key));
    SLUICE_RETURN_IF_ERROR(CheckFollows(envelope, receipt.opened, *previous, proof.opened));
    proof.opened = std::move(envelope);
    previous = &part;
  }
  const v1::StreamStart& start = proof.opened.continues();
  proof.latest = proof.opened;
  proof.bytes =
      std::accumulate(receipt.batch_lengths.begin(), receipt.batch_lengths.end(), int64_t{0});
  if (!receipt.latest) {
    if (receipt.batch_lengths.size() != static_cast<size_t>(start.batches()) ||
        proof.bytes != start.payload_bytes() || !receipt.missing_digests.empty())
      return ReceiptBroken("there is no receipt of any batch.");
    proof.rows = start.rows();
    return proof;
  }
  SLUICE_ASSIGN_OR_RETURN(proof.latest, CheckReceipt(*receipt.latest, key));
  const v1::AuditEnvelope& latest = proof.latest;
  proof.whole = latest.kind() == v1::RECORD_KIND_CLOSED;
  if (!proof.whole && latest.kind() != v1::RECORD_KIND_PROGRESS)
    return ReceiptBroken("the last receipt is not of a stream.");
  if (!latest.has_opened() || latest.opened() != receipt.last_opened().index() ||
      latest.continues().SerializeAsString() != start.SerializeAsString() ||
      !SameAccess(latest, proof.opened))
    return ReceiptBroken("the receipts are of two streams.");
  // A stream that was cut ends with an error, and nobody is given the receipt of that.
  if (proof.whole && latest.reason() != v1::REASON_UNSPECIFIED)
    return ReceiptBroken("the receipt is of a stream that was cut.");
  if (proof.whole && !receipt.missing_digests.empty())
    return ReceiptBroken("batches of a whole stream are missing.");
  const auto batches = receipt.batch_lengths.size() + receipt.missing_digests.size();
  if (start.batches() + latest.batches() != static_cast<int64_t>(batches))
    return ReceiptBroken(absl::StrCat("the receipt is about ", start.batches() + latest.batches(),
                                      " batches, and these are ", batches, "."));
  proof.rows = start.rows() + latest.count();
  if (proof.whole && start.payload_bytes() + latest.payload_bytes() != proof.bytes)
    return ReceiptBroken("the receipt is about another number of bytes.");
  return proof;
}

absl::StatusOr<StreamProof> CheckStreamFile(const StreamReceipt& receipt,
                                            const audit::VerifierKey& key, const std::string& file,
                                            FileSystem& files) {
  SLUICE_ASSIGN_OR_RETURN(StreamProof proof, CheckStreamRecords(receipt, key));
  SLUICE_ASSIGN_OR_RETURN(const auto data, files.OpenForRead(file));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t size, data->Size());
  if (size != static_cast<uint64_t>(proof.bytes))
    return ReceiptBroken(
        absl::StrCat("the receipt is about ", proof.bytes, " bytes, and the file has ", size, "."));
  audit::CompactRange tree;
  uint64_t offset = 0;
  for (const int64_t length : receipt.batch_lengths) {
    SLUICE_ASSIGN_OR_RETURN(const std::string batch,
                            data->ReadAt(offset, static_cast<size_t>(length)));
    offset += static_cast<uint64_t>(length);
    tree.Append(audit::LeafHash(AsBytes(Sha256(batch))));
  }
  for (const std::string& digest : receipt.missing_digests) tree.Append(audit::LeafHash(digest));
  // What no step of the last part covers, the start of that part does.
  const std::string& root =
      receipt.latest ? proof.latest.digest() : proof.opened.continues().digest();
  if ((receipt.latest || !receipt.parts.empty()) && AsBytes(tree.Root()) != root)
    return ReceiptBroken("the bytes are not those that the receipt is about.");
  return proof;
}

}  // namespace sluice::cli
