#include "gateway/audit/signed_note.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gateway/audit/cosignature.h"
#include "gateway/audit/text_lines.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr std::string_view kSignaturePrefix = "\u2014 ";  // em dash, space
constexpr size_t kPublicKeySize = 32;
constexpr size_t kSignatureSize = 64;
constexpr size_t kTimeSize = 8;
constexpr size_t kIdSize = 4;
// As the implementation in Go: a note is small, and what verifies it must not be made to toil.
constexpr size_t kMaxNoteBytes = 1'000'000;
constexpr size_t kMaxSignatures = 100;

absl::Status Malformed(std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("malformed note: ", absl::string_view(why.data(), why.size())));
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

std::string BigEndian32(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

std::string TypedKey(KeyType type, std::string_view public_key) {
  return std::string(1, static_cast<char>(type)).append(public_key);
}

uint32_t KeyId(std::string_view name, KeyType type, std::string_view public_key) {
  const Hash hash = Sha256({name, "\n", TypedKey(type, public_key)});
  return static_cast<uint32_t>(BigEndian(AsBytes(hash).substr(0, kIdSize)));
}

std::string KeyLabel(std::string_view name, uint32_t id) {
  return absl::StrFormat("%s+%08x", std::string(name), id);
}

absl::StatusOr<NoteSignature> ParseSignatureLine(std::string_view line) {
  if (!line.starts_with(kSignaturePrefix)) return Malformed("a line is not a signature");
  line.remove_prefix(kSignaturePrefix.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return Malformed("a signature line without a blob");
  NoteSignature signature;
  signature.name = line.substr(0, space);
  if (!IsKeyName(signature.name)) return Malformed("the name of a signature's key");
  const absl::StatusOr<std::string> blob = Base64Decode(line.substr(space + 1));
  if (!blob.ok() || blob->size() <= kIdSize) return Malformed("the blob of a signature");
  signature.id = static_cast<uint32_t>(BigEndian(std::string_view(*blob).substr(0, kIdSize)));
  signature.blob = blob->substr(kIdSize);
  return signature;
}

// Whether the signature holds; the seconds that a cosignature states go to `seconds`.
bool Holds(std::string_view text, const std::string& blob, const VerifierKey& key,
           uint64_t& seconds) {
  if (key.type == KeyType::kEd25519) return VerifyEd25519(key.public_key, text, blob);
  if (blob.size() != kTimeSize + kSignatureSize) return false;
  seconds = BigEndian(std::string_view(blob).substr(0, kTimeSize));
  if (seconds > INT64_MAX) return false;
  return VerifyEd25519(key.public_key, CosignatureMessage(text, seconds),
                       std::string_view(blob).substr(kTimeSize));
}

// The known key of that name and id, or null. Two known keys that share both cannot be told apart.
absl::StatusOr<const VerifierKey*> FindKey(const NoteSignature& signature,
                                           const std::vector<VerifierKey>& known) {
  const VerifierKey* found = nullptr;
  for (const VerifierKey& key : known) {
    if (key.id != signature.id || key.name != signature.name) continue;
    if (found != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("ambiguous key ", KeyLabel(key.name, key.id)));
    }
    found = &key;
  }
  return found;
}

}  // namespace

absl::StatusOr<VerifierKey> MakeVerifierKey(std::string_view name, KeyType type,
                                            std::string_view public_key) {
  if (!IsKeyName(name)) {
    return absl::InvalidArgumentError(
        "a key's name is not empty and holds no white space and no \"+\"");
  }
  if (type != KeyType::kEd25519 && type != KeyType::kCosignatureV1) {
    return absl::InvalidArgumentError("a verifier key of a type that is not known");
  }
  if (public_key.size() != kPublicKeySize) {
    return absl::InvalidArgumentError("an Ed25519 public key has 32 bytes");
  }
  return VerifierKey{.name = std::string(name),
                     .id = KeyId(name, type, public_key),
                     .type = type,
                     .public_key = std::string(public_key)};
}

