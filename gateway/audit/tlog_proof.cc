#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/signed_note.h"
#include "gateway/audit/text_lines.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
// A tree of 64-bit size is no deeper.
constexpr size_t kMaxPath = 64;

absl::Status MalformedProof(const char* why) {
  return absl::InvalidArgumentError(absl::StrCat("malformed proof: ", why));
}

}  // namespace

std::string FormatTlogProof(const TlogProof& proof) {
  std::string text = std::string(kFirstLine).append("\n");
  if (!proof.extra.empty()) absl::StrAppend(&text, "extra ", Base64Encode(proof.extra), "\n");
  absl::StrAppend(&text, "index ", proof.index, "\n");
  for (const Hash& hash : proof.path) absl::StrAppend(&text, Base64Encode(AsBytes(hash)), "\n");
  return absl::StrCat(text, "\n", proof.checkpoint);
}

absl::StatusOr<TlogProof> ParseTlogProof(std::string_view text) {
  std::string_view rest = text;
  if (TakeLine(rest) != kFirstLine) return MalformedProof("the first line is of another format");
  std::optional<std::string_view> line = TakeLine(rest);
  std::string extra;
  if (line.has_value() && line->starts_with(kExtra)) {
    auto bytes = Base64Decode(line->substr(kExtra.size()));
    if (!bytes.ok()) return MalformedProof("the extra line");
    extra = *std::move(bytes);
    line = TakeLine(rest);
  }
  if (!line.has_value() || !line->starts_with(kIndex)) return MalformedProof("no index line");
  const std::optional<uint64_t> index = ParseDecimal(line->substr(kIndex.size()));
  if (!index.has_value()) return MalformedProof("the index is not a plain decimal");

  TlogProof proof{.index = *index};
  for (line = TakeLine(rest); line.has_value() && !line->empty(); line = TakeLine(rest)) {
    if (proof.path.size() == kMaxPath) return MalformedProof("more than 64 hashes");
    const absl::StatusOr<Hash> hash = ParseHash(*line);
    if (!hash.ok()) return MalformedProof("a hash is not 32 bytes of base64");
    proof.path.push_back(*hash);
  }
  if (!line.has_value()) return MalformedProof("no empty line before the checkpoint");
  if (rest.empty()) return MalformedProof("no checkpoint");
  proof.checkpoint = rest;
  proof.extra = std::move(extra);
  return proof;
}

absl::Status VerifyTlogProof(const TlogProof& proof, std::string_view entry,
                             const VerifierKey& log_key) {
  SLUICE_ASSIGN_OR_RETURN(const Checkpoint checkpoint, VerifyCheckpoint(proof.checkpoint, log_key));
  return CheckInclusion(proof.index, checkpoint.size, LeafHash(entry), proof.path, checkpoint.root);
}

}  // namespace sluice::audit
