#include "gateway/audit/log_testing.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/mutex.h"

namespace sluice::audit {

const SigningKey& TestLogKey() {
  static const SigningKey* const key = new SigningKey(*SigningKey::FromSeed(std::string(32, 'k')));
  return *key;
}

VerifierKey TestLogVerifier() {
  return *MakeVerifierKey(TestLogOptions().origin, KeyType::kEd25519, TestLogKey().public_key());
}

LogOptions TestLogOptions() {
  LogOptions options;
  options.directory = "/gw/audit";
  options.kept_head = "/gw/head";
  options.origin = "gw1.gov.example/log";
  options.segment_bytes = 32 << 10;
  options.head_interval = kHour;
  return options;
}

SealedRecord MakeRecord(v1::RecordKind kind, const std::string& text, size_t detail_bytes) {
  SealedRecord record;
  record.sealed_detail = std::string(detail_bytes, 'd');
  v1::AuditEnvelope envelope;
  envelope.set_kind(kind);
  envelope.set_dataset(text);
  envelope.set_sealed_digest(std::string(AsBytes(Sha256(record.sealed_detail))));
  record.envelope = envelope.SerializeAsString();
  return record;
}

std::vector<absl::StatusOr<v1::Receipt>> AppendAll(Log& log, std::vector<SealedRecord> records) {
  Mutex mutex;
  Condition done;
  size_t missing = records.size();
  std::vector<absl::StatusOr<v1::Receipt>> results(records.size(), absl::UnknownError("no answer"));
  for (size_t i = 0; i < results.size(); ++i) {
    log.Append(std::move(records[i]), [&, i](absl::StatusOr<v1::Receipt> result) {
      MutexLock lock(mutex);
      results[i] = std::move(result);
      if (--missing == 0) done.NotifyOne();
    });
  }
  MutexLock lock(mutex);
  while (missing != 0) done.Wait(mutex);
  return results;
}

absl::StatusOr<v1::Receipt> AppendOne(Log& log, SealedRecord record) {
  std::vector<SealedRecord> records;
  records.push_back(std::move(record));
  return AppendAll(log, std::move(records))[0];
}

absl::StatusOr<std::string> AskForHead(Log& log, FakeClock& clock) {
  clock.Advance(kHour);
  return log.Head(true);
}

}  // namespace sluice::audit