absl::StatusOr<VerifierKey> ParseVerifierKey(std::string_view text) {
  // Base64 may hold a "+" as well; name and id may not.
  const size_t first = text.find('+');
  const size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) {
    return absl::InvalidArgumentError("a verifier key reads NAME+ID+KEY");
  }
  const absl::StatusOr<std::string> typed = Base64Decode(text.substr(second + 1));
  if (!typed.ok() || typed->empty()) {
    return absl::InvalidArgumentError("the key of a verifier key is not base64");
  }
  SLUICE_ASSIGN_OR_RETURN(VerifierKey key,
                          MakeVerifierKey(text.substr(0, first),
                                          static_cast<KeyType>(static_cast<uint8_t>((*typed)[0])),
                                          std::string_view(*typed).substr(1)));
  if (FormatVerifierKey(key) != text) {
    return absl::InvalidArgumentError("the id of a verifier key does not belong to its key");
  }
  return key;
}

std::string FormatVerifierKey(const VerifierKey& key) {
  return absl::StrCat(KeyLabel(key.name, key.id), "+",
                      Base64Encode(TypedKey(key.type, key.public_key)));
}

std::string PaperForm(const VerifierKey& key) {
  const std::string hex = HexEncode(AsBytes(Sha256(FormatVerifierKey(key))).substr(0, 8));
  return absl::StrCat(hex.substr(0, 4), " ", hex.substr(4, 4), " ", hex.substr(8, 4), " ",
                      hex.substr(12, 4));
}

absl::StatusOr<Note> ParseNote(std::string_view text) {
  if (text.size() > kMaxNoteBytes) return Malformed("over 1,000,000 bytes");
  if (!IsNoteText(text)) return Malformed("not UTF-8, or with control characters");
  const size_t border = text.rfind("\n\n");
  if (border == std::string_view::npos) return Malformed("no empty line before signatures");
  Note note{.text = std::string(text.substr(0, border + 1))};
  std::string_view rest = text.substr(border + 2);
  if (rest.empty()) return Malformed("no signature");
  while (!rest.empty()) {
    const std::optional<std::string_view> line = TakeLine(rest);
    if (!line.has_value()) return Malformed("the last line does not end");
    if (note.signatures.size() == kMaxSignatures) return Malformed("more than 100 signatures");
    SLUICE_ASSIGN_OR_RETURN(NoteSignature signature, ParseSignatureLine(*line));
    note.signatures.push_back(std::move(signature));
  }
  return note;
}

absl::StatusOr<VerifiedNote> VerifyNote(std::string_view text,
                                        const std::vector<VerifierKey>& known) {
  SLUICE_ASSIGN_OR_RETURN(Note note, ParseNote(text));
  VerifiedNote verified;
  std::set<const VerifierKey*> counted;
  std::set<std::pair<std::string, std::string>> seen;
  for (const NoteSignature& signature : note.signatures) {
    SLUICE_ASSIGN_OR_RETURN(const VerifierKey* key, FindKey(signature, known));
    if (!seen.emplace(signature.name, BigEndian32(signature.id) + signature.blob).second) continue;
    if (key == nullptr) {
      verified.unknown.push_back(signature.name);
      continue;
    }
    uint64_t seconds = 0;
    if (!Holds(note.text, signature.blob, *key, seconds)) {
      return absl::InvalidArgumentError(
          absl::StrCat("invalid signature for key ", KeyLabel(key->name, key->id)));
    }
    if (counted.insert(key).second) verified.verified.push_back(key->name);
    if (key->type == KeyType::kCosignatureV1) {
      verified.cosignatures.push_back({.name = key->name, .seconds = seconds});
    }
  }
  if (verified.verified.empty()) {
    return absl::InvalidArgumentError("no signature by a known key");
  }
  verified.text = std::move(note.text);
  return verified;
}

std::string SignNote(std::string_view text, std::string_view key_name, const SigningKey& key) {
  SLUICE_CHECK(text.ends_with('\n') && IsNoteText(text) && IsKeyName(key_name));
  const uint32_t id = KeyId(key_name, KeyType::kEd25519, key.public_key());
  return std::string(text)
      .append("\n")
      .append(kSignaturePrefix)
      .append(key_name)
      .append(" ")
      .append(Base64Encode(BigEndian32(id) + key.Sign(text)))
      .append("\n");
}

}  // namespace sluice::audit
