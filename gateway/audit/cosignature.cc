#include "gateway/audit/cosignature.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::audit {
namespace {

std::string BigEndianBytes(uint64_t value, int count) {
  std::string bytes;
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

bool IsSame(const NoteSignature& one, const NoteSignature& other) {
  return one.name == other.name && one.id == other.id && one.blob == other.blob;
}

}  // namespace

std::string CosignatureMessage(std::string_view text, uint64_t seconds) {
  return absl::StrCat("cosignature/v1\ntime ", seconds, "\n", View(text));
}

std::string FormatSignatureLine(const NoteSignature& signature) {
  return absl::StrCat("\u2014 ", signature.name, " ",
                      Base64Encode(BigEndianBytes(signature.id, 4) + signature.blob), "\n");
}

std::string CosignatureLine(std::string_view text, const NamedSigningKey& cosigner,
                            uint64_t seconds) {
  SLUICE_CHECK(cosigner.verifier.type == KeyType::kCosignatureV1 && seconds <= INT64_MAX &&
               text.ends_with('\n'));
  return FormatSignatureLine(
      {.name = cosigner.name,
       .id = cosigner.verifier.id,
       .blob = BigEndianBytes(seconds, 8) + cosigner.key.Sign(CosignatureMessage(text, seconds))});
}

absl::StatusOr<std::vector<NoteSignature>> ParseSignatureLines(std::string_view lines) {
  // A note has one form of signature line, and one place that reads it.
  SLUICE_ASSIGN_OR_RETURN(Note note, ParseNote(absl::StrCat("x\n\n", View(lines))));
  if (note.text != "x\n") return absl::InvalidArgumentError("malformed note: an empty line");
  return std::move(note.signatures);
}

absl::StatusOr<std::string> AddSignatures(std::string_view note,
                                          const std::vector<NoteSignature>& signatures) {
  SLUICE_ASSIGN_OR_RETURN(Note parsed, ParseNote(note));
  std::string added(note);
  for (const NoteSignature& signature : signatures) {
    const bool there =
        std::any_of(parsed.signatures.begin(), parsed.signatures.end(),
                    [&](const NoteSignature& present) { return IsSame(present, signature); });
    if (there) continue;
    added += FormatSignatureLine(signature);
    parsed.signatures.push_back(signature);
  }
  SLUICE_RETURN_IF_ERROR(ParseNote(added).status());
  return added;
}

}  // namespace sluice::audit
