// A batch of the log of any bytes. Its checksum is made right first, as whoever alters a file
// could: so what stands behind it is reached. A batch that decodes is what encodes to the same
// bytes.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "gateway/audit/crc32c.h"
#include "gateway/audit/frame.h"
#include "gateway/audit/segment.h"
#include "gateway/audit/wire.h"
#include "gateway/base/check.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {
namespace {

constexpr size_t kMostBytes = 1 << 20;
// docs/formats/audit-log.md: the checksum, and what it covers.
constexpr size_t kChecksumAt = 8, kCoveredFrom = 12;

void ReadBatch(std::string bytes) {
  (void)DecodeSegmentHeader(bytes);
  if (bytes.size() < kFrameHeader) return;
  const auto header = DecodeFrameHeader(bytes, bytes.size());
  if (!header.ok()) return;
  SLUICE_CHECK(header->length <= bytes.size());
  PutInteger<uint32_t>(
      bytes.data() + kChecksumAt,
      Crc32c(std::string_view(bytes).substr(kCoveredFrom, header->length - kCoveredFrom)));
  const auto fixed = DecodeFrameHeader(bytes, bytes.size());
  SLUICE_CHECK(fixed.ok());
  const std::string_view whole = std::string_view(bytes).substr(0, RoundUp(fixed->length));
  const auto records = DecodeFrame(*fixed, whole);
  if (!records.ok()) return;
  SLUICE_CHECK(records->size() == fixed->count);
  v1::AuditEnvelope envelope;
  for (const RecordView& record : *records)
    (void)envelope.ParseFromArray(record.envelope.data(), static_cast<int>(record.envelope.size()));
  std::string again;
  EncodeFrame(*fixed, *records, again);
  SLUICE_CHECK(again == whole);
}

}  // namespace
}  // namespace sluice::audit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > sluice::audit::kMostBytes) return 0;
  sluice::audit::ReadBatch(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
