// What is shown to a verifier, of any bytes: notes, keys, checkpoints, proofs, receipts. What is
// read can be written, and reads the same; nothing verifies that no key signed.
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/audit/receipts.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/check.h"
#include "gateway/base/crypto.h"

namespace sluice::audit {
namespace {

constexpr size_t kMostBytes = 256 << 10;

VerifierKey KeyOfNobody() {
  const auto signing = SigningKey::FromSeed(std::string(32, 's'));
  SLUICE_CHECK(signing.ok());
  auto key = MakeVerifierKey("gw1.gov.example/log", KeyType::kEd25519, signing->public_key());
  SLUICE_CHECK(key.ok());
  return *std::move(key);
}

void Read(std::string_view bytes) {
  static const auto* const key = new VerifierKey(KeyOfNobody());
  if (const auto parsed = ParseVerifierKey(bytes); parsed.ok())
    SLUICE_CHECK(FormatVerifierKey(*parsed) == bytes);
  (void)ParseNote(bytes);
  SLUICE_CHECK(!VerifyNote(bytes, {*key}).ok());
  SLUICE_CHECK(!VerifyCheckpoint(bytes, *key).ok());
  if (const auto checkpoint = ParseCheckpointBody(bytes); checkpoint.ok())
    SLUICE_CHECK(FormatCheckpointBody(*checkpoint) == bytes);
  if (const auto proof = ParseTlogProof(bytes); proof.ok()) {
    const auto again = ParseTlogProof(FormatTlogProof(*proof));
    SLUICE_CHECK(again.ok() && again->index == proof->index && again->path == proof->path &&
                 again->checkpoint == proof->checkpoint && again->extra == proof->extra);
    SLUICE_CHECK(!VerifyTlogProof(*proof, "entry", *key).ok());
  }
  v1::Receipt receipt;
  if (receipt.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    SLUICE_CHECK(!VerifyReceipt(receipt, *key).ok());
}

}  // namespace
}  // namespace sluice::audit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > sluice::audit::kMostBytes) return 0;
  sluice::audit::Read({reinterpret_cast<const char*>(data), size});
  return 0;
}
