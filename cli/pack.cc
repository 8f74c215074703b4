#include "cli/pack.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/json.h"
#include "cli/record_words.h"
#include "cli/times.h"
#include "gateway/audit/record.h"
#include "gateway/base/error.h"
#include "google/protobuf/util/json_util.h"

namespace sluice::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr char kPackFormat[] = "sluice-pack/1";
constexpr size_t kMostAsked = 64 << 10;

absl::Status NotProved(int64_t index, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("#", index, ": ", absl::string_view(why.data(), why.size())));
}

std::string JsonOfFilter(const v1::RecordFilter& filter) {
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(filter, &json).ok()) json.clear();
  return json;
}

// The names of those that signed beside the log, each once, in order.
std::vector<std::string> OtherSigners(const audit::Note& note, const audit::VerifierKey& key) {
  std::vector<std::string> names;
  for (const audit::NoteSignature& signature : note.signatures)
    if (signature.id != key.id || signature.name != key.name) names.push_back(signature.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

std::string PackProofName(int64_t index) { return absl::StrCat("records/", index, ".tlog-proof"); }

std::string PackDetailName(int64_t index) { return absl::StrCat("details/", index, ".bin"); }

absl::StatusOr<PackContents> PackContents::Begin(const std::string& checkpoint,
                                                 const audit::VerifierKey& key,
                                                 PackStatements statements) {
  PackContents contents;
  SLUICE_ASSIGN_OR_RETURN(contents.head_, audit::VerifyCheckpoint(checkpoint, key));
  SLUICE_ASSIGN_OR_RETURN(const audit::Note note, audit::ParseNote(checkpoint));
  PackSummary& summary = contents.summary_;
  summary.origin = contents.head_.origin;
  summary.size = static_cast<int64_t>(contents.head_.size);
  summary.root = Base64Encode(AsBytes(contents.head_.root));
  summary.key = audit::FormatVerifierKey(key);
  summary.paper = audit::PaperForm(key);
  summary.other_signers = OtherSigners(note, key);
  summary.made_by = statements.made_by;
  summary.asked = JsonOfFilter(statements.asked);
  summary.searched_to = statements.searched_to;
  summary.erased = statements.erased;
  summary.without_details = statements.without_details;
  contents.checkpoint_ = checkpoint;
  contents.statements_ = std::move(statements);
  return contents;
}

absl::Status PackContents::Put(std::string_view name, std::string_view bytes, const Emit& emit) {
  sums_.push_back({std::string(name), bytes.size(), Sha256(bytes)});
  return emit(name, bytes);
}

absl::Status PackContents::Add(const v1::ProvenRecord& record, const Emit& emit) {
  const int64_t index = record.index();
  if (index <= last_index_) return NotProved(index, "out of order");
  audit::TlogProof proof{.index = static_cast<uint64_t>(index), .checkpoint = checkpoint_};
  for (const std::string& hash : record.path()) {
    if (hash.size() != kHashSize) return NotProved(index, "a hash has not 32 bytes");
    proof.path.push_back(HashFromBytes(hash));
  }
  if (const absl::Status holds = audit::CheckInclusion(
          proof.index, head_.size, audit::LeafHash(record.envelope()), proof.path, head_.root);
      !holds.ok())
    return NotProved(index,
                     absl::StrCat("not under the checkpoint: ", std::string(holds.message())));
  v1::AuditEnvelope envelope;
  if (record.envelope().empty() || !envelope.ParseFromString(record.envelope()))
    return NotProved(index, "its envelope cannot be read");
  v1::AuditDetail detail;
  const std::string& opened = record.opened_detail();
  if (!opened.empty()) {
    if (AsBytes(Sha256(opened)) != envelope.detail_commitment())
      return NotProved(index, "the detail is not the one that the record commits to");
    if (opened.size() < audit::kCommitmentRandomBytes ||
        !detail.ParseFromString(opened.substr(audit::kCommitmentRandomBytes)))
      return NotProved(index, "its detail cannot be read");
    if (statements_.without_details)
      return NotProved(index, "has a detail, in a pack without details");
  }

  proof.extra = record.envelope();
  SLUICE_RETURN_IF_ERROR(Put(PackProofName(index), audit::FormatTlogProof(proof), emit));
  if (!opened.empty()) SLUICE_RETURN_IF_ERROR(Put(PackDetailName(index), opened, emit));
  OrderedJson line;
  line["index"] = index;
  line["envelope"] = ToJson(envelope);
  if (!opened.empty()) line["detail"] = ToJson(detail);
  absl::StrAppend(&lines_, line.dump(), "\n");
  rows_ += PackRow(index, envelope, opened.empty() ? nullptr : &detail);
  ++records_;
  if (!opened.empty()) ++details_;
  last_index_ = index;
  last_ = std::move(envelope);
  last_detail_ = std::move(detail);
  last_has_detail_ = !opened.empty();
  return absl::OkStatus();
}

// That the last record is of a reading that showed as many records as are here, and asked what the
// pack says.
absl::Status PackContents::CheckReading() const {
  if (records_ == 0 || last_.kind() != v1::RECORD_KIND_READ)
    return absl::InvalidArgumentError("the last record is not that of the reading");
  if (last_.count() != records_ - 1)
    return absl::InvalidArgumentError(absl::StrCat("the reading showed ", last_.count(),
                                                   " records, and ", records_ - 1, " are here"));
  if (last_.read_to() != statements_.searched_to)
    return absl::InvalidArgumentError("the reading searched another part of the log");
  if (!last_has_detail_) return absl::OkStatus();
  v1::ExportRequest asked;
  if (!google::protobuf::util::JsonStringToMessage(last_detail_.search_json(), &asked).ok() ||
      asked.without_details() != statements_.without_details ||
      JsonOfFilter(asked.filter()) != JsonOfFilter(statements_.asked))
    return absl::InvalidArgumentError("the reading asked something else than the pack says");
  return absl::OkStatus();
}

std::string PackContents::Manifest() const {
  OrderedJson json;
  json["format"] = kPackFormat;
  json["made_by"] = statements_.made_by;
  json["origin"] = summary_.origin;
  json["key"] = summary_.key;
  json["size"] = summary_.size;
  json["root"] = summary_.root;
  json["asked"] = summary_.asked;
  json["without_details"] = statements_.without_details;
  json["searched_to"] = statements_.searched_to;
  json["erased"] = statements_.erased;
  json["reading"] = last_index_;
  json["records"] = records_;
  json["details"] = details_;
  OrderedJson members = OrderedJson::array();
  for (const Sum& sum : sums_) {
    OrderedJson member;
    member["name"] = sum.name;
    member["bytes"] = sum.bytes;
    member["sha256"] = HexEncode(AsBytes(sum.digest));
    members.push_back(std::move(member));
  }
  json["members"] = std::move(members);
  return json.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

absl::Status PackContents::Finish(const Emit& emit) {
  SLUICE_RETURN_IF_ERROR(CheckReading());
  summary_.reading = last_index_;
  summary_.reader = ActorWords(last_.actor());
  summary_.read_at = FormatZulu(ToMicros(last_.time()));
  summary_.records = records_ - 1;
  summary_.details = details_ - (last_has_detail_ ? 1 : 0);
  SLUICE_RETURN_IF_ERROR(Put(kPackRecords, lines_, emit));
  SLUICE_RETURN_IF_ERROR(Put(kPackCheckpoint, checkpoint_, emit));
  SLUICE_RETURN_IF_ERROR(Put(kPackKey, summary_.key + "\n", emit));
  SLUICE_RETURN_IF_ERROR(Put(kPackPage, PackPage(summary_, rows_), emit));
  SLUICE_RETURN_IF_ERROR(Put(kPackManifest, Manifest(), emit));
  std::string sums;
  for (const Sum& sum : sums_)
    absl::StrAppend(&sums, HexEncode(AsBytes(sum.digest)), "  ", sum.name, "\n");
  return emit(kPackSums, sums);
}

absl::StatusOr<PackStatements> ParsePackManifest(const std::string& text) {
  const auto bad = [](const char* why) {
    return absl::InvalidArgumentError(absl::StrCat(kPackManifest, ": ", why));
  };
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return bad("no JSON object");
  const auto at = [&](const char* name) -> const nlohmann::json& {
    static const auto* const none = new nlohmann::json();
    const auto found = json.find(name);
    return found == json.end() ? *none : *found;
  };
  if (at("format") != kPackFormat)
    return bad("of a format that this version of sluice does not know");
  if (!at("made_by").is_string() || !at("asked").is_string() ||
      !at("searched_to").is_number_unsigned() || !at("erased").is_number_unsigned() ||
      !at("without_details").is_boolean())
    return bad("a statement is missing");
  PackStatements statements;
  statements.made_by = at("made_by");
  statements.searched_to = at("searched_to");
  statements.erased = at("erased");
  statements.without_details = at("without_details");
  const std::string asked = at("asked");
  if (asked.size() > kMostAsked ||
      !google::protobuf::util::JsonStringToMessage(asked, &statements.asked).ok())
    return bad("what was asked cannot be read");
  return statements;
}

}  // namespace sluice::cli
