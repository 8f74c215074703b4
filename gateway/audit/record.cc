#include "gateway/audit/record.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gateway/audit/frame.h"
#include "gateway/audit/search_tags.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

// Sealed detail: version, salt, AES-256-GCM of (random bytes, detail). Its key is the record's own,
// HMAC-SHA256(month key, kKeyLabel || salt), so that the nonce may be constant and no count of
// records wears a month's key out.
constexpr char kDetailVersion = 1;
constexpr size_t kSaltBytes = 32;
constexpr size_t kRandomBytes = kCommitmentRandomBytes;
constexpr size_t kTagBytes = 16;
constexpr std::string_view kKeyLabel = "sluice/detail-key/v1\n";
constexpr std::string_view kSealLabel = "sluice/detail/v1\n";
constexpr std::string_view kNonce("\0\0\0\0\0\0\0\0\0\0\0\0", 12);
static_assert(kSealBytes == 1 + kSaltBytes + kRandomBytes + kTagBytes);

// Field 30 of AuditEnvelope, 32 bytes: what a stored envelope ends in, before the digest itself.
constexpr std::string_view kDigestField("\xf2\x01\x20", 3);
constexpr size_t kDigestFieldBytes = kDigestField.size() + kHashSize;

std::string_view ClassName(v1::RetentionClass retention) {
  switch (retention) {
    case v1::RETENTION_CLASS_SIX_MONTHS:
      return "six-months";
    case v1::RETENTION_CLASS_PERMANENT:
      return "permanent";
    default:
      return "three-years";
  }
}

std::string KeyName(Micros time, v1::RetentionClass retention) {
  const std::string_view name = ClassName(retention);
  const absl::CivilMonth month =
      absl::ToCivilMonth(absl::FromUnixMicros(time), absl::UTCTimeZone());
  return absl::StrCat(absl::Dec(month.year(), absl::kZeroPad4), "-",
                      absl::Dec(month.month(), absl::kZeroPad2), "/",
                      absl::string_view(name.data(), name.size()));
}

v1::ClockQuality QualityOf(ClockState state) {
  // What the kernel does not vouch for is not in step.
  return state == ClockState::kSynchronised ? v1::CLOCK_QUALITY_SYNCHRONISED
                                            : v1::CLOCK_QUALITY_UNSYNCHRONISED;
}

// Floors, so that a time before 1970 has nanoseconds that are not negative, as Timestamp demands.
void SetTime(Micros now, google::protobuf::Timestamp& time) {
  Micros seconds = now / kSecond, rest = now % kSecond;
  if (rest < 0) seconds -= 1, rest += kSecond;
  time.set_seconds(seconds);
  time.set_nanos(static_cast<int32_t>(rest * 1000));
}

std::string RecordKey(std::string_view month_key, std::string_view salt) {
  return std::string(AsBytes(HmacSha256(month_key, std::string(kKeyLabel).append(salt))));
}

// The seal binds its format and the whole envelope but the digest of the sealed bytes, which cannot
// be known before.
std::string Associated(std::string_view envelope) {
  return std::string(kSealLabel).append(envelope);
}

absl::Status TooLarge() {
  return Error(v1::REASON_RESULT_TOO_LARGE, "the answer's audit record would be too large.");
}

absl::Status Broken(std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("audit record: ", absl::string_view(what.data(), what.size())));
}

// The key's name as far as the other fields tell it.
bool NamesItsKey(const v1::AuditEnvelope& envelope) {
  const Micros time = envelope.time().seconds() * kSecond + envelope.time().nanos() / 1000;
  return v1::RetentionClass_IsValid(envelope.retention()) &&
         envelope.retention() != v1::RETENTION_CLASS_UNSPECIFIED &&
         envelope.detail_key() == KeyName(time, envelope.retention());
}

}  // namespace

Draft NewDraft(v1::RecordKind kind) {
  Draft draft;
  draft.envelope.set_kind(kind);
  draft.envelope.set_first_page(-1);
  draft.envelope.set_repeats(-1);
  draft.envelope.set_retention(v1::RETENTION_CLASS_THREE_YEARS);
  return draft;
}

RecordSealer::RecordSealer(DetailKeys& keys, const Clock& clock, RandomSource& random,
                           OnKeyFailure on_key_failure)
    : keys_(keys), clock_(clock), random_(random), on_key_failure_(std::move(on_key_failure)) {}

