// The log's signing key as text, in the form that Go's sumdb/note uses:
// "PRIVATE+KEY+<name>+<key id>+<base64 of 0x01 and the seed>".
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/crypto.h"

namespace sluice::audit {

struct NamedSigningKey {
  std::string name;  // the log's origin
  SigningKey key;
  VerifierKey verifier;
};

// A name that signed-note allows.
absl::StatusOr<NamedSigningKey> MakeSigningKey(std::string_view name, std::string_view seed);
std::string FormatSigningKey(const NamedSigningKey& key);
// One line; INVALID_ARGUMENT where it is not of that form or its id does not fit. Never repeats the
// text.
absl::StatusOr<NamedSigningKey> ParseSigningKey(std::string_view text);

}  // namespace sluice::audit
