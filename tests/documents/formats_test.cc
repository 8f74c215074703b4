// The examples of docs/formats, computed anew by the code that writes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/audit/crc32c.h"
#include "gateway/audit/frame.h"
#include "gateway/audit/record.h"
#include "gateway/audit/segment.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"
#include "gateway/exchange/broker.h"
#include "gateway/exchange/tokens.h"
#include "gateway/records/row_batch.h"
#include "tests/documents/document.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

// 2026-11-24T02:00:00Z, the moment of all examples.
constexpr Micros kMoment = 1'795'485'600 * kSecond;

// "first", then each byte one more.
std::string Counting(uint8_t first, size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes += static_cast<char>(first + i);
  return bytes;
}

class CountingFrom : public RandomSource {
 public:
  explicit CountingFrom(uint8_t first) : first_(first) {}
  std::string Bytes(size_t count) override { return Counting(first_, count); }

 private:
  const uint8_t first_;
};

class Page {
 public:
  explicit Page(std::string_view path) : text_(ReadDocument(path)) {}
  void Says(std::string_view text) const { EXPECT_THAT(text_, HasSubstr(std::string(text))); }
  void SaysHex(std::string_view bytes) const { Says(HexEncode(bytes)); }

 private:
  const std::string text_;
};

v1::AuditEnvelope DocumentedEnvelope() {
  v1::AuditEnvelope envelope = audit::NewDraft(v1::RECORD_KIND_RELEASED).envelope;
  envelope.mutable_actor()->set_principal("agency/civil-affairs/system/relief");
  envelope.mutable_actor()->set_agency("civil-affairs");
  envelope.set_dataset("public-security/persons");
  envelope.set_purpose("relief");
  envelope.set_count(1);
  return envelope;
}

TEST(FormatsTest, AuditRecordsAreAsTheirPageSays) {
  FakeFileSystem files;
  const FakeClock clock(kMoment);
  CountingFrom month_key(0x00), random(0x20);
  ASSERT_TRUE(files.CreateDirectories("keys", 0700).ok());
  const auto keys = audit::DetailKeys::Open("keys", files, month_key);
  ASSERT_TRUE(keys.ok()) << keys.status();
  audit::RecordSealer sealer(**keys, clock, random);
  audit::Draft draft{DocumentedEnvelope(), {}};
  draft.detail.set_call_id("7CQ2K9ZP4M1XH8RT");
  draft.detail.set_case_reference("R-0118");
  const std::string detail = draft.detail.SerializeAsString();

  const auto record = sealer.Seal(std::move(draft));

  ASSERT_TRUE(record.ok()) << record.status();
  const Page page("docs/formats/audit-record.md");
  const std::string salt = Counting(0x40, 32);
  page.SaysHex(detail);
  page.SaysHex(AsBytes(Sha256({Counting(0x20, 32), detail})));
  page.SaysHex(record->envelope.substr(0, record->envelope.size() - 35));
  page.SaysHex(AsBytes(HmacSha256(Counting(0, 32), "sluice/detail-key/v1\n" + salt)));
  const std::string token = std::string(AsBytes(HmacSha256(Counting(0, 32),
                                                           "sluice/search-token/v1\n\x01"
                                                           "R-0118")));
  page.SaysHex(token);
  page.SaysHex(AsBytes(Sha256({"sluice/search-tag/v1\n", token,
                               AsBytes(Sha256({Counting(0x20, 32), detail}))}))
                   .substr(0, 6));
  page.SaysHex(record->sealed_detail);
  page.SaysHex(AsBytes(Sha256(record->sealed_detail)));
  page.SaysHex(AsBytes(audit::LeafHash(record->envelope)));
  const auto opened = audit::OpenDetail(*record, **keys);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->case_reference(), "R-0118");
}

TEST(FormatsTest, ADetailOpensOnlyBesideItsOwnEnvelopeAndWithItsKey) {
  FakeFileSystem files;
  const FakeClock clock(kMoment);
  CountingFrom month_key(0x00), random(0x20);
  const auto keys = audit::DetailKeys::Open("keys", files, month_key);
  ASSERT_TRUE(keys.ok()) << keys.status();
  audit::RecordSealer sealer(**keys, clock, random);
  audit::Draft draft{DocumentedEnvelope(), {}};
  draft.detail.set_end_user("Li Na");
  const auto record = sealer.Seal(std::move(draft));
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_THAT(record->envelope + record->sealed_detail, ::testing::Not(HasSubstr("Li Na")));

  for (size_t i = 0; i < record->envelope.size(); ++i) {
    audit::SealedRecord altered = *record;
    altered.envelope[i] ^= 1;
    EXPECT_FALSE(audit::OpenDetail(altered, **keys).ok()) << i;
  }
  ASSERT_TRUE(files.Remove("keys/2026-11-three-years.key").ok());
  EXPECT_TRUE(absl::IsNotFound(audit::OpenDetail(*record, **keys).status()));
}