absl::StatusOr<SealedRecord> RecordSealer::Seal(Draft draft) {
  if (draft.detail.ByteSizeLong() > kMaxDetailBytes) return TooLarge();
  v1::AuditEnvelope& envelope = draft.envelope;
  if (envelope.retention() == v1::RETENTION_CLASS_UNSPECIFIED)
    envelope.set_retention(v1::RETENTION_CLASS_THREE_YEARS);
  const Micros now = clock_.Now();
  SetTime(now, *envelope.mutable_time());
  envelope.set_clock(QualityOf(clock_.State()));
  envelope.set_detail_key(KeyName(now, envelope.retention()));
  envelope.clear_sealed_digest();

  // Refused before its key is made: a record that is not appended leaves no trace.
  const TaggedValues tagged(draft.detail, draft.least_tags);
  const std::string random = random_.Bytes(kRandomBytes + kSaltBytes + tagged.bytes());
  const std::string_view salt = std::string_view(random).substr(kRandomBytes, kSaltBytes);
  const std::string_view filling = std::string_view(random).substr(kRandomBytes + kSaltBytes);
  std::string plain = random.substr(0, kRandomBytes);
  draft.detail.AppendToString(&plain);
  envelope.set_detail_commitment(std::string(AsBytes(Sha256(plain))));
  envelope.set_search_tags(std::string(filling));
  envelope.set_subjects_untagged(tagged.subjects_left_out());
  if (envelope.ByteSizeLong() + kDigestFieldBytes > kMaxEnvelope) return TooLarge();

  const auto month_key = keys_.ForSealing(envelope.detail_key());
  if (!month_key.ok()) {
    if (on_key_failure_) on_key_failure_(month_key.status());
    return Error(v1::REASON_AUDIT_UNAVAILABLE, "the access cannot be recorded now.");
  }
  if (tagged.bytes() > 0)
    envelope.set_search_tags(tagged.Tags(*month_key, envelope.detail_commitment(), filling));
  SealedRecord record;
  record.envelope = envelope.SerializeAsString();
  record.sealed_detail = kDetailVersion;
  record.sealed_detail.append(salt).append(
      AesGcmSeal(RecordKey(*month_key, salt), kNonce, plain, Associated(record.envelope)));
  record.envelope.append(kDigestField).append(AsBytes(Sha256(record.sealed_detail)));
  return record;
}

absl::StatusOr<v1::AuditDetail> OpenDetail(const SealedRecord& record, const DetailKeys& keys) {
  return OpenDetail(
      record, KeyForOpening([&keys](const std::string& name) { return keys.ForOpening(name); }));
}

absl::StatusOr<v1::AuditDetail> OpenDetail(const SealedRecord& record, const KeyForOpening& key) {
  SLUICE_ASSIGN_OR_RETURN(const std::string plain, OpenDetailBytes(record, key));
  v1::AuditDetail detail;
  if (!detail.ParseFromString(plain.substr(kRandomBytes)))
    return Broken("the detail cannot be read");
  return detail;
}

absl::StatusOr<std::string> OpenDetailBytes(const SealedRecord& record, const KeyForOpening& key) {
  v1::AuditEnvelope envelope;
  std::string_view bound = record.envelope;
  const std::string_view sealed = record.sealed_detail;
  if (bound.size() > kMaxEnvelope || !envelope.ParseFromString(record.envelope))
    return Broken("the envelope cannot be read");
  if (bound.size() < kDigestFieldBytes ||
      bound.substr(bound.size() - kDigestFieldBytes, kDigestField.size()) != kDigestField)
    return Broken("the envelope does not end in the digest of its detail");
  if (sealed.size() < kSealBytes || sealed.size() > kMaxDetailBytes + kSealBytes ||
      sealed[0] != kDetailVersion)
    return Broken("the sealed detail has a format that is not known");
  if (bound.substr(bound.size() - kHashSize) != AsBytes(Sha256(sealed)))
    return Broken("the sealed detail is not the one that the envelope names");
  bound.remove_suffix(kDigestFieldBytes);
  if (!NamesItsKey(envelope))
    return Broken("the key that the envelope names is not that of its time and retention class");

  SLUICE_ASSIGN_OR_RETURN(const std::string month_key, key(envelope.detail_key()));
  const std::string_view salt = sealed.substr(1, kSaltBytes);
  auto plain = AesGcmOpen(RecordKey(month_key, salt), kNonce, sealed.substr(1 + kSaltBytes),
                          Associated(bound));
  if (!plain.ok())
    return Broken(absl::StrCat("the seal does not hold: the envelope was changed, or the key ",
                               envelope.detail_key(),
                               " is not the one that sealed it; verify the log, then restore the "
                               "key from its backup"));
  if (envelope.detail_commitment() != AsBytes(Sha256(*plain)))
    return Broken("the detail is not the one that the envelope commits to");
  return plain;
}

}  // namespace sluice::audit
