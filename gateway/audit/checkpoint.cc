#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/signed_note.h"
#include "gateway/audit/text_lines.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

absl::Status Malformed(const char* why) {
  return absl::InvalidArgumentError(absl::StrCat("malformed checkpoint: ", why));
}

bool IsLine(std::string_view text) {
  return !text.empty() && text.find('\n') == std::string_view::npos;
}

}  // namespace

std::string FormatCheckpointBody(const Checkpoint& checkpoint) {
  SLUICE_CHECK(IsLine(checkpoint.origin));
  std::string body = absl::StrCat(checkpoint.origin, "\n", checkpoint.size, "\n",
                                  Base64Encode(AsBytes(checkpoint.root)), "\n");
  for (const std::string& extension : checkpoint.extensions) {
    SLUICE_CHECK(IsLine(extension));
    absl::StrAppend(&body, extension, "\n");
  }
  return body;
}

absl::StatusOr<Checkpoint> ParseCheckpointBody(std::string_view body) {
  std::string_view rest = body;
  const std::optional<std::string_view> origin = TakeLine(rest);
  const std::optional<std::string_view> size = TakeLine(rest);
  const std::optional<std::string_view> root = TakeLine(rest);
  if (!root.has_value()) return Malformed("fewer than three lines");
  if (origin->empty()) return Malformed("no origin");

  Checkpoint checkpoint{.origin = std::string(*origin)};
  const std::optional<uint64_t> leaves = ParseDecimal(*size);
  if (!leaves.has_value()) return Malformed("the size is not a plain decimal");
  checkpoint.size = *leaves;
  const absl::StatusOr<Hash> hash = ParseHash(*root);
  if (!hash.ok()) return Malformed("the root is not 32 bytes of base64");
  checkpoint.root = *hash;
  if (checkpoint.size == 0 && checkpoint.root != EmptyRoot()) {
    return Malformed("size 0 with a root that is not the empty tree's");
  }
  while (!rest.empty()) {
    const std::optional<std::string_view> extension = TakeLine(rest);
    if (!extension.has_value()) return Malformed("the last line does not end");
    if (extension->empty()) return Malformed("an empty line");
    checkpoint.extensions.emplace_back(*extension);
  }
  return checkpoint;
}

absl::StatusOr<Checkpoint> VerifyCheckpoint(std::string_view note, const VerifierKey& log_key) {
  if (log_key.type != KeyType::kEd25519) {
    return absl::InvalidArgumentError("a cosigner's key does not sign for a log");
  }
  SLUICE_ASSIGN_OR_RETURN(const VerifiedNote verified, VerifyNote(note, {log_key}));
  SLUICE_ASSIGN_OR_RETURN(Checkpoint checkpoint, ParseCheckpointBody(verified.text));
  if (checkpoint.origin != log_key.name) {
    return absl::InvalidArgumentError("the checkpoint is of another log than the key");
  }
  return checkpoint;
}

absl::StatusOr<Checkpoint> VerifyCosignedCheckpoint(std::string_view note,
                                                    const VerifierKey& cosigner,
                                                    std::string_view origin, uint64_t* seconds) {
  if (cosigner.type != KeyType::kCosignatureV1) {
    return absl::InvalidArgumentError("not a cosigner's key");
  }
  SLUICE_ASSIGN_OR_RETURN(const VerifiedNote verified, VerifyNote(note, {cosigner}));
  SLUICE_ASSIGN_OR_RETURN(Checkpoint checkpoint, ParseCheckpointBody(verified.text));
  if (checkpoint.origin != origin) {
    return absl::InvalidArgumentError("the cosigned checkpoint is of another log");
  }
  if (seconds != nullptr) *seconds = verified.cosignatures.front().seconds;
  return checkpoint;
}

absl::Status CheckSplitView(const Checkpoint& one, const Checkpoint& other) {
  if (one.origin == other.origin && one.size == other.size && one.root != other.root) {
    return absl::InvalidArgumentError(
        absl::StrCat("split view: ", one.origin, " has two roots of size ", one.size, ", ",
                     Base64Encode(AsBytes(one.root)), " and ", Base64Encode(AsBytes(other.root))));
  }
  return absl::OkStatus();
}

}  // namespace sluice::audit