TEST(FormatsTest, BatchesAreAsTheirPageSays) {
  audit::FrameHeader header;
  header.sequence = 1;
  header.epoch = 1;
  header.first_index = 0;
  header.time = kMoment;
  header.clock = ClockState::kSynchronised;
  header.tree = audit::EmptyRoot();
  std::string frame;
  audit::EncodeFrame(header, {{"one", "sealed"}, {"two", ""}}, frame);

  const Page page("docs/formats/audit-log.md");
  EXPECT_EQ(frame.size(), 4096u);
  page.SaysHex(frame.substr(0, 124));
  page.SaysHex(AsBytes(Sha256(frame)));
  EXPECT_EQ(audit::Crc32c("123456789"), 0xe3069283u);
  page.Says("E3069283");
}

TEST(FormatsTest, SegmentHeadersAreAsTheirPageSays) {
  audit::SegmentHeader header;
  header.origin = "gw1.gov.example/log";
  header.number = 2;
  header.size = 65536;
  header.epoch = 2;
  header.first_index = 3;
  header.first_sequence = 2;
  header.previous = header.supersedes = 1;
  header.previous_end = header.supersedes_from = 8192;
  header.previous_rest = Sha256("rest");
  for (const char* entry : {"one", "two", "three"}) header.tree.Append(audit::LeafHash(entry));
  const std::string block = audit::EncodeSegmentHeader(header);

  const Page page("docs/formats/audit-log.md");
  EXPECT_EQ(block.size(), 4096u);
  page.SaysHex(block.substr(0, 448));
  page.SaysHex(AsBytes(Sha256(block)));
}

records::RecordBatch DocumentedRows() {
  using records::TypeId;
  const auto schema = std::make_shared<const records::Schema>(std::vector<records::Field>{
      {.name = "id_number", .type = {.id = TypeId::kUtf8}},
      {.name = "birth_date", .type = {.id = TypeId::kDate32}},
      {.name = "income", .type = {.id = TypeId::kDecimal128, .precision = 12, .scale = 2}},
      {.name = "seen", .type = {.id = TypeId::kTimestamp, .utc = true}}});
  std::vector<records::ColumnBuilder> builders;
  for (const records::Field& field : schema->fields()) builders.emplace_back(field.type);
  builders[0].AppendBytes("990***********3018");
  builders[0].AppendBytes("");
  builders[1].AppendDate32(*records::DaysFromCivil({.year = 1990, .month = 1, .day = 1}));
  builders[1].AppendNull();
  builders[2].AppendDecimal(1250);
  builders[2].AppendDecimal(-5);
  builders[3].AppendInt64(kMoment + kSecond / 2);
  builders[3].AppendInt64(0);
  std::vector<records::Column> columns;
  for (records::ColumnBuilder& builder : builders) columns.push_back(builder.Finish());
  return records::RecordBatch(schema, std::move(columns), 2);
}

TEST(FormatsTest, PayloadsAreAsTheirPageSays) {
  const std::string payload = records::EncodeRowBatch(DocumentedRows());

  const Page page("docs/formats/payload.md");
  page.Says(records::kRowBatchMediaType);
  page.Says(std::to_string(payload.size()) + " bytes:");
  page.SaysHex(payload);
  page.SaysHex(AsBytes(Sha256(payload)));
  EXPECT_EQ(exchange::BrokerLimits().payload_bytes, 950'272u);
  page.Says("950,272");
}

TEST(FormatsTest, PageTokensAreAsTheirPageSays) {
  CountingFrom random(0x40);
  const exchange::Tokens tokens(Counting(0, 32), random);
  const exchange::TokenBinding binding{"agency/civil-affairs/system/relief",
                                       "7q4m2k",
                                       2,
                                       "public-security/persons",
                                       5,
                                       "0123456789abcdef"};
  exchange::PagePosition position;
  position.expires = kMoment + kHour;
  position.first_page = 18342;
  position.source_version = "v1";
  position.after = {std::string("990101199001013018")};

  Page("docs/formats/tokens.md").Says("\n" + tokens.SealPage(binding, position) + "\n");
}

}  // namespace
}  // namespace sluice
