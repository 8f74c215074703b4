// A signing key as text, in the form that Go's sumdb/note uses:
// "PRIVATE+KEY+<name>+<key id>+<base64 of the type and the seed>". Type 0x01 signs a log, 0x04
// cosigns what other logs sign.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/crypto.h"

namespace sluice::audit {

struct NamedSigningKey {
  std::string name;  // the log's origin, or the cosigner's name
  SigningKey key;
  VerifierKey verifier;
};

// A name that signed-note allows.
absl::StatusOr<NamedSigningKey> MakeSigningKey(std::string_view name, std::string_view seed,
                                               KeyType type = KeyType::kEd25519);
std::string FormatSigningKey(const NamedSigningKey& key);
// One line; INVALID_ARGUMENT where it is not of that form and type, or its id does not fit. Never
// repeats the text.
absl::StatusOr<NamedSigningKey> ParseSigningKey(std::string_view text,
                                                KeyType type = KeyType::kEd25519);

}  // namespace sluice::audit
