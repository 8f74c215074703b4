// What a cosigner adds to a note (C2SP tlog-cosignature v1): a line that says that it saw the note,
// and when. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/signing_key.h"

namespace sluice::audit {

// What the signature of a cosigner is over: the time that it states, and the note's text.
std::string CosignatureMessage(std::string_view text, uint64_t seconds);

// "— NAME BASE64" and a line feed. `text` is a note's text, `seconds` since 1970 UTC and below
// 2^63, the key one of type cosignature/v1; else an invariant is broken.
std::string CosignatureLine(std::string_view text, const NamedSigningKey& cosigner,
                            uint64_t seconds);

// "— NAME BASE64" and a line feed.
std::string FormatSignatureLine(const NoteSignature& signature);
// Signature lines alone, as a witness answers with. INVALID_ARGUMENT where one is none.
absl::StatusOr<std::vector<NoteSignature>> ParseSignatureLines(std::string_view lines);

// The note with these behind its own; what stands there already is not repeated. INVALID_ARGUMENT
// where `note` is none, or they would be too many.
absl::StatusOr<std::string> AddSignatures(std::string_view note,
                                          const std::vector<NoteSignature>& signatures);

}  // namespace sluice::audit
