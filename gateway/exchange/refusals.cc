#include "gateway/exchange/refusals.h"

#include "absl/strings/str_cat.h"
#include "certs/certificate.h"
#include "gateway/base/error.h"

namespace sluice::exchange {

std::string MakeCallId(RandomSource& random) {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const std::string bytes = random.Bytes(16);
  std::string id;
  for (char byte : bytes) id += kAlphabet[static_cast<uint8_t>(byte) % 32];
  return id;
}

std::shared_ptr<const identity::Principal> UnknownPeer(std::string_view leaf_pem) {
  const auto certificate = certs::Certificate::FromPem(leaf_pem, "peer");
  if (!certificate.ok()) return identity::Nobody();
  identity::Principal unknown;
  unknown.serial = certificate->serial();
  unknown.certificate_digest = std::string(AsBytes(certificate->fingerprint()));
  return std::make_shared<const identity::Principal>(std::move(unknown));
}

audit::Draft RefusalDraft(const Call& call, const absl::Status& refused) {
  audit::Draft draft = DraftFor(v1::RECORD_KIND_DENIED, call);
  draft.envelope.set_reason(ReasonOf(refused));
  draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  draft.detail.set_message(std::string(refused.message()));
  return draft;
}

void RecordRefusal(Denials& denials, const Call& call, absl::Status refused,
                   std::function<void(absl::Status)> done) {
  if (!call.call_id.empty()) AddKey(refused, "call", call.call_id);
  audit::Draft draft = RefusalDraft(call, refused);
  denials.Record(std::move(draft),
                 [refused, done = std::move(done)](absl::StatusOr<int64_t> index) mutable {
                   if (!index.ok()) return done(index.status());
                   if (*index >= 0) AddKey(refused, "index", absl::StrCat(*index));
                   done(std::move(refused));
                 });
}

}  // namespace sluice::exchange
