#include "gateway/audit/signing_key.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::audit {
absl::StatusOr<NamedSigningKey> MakeSigningKey(std::string_view name, std::string_view seed,
                                               KeyType type) {
  SLUICE_ASSIGN_OR_RETURN(SigningKey key, SigningKey::FromSeed(seed));
  SLUICE_ASSIGN_OR_RETURN(VerifierKey verifier, MakeVerifierKey(name, type, key.public_key()));
  return NamedSigningKey{std::string(name), std::move(key), std::move(verifier)};
}

std::string FormatSigningKey(const NamedSigningKey& key) {
  return absl::StrCat("PRIVATE+KEY+", key.name, "+", absl::StrFormat("%08x", key.verifier.id), "+",
                      Base64Encode(static_cast<char>(key.verifier.type) + key.key.seed()), "\n");
}

absl::StatusOr<NamedSigningKey> ParseSigningKey(std::string_view text, KeyType type) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  // The base64 part may hold plus signs of its own.
  const std::vector<std::string> parts = absl::StrSplit(View(text), absl::MaxSplits('+', 4));
  if (parts.size() != 5 || parts[0] != "PRIVATE" || parts[1] != "KEY")
    return absl::InvalidArgumentError("not a signing key of the form PRIVATE+KEY+name+id+base64");
  const auto bytes = Base64Decode(parts[4]);
  if (!bytes.ok() || bytes->size() != 33 || (*bytes)[0] != static_cast<char>(type))
    return absl::InvalidArgumentError(type == KeyType::kEd25519
                                          ? "the key's last part is no Ed25519 seed"
                                          : "the key's last part is no cosigner's seed");
  SLUICE_ASSIGN_OR_RETURN(NamedSigningKey key, MakeSigningKey(parts[2], bytes->substr(1), type));
  if (absl::StrFormat("%08x", key.verifier.id) != parts[3])
    return absl::InvalidArgumentError("the key's id does not fit its name and seed");
  return key;
}

}  // namespace sluice::audit
