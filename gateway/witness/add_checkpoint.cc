#include "gateway/witness/add_checkpoint.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "gateway/audit/text_lines.h"
#include "gateway/base/error.h"

namespace sluice::witness {
namespace {

constexpr std::string_view kOld = "old ";

absl::Status MalformedRequest(const char* why) { return absl::InvalidArgumentError(why); }

}  // namespace

std::string FormatAddCheckpoint(const AddCheckpoint& request) {
  std::string body = absl::StrCat("old ", request.old_size, "\n");
  for (const Hash& hash : request.proof) absl::StrAppend(&body, Base64Encode(AsBytes(hash)), "\n");
  return absl::StrCat(body, "\n", request.checkpoint);
}

absl::StatusOr<AddCheckpoint> ParseAddCheckpoint(std::string_view body) {
  std::optional<std::string_view> line = audit::TakeLine(body);
  if (!line || !line->starts_with(kOld)) return MalformedRequest("the first line is not: old SIZE");
  const auto size = audit::ParseDecimal(line->substr(kOld.size()));
  if (!size) return MalformedRequest("the old size is not a plain decimal");
  AddCheckpoint request{.old_size = *size};
  for (line = audit::TakeLine(body); line && !line->empty(); line = audit::TakeLine(body)) {
    if (request.proof.size() == kMostProofLines)
      return MalformedRequest("the proof has more than 63 lines");
    const auto hash = audit::ParseHash(*line);
    if (!hash.ok()) return MalformedRequest("a line of the proof is not 32 bytes of base64");
    request.proof.push_back(*hash);
  }
  if (!line) return MalformedRequest("no empty line before the checkpoint");
  if (body.empty()) return MalformedRequest("no checkpoint");
  request.checkpoint = body;
  return request;
}

std::string CheckpointPath(std::string_view origin) {
  return absl::StrCat("/", HexEncode(AsBytes(Sha256(origin))), "/checkpoint");
}

}  // namespace sluice::witness
