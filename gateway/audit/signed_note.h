// C2SP signed notes, verifier keys and checkpoints (signed-note v1, tlog-checkpoint v1,
// tlog-cosignature v1). Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/base/crypto.h"

namespace sluice::audit {

enum class KeyType : uint8_t { kEd25519 = 0x01, kCosignatureV1 = 0x04 };

// "gw1.gov.example/log+f8fa5254+AdFa…": name, key id, type and public key.
struct VerifierKey {
  std::string name;
  uint32_t id = 0;
  KeyType type = KeyType::kEd25519;
  std::string public_key;  // 32 bytes
};
absl::StatusOr<VerifierKey> ParseVerifierKey(std::string_view text);
std::string FormatVerifierKey(const VerifierKey& key);
// The key's id is derived. INVALID_ARGUMENT for a name that signed-note does not allow.
absl::StatusOr<VerifierKey> MakeVerifierKey(std::string_view name, KeyType type,
                                            std::string_view public_key);
// A short form of a verifier key to compare on paper: "7c1e 90ab 44d2 03f7", the first eight bytes
// of the SHA-256 of its text.
std::string PaperForm(const VerifierKey& key);

struct NoteSignature {
  std::string name;
  uint32_t id = 0;
  std::string blob;  // behind the key id
};

struct Note {
  std::string text;  // with its last line feed
  std::vector<NoteSignature> signatures;
};
// Splits without verifying; refuses what signed-note forbids.
absl::StatusOr<Note> ParseNote(std::string_view text);

// That a cosigner saw the note, and when it says so.
struct Cosignature {
  std::string name;
  uint64_t seconds = 0;  // since 1970, UTC; at most 2^63 - 1
};

struct VerifiedNote {
  std::string text;
  std::vector<std::string> verified;      // names of the keys whose signature holds
  std::vector<std::string> unknown;       // names of signatures by keys that are not known
  std::vector<Cosignature> cosignatures;  // those in `verified` that are of type cosignature/v1
};
// Ed25519 signatures and cosignatures. Repeated lines count once, and a key is named once however
// often it signed; but each of its signatures must hold. At most 1,000,000 bytes and 100
// signatures. INVALID_ARGUMENT where no known key signed, or a known key's signature does not hold.
absl::StatusOr<VerifiedNote> VerifyNote(std::string_view text,
                                        const std::vector<VerifierKey>& known);

// The text with one signature line, by an Ed25519 note key. The text is a note's (ends in a line
// feed, UTF-8, no other control characters) and the name a key's; else an invariant is broken.
std::string SignNote(std::string_view text, std::string_view key_name, const SigningKey& key);

// A C2SP checkpoint: the signed head of a log.
struct Checkpoint {
  std::string origin;
  uint64_t size = 0;
  Hash root = {};
  std::vector<std::string> extensions;
};
std::string FormatCheckpointBody(const Checkpoint& checkpoint);
// Size 0 comes with the empty tree's root only.
absl::StatusOr<Checkpoint> ParseCheckpointBody(std::string_view body);
// A signed checkpoint whose origin is the key's name.
absl::StatusOr<Checkpoint> VerifyCheckpoint(std::string_view note, const VerifierKey& log_key);
// A checkpoint of the log of that origin, vouched for by a cosigner alone. `seconds`, where given,
// gets the time of the cosignature.
absl::StatusOr<Checkpoint> VerifyCosignedCheckpoint(std::string_view note,
                                                    const VerifierKey& cosigner,
                                                    std::string_view origin,
                                                    uint64_t* seconds = nullptr);
// INVALID_ARGUMENT, naming both roots, where two verified checkpoints are of one origin and size
// but not of one root: the log showed two faces. Other sizes take a consistency proof.
absl::Status CheckSplitView(const Checkpoint& one, const Checkpoint& other);

// C2SP tlog-proof v1: an entry's index and path, and the checkpoint that covers it.
struct TlogProof {
  uint64_t index = 0;
  std::vector<Hash> path;
  std::string checkpoint;  // the note, verbatim
  // Bytes of the application in the "extra" line; none where empty. Nothing vouches for them: ours
  // hold the entry, which the proof is then checked with.
  std::string extra;
};
std::string FormatTlogProof(const TlogProof& proof);
absl::StatusOr<TlogProof> ParseTlogProof(std::string_view text);
// OK where the entry is at that index of the log whose key this is.
absl::Status VerifyTlogProof(const TlogProof& proof, std::string_view entry,
                             const VerifierKey& log_key);

}  // namespace sluice::audit
