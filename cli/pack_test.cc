// Evidence packs: what export writes and verify takes, and that nothing else passes.
#include "cli/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "cli/methods.h"
#include "cli/pack_archive.h"
#include "cli/pack_check.h"
#include "cli/tool_testing.h"
#include "gateway/audit/merkle.h"
#include "gateway/base/sanitized_testing.h"
#include "google/protobuf/util/json_util.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPackOrigin[] = "gw1.gov.example/log";
constexpr char kCase[] = "/home/li/case.zip";

const SigningKey& PackSigner() {
  static const SigningKey* const key = new SigningKey(*SigningKey::FromSeed(std::string(32, 'k')));
  return *key;
}

audit::VerifierKey PackVerifier() {
  return *audit::MakeVerifierKey(kPackOrigin, audit::KeyType::kEd25519, PackSigner().public_key());
}

// Five records, of which #1 and #3 were asked for and #4 is the reading.
struct Exported {
  v1::ExportResponse response;
  std::vector<std::string> entries;
};

std::string OpenedDetail(const v1::AuditDetail& detail, char random) {
  return std::string(32, random) + detail.SerializeAsString();
}

Exported MakeExport(bool with_details = true, int64_t count = 2,
                    const std::string& case_reference = "R-0118 <b>&\"'") {
  Exported exported;
  v1::RecordFilter asked;
  asked.set_case_reference(case_reference);
  std::vector<std::string> opened;
  for (int i = 0; i < 5; ++i) {
    v1::AuditEnvelope envelope;
    v1::AuditDetail detail;
    envelope.set_kind(i == 4 ? v1::RECORD_KIND_READ : v1::RECORD_KIND_RELEASED);
    *envelope.mutable_time() = At("2026-11-23T14:02:07+08:00");
    envelope.mutable_actor()->set_principal("agency/civil-affairs/system/relief");
    envelope.set_dataset("public-security/persons");
    envelope.set_first_page(-1);
    envelope.set_repeats(-1);
    if (i == 4) {
      envelope.set_count(count);
      envelope.set_read_to(4);
      v1::ExportRequest request;
      *request.mutable_filter() = asked;
      request.set_without_details(!with_details);
      EXPECT_TRUE(
          google::protobuf::util::MessageToJsonString(request, detail.mutable_search_json()).ok());
    } else {
      detail.set_case_reference(case_reference);
      detail.set_end_user("王\x1b[31m芳");
    }
    opened.push_back(OpenedDetail(detail, static_cast<char>('a' + i)));
    envelope.set_detail_commitment(std::string(AsBytes(Sha256(opened.back()))));
    exported.entries.push_back(envelope.SerializeAsString());
  }
  std::vector<Hash> leaves;
  for (const std::string& entry : exported.entries) leaves.push_back(audit::LeafHash(entry));
  const auto subtree = [&leaves](uint64_t begin, int level) -> absl::StatusOr<Hash> {
    const auto from = leaves.begin() + static_cast<ptrdiff_t>(begin);
    return audit::RootOf(std::vector<Hash>(from, from + (ptrdiff_t{1} << level)));
  };
  const audit::Checkpoint head{.origin = kPackOrigin, .size = 5, .root = audit::RootOf(leaves)};
  v1::ExportStart& start = *exported.response.mutable_start();
  start.set_checkpoint(
      audit::SignNote(audit::FormatCheckpointBody(head), kPackOrigin, PackSigner()));
  start.set_count(2);
  start.set_searched_to(4);
  *start.mutable_asked() = asked;
  for (const int i : {1, 3, 4}) {
    v1::ProvenRecord& record = i == 4 ? *start.mutable_reading() : *exported.response.add_records();
    record.set_index(i);
    record.set_envelope(exported.entries[static_cast<size_t>(i)]);
    const auto path = audit::InclusionProof(static_cast<uint64_t>(i), 5, subtree);
    EXPECT_TRUE(path.ok());
    for (const Hash& hash : *path) record.add_path(std::string(AsBytes(hash)));
    if (with_details) record.set_opened_detail(opened[static_cast<size_t>(i)]);
  }
  return exported;
}

class PackTest : public ::testing::Test {
 protected:
  PackTest() { EXPECT_TRUE(tool_.files.CreateDirectories("/home/li").ok()); }

  Ran Export(const Exported& exported, std::vector<std::string> more = {}) {
    tool_.gateway.Answer(kExport, exported.response);
    std::vector<std::string> arguments = {"audit", "export", "--case", "R-0118", "-o", kCase};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tool_.Run(arguments);
  }
  Ran Verify() {
    return tool_.Run({"audit", "verify", kCase, "--key", audit::FormatVerifierKey(PackVerifier())});
  }
  std::string Pack() { return tool_.files.ReadAll(kCase).value_or(""); }
  absl::Status Check() { return CheckPack(tool_.files, kCase, PackVerifier(), nullptr).status(); }
  // The members of the pack, by name and bytes.
  std::vector<std::pair<std::string, std::string>> Members() {
    auto archive = ArchiveReader::Open(tool_.files, kCase);
    EXPECT_TRUE(archive.ok()) << archive.status();
    std::vector<std::pair<std::string, std::string>> members;
    for (const ArchiveMember& member : archive->members())
      members.emplace_back(member.name, *archive->Read(member, 1 << 20));
    return members;
  }
  void Repack(const std::vector<std::pair<std::string, std::string>>& members) {
    std::string bytes;
    ArchiveWriter writer([&bytes](std::string_view more) {
      bytes.append(more);
      return absl::OkStatus();
    });
    for (const auto& [name, content] : members) ASSERT_TRUE(writer.Add(name, content).ok());
    ASSERT_TRUE(writer.Finish().ok());
    tool_.Write(kCase, bytes);
  }

  Tool tool_;
};

TEST_F(PackTest, IsWrittenAndHoldsAndIsTheSameEachTime) {
  const Ran ran = Export(MakeExport());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("2 records, 2 with detail, under the head of size 5"));
  const std::string first = Pack();
  const Ran verified = Verify();
  EXPECT_EQ(verified.code, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("verified 2 records of gw1.gov.example/log"));
  EXPECT_THAT(verified.out, HasSubstr("not shown"));
  ASSERT_EQ(Export(MakeExport()).code, 0);
  EXPECT_EQ(Pack(), first);
  EXPECT_EQ(tool_.files.List("/home/li")->size(), 2u) << "a temporary file was left";
}

TEST_F(PackTest, AnyBitThatIsChangedIsFound) {
  ASSERT_EQ(Export(MakeExport()).code, 0);
  const std::string good = Pack();
  ASSERT_TRUE(Check().ok()) << Check();
  for (size_t at = 0; at < good.size(); at += kSweepStep) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    tool_.Write(kCase, bad);
    ASSERT_FALSE(Check().ok()) << "at " << at;
  }
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{21}, good.size() / 2, good.size() - 1}) {
    tool_.Write(kCase, good.substr(0, cut));
    EXPECT_FALSE(Check().ok()) << cut;
  }
  tool_.Write(kCase, good + "x");
  EXPECT_FALSE(Check().ok());
}

TEST_F(PackTest, NoMemberIsAddedRemovedMovedOrTakenTwice) {
  ASSERT_EQ(Export(MakeExport()).code, 0);
  const auto good = Members();
  ASSERT_EQ(good.size(), 12u);
  for (size_t i = 0; i < good.size(); ++i) {
    auto without = good;
    without.erase(without.begin() + static_cast<ptrdiff_t>(i));
    Repack(without);
    EXPECT_FALSE(Check().ok()) << "without " << good[i].first;
    auto twice = good;
    twice.insert(twice.begin() + static_cast<ptrdiff_t>(i), good[i]);
    Repack(twice);
    EXPECT_FALSE(Check().ok()) << good[i].first << " twice";
    auto added = good;
    added.insert(added.begin() + static_cast<ptrdiff_t>(i), {"notes.txt", "hello"});
    Repack(added);
    EXPECT_FALSE(Check().ok()) << "a stranger before " << good[i].first;
    if (i == 0) continue;
    auto moved = good;
    std::swap(moved[i], moved[i - 1]);
    Repack(moved);
    EXPECT_FALSE(Check().ok()) << good[i].first << " moved";
  }
  Repack(good);
  EXPECT_TRUE(Check().ok());
}

// Whoever makes the whole anew without a record is found out by the record of the reading.
TEST_F(PackTest, ARecordLessIsLessThanTheReadingShowed) {
  Exported fewer = MakeExport();
  fewer.response.mutable_records()->DeleteSubrange(0, 1);
  fewer.response.mutable_start()->set_count(1);
  const Ran ran = Export(fewer);
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("the reading showed 2 records, and 1 are here"));
  EXPECT_FALSE(tool_.files.Stat(kCase).ok()) << "nothing is written";
}

TEST_F(PackTest, WhatTheGatewayDoesNotProveIsNotWritten) {
  const auto expect_refused = [&](const Exported& exported, const char* why) {
    const Ran ran = Export(exported);
    EXPECT_EQ(ran.code, 1) << why;
    EXPECT_THAT(ran.err, HasSubstr(why));
    EXPECT_FALSE(tool_.files.Stat(kCase).ok());
    EXPECT_FALSE(tool_.files.Stat(absl::StrCat(kCase, ".tmp")).ok());
  };
  Exported bad = MakeExport();
  bad.response.mutable_records(0)->mutable_envelope()->append("\x10\x01", 2);
  expect_refused(bad, "#1: not under the checkpoint");
  bad = MakeExport();
  bad.response.mutable_records(1)->mutable_opened_detail()->back() ^= 1;
  expect_refused(bad, "#3: the detail is not the one that the record commits to");
  bad = MakeExport();
  bad.response.mutable_records()->SwapElements(0, 1);
  expect_refused(bad, "#1: out of order");
  bad = MakeExport();
  bad.response.mutable_start()->mutable_asked()->set_case_reference("R-0119");
  expect_refused(bad, "the reading asked something else");
  bad = MakeExport();
  bad.response.mutable_start()->set_count(3);
  expect_refused(bad, "3 records were announced, and 2 came");
  bad = MakeExport();
  bad.response.mutable_start()->set_checkpoint("no note");
  expect_refused(bad, "did not prove");
  bad = MakeExport();
  bad.response.clear_start();
  expect_refused(bad, "did not say under which head");
}

TEST_F(PackTest, ThePageIsSelfContainedInTwoLanguagesAndShowsStrangersTextHarmlessly) {
  ASSERT_EQ(Export(MakeExport()).code, 0);
  std::string page;
  for (const auto& [name, bytes] : Members())
    if (name == kPackPage) page = bytes;
  EXPECT_THAT(page, HasSubstr("本证据包证明什么"));
  EXPECT_THAT(page, HasSubstr("What it does not prove"));
  EXPECT_THAT(page, HasSubstr("R-0118 &lt;b&gt;&amp;&quot;&#39;"));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("href=")));
}

// A pack is held against this page, and so is one of years ago: whoever changes what it says gives
// the format another number (docs/formats/pack.md), and then this digest.
TEST_F(PackTest, ThePageOfFormatOneStaysAsItIs) {
  PackSummary summary;
  summary.origin = kPackOrigin;
  v1::AuditEnvelope envelope;
  envelope.set_kind(v1::RECORD_KIND_DENIED);
  envelope.set_reason(v1::REASON_PURPOSE_NOT_GRANTED);
  const std::string page = PackPage(summary, PackRow(7, envelope, nullptr));
  EXPECT_EQ(HexEncode(AsBytes(Sha256(page))),
            "5b94b9d8378bee72757fea299d019266c3da7d5973d8c34f75e8489e49699107");
}

TEST_F(PackTest, WithoutDetailsThereAreNone) {
  const Ran ran = Export(MakeExport(false), {"--without-details"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(tool_.gateway.Asked(kExport).back().without_details());
  EXPECT_EQ(Members().size(), 9u);
  EXPECT_EQ(Verify().code, 0);
  // A gateway that sends some all the same.
  EXPECT_EQ(Export(MakeExport(true), {"--without-details"}).code, 1);
}

TEST_F(PackTest, AnotherLogsKeyDoesNotVerifyIt) {
  ASSERT_EQ(Export(MakeExport()).code, 0);
  const auto other =
      audit::MakeVerifierKey(kPackOrigin, audit::KeyType::kEd25519,
                             SigningKey::FromSeed(std::string(32, 'x'))->public_key());
  const Ran ran = tool_.Run({"audit", "verify", kCase, "--key", audit::FormatVerifierKey(*other)});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("PACK_BROKEN: checkpoint: "));
}

TEST_F(PackTest, ArchivesThatMeanHarmAreRefused) {
  ASSERT_EQ(Export(MakeExport()).code, 0);
  const auto good = Members();
  for (const char* name : {"../evil", "/etc/passwd", "records/../x", "a//b", ".hidden", "a/.b",
                           "a\\b", "records/", "名", ""}) {
    auto members = good;
    members.emplace_back(name, "x");
    Repack(members);
    EXPECT_FALSE(ArchiveReader::Open(tool_.files, kCase).ok()) << name;
  }
  Repack(good);
  const std::string bytes = Pack();
  // Says that it is compressed, and what it unpacks to.
  const size_t central = bytes.find("PK\1\2");
  std::string bomb = bytes;
  bomb[central + 10] = 8;
  tool_.Write(kCase, bomb);
  EXPECT_FALSE(ArchiveReader::Open(tool_.files, kCase).ok());
  bomb = bytes;
  bomb.replace(central + 24, 4, "\xff\xff\xff\x7f");
  tool_.Write(kCase, bomb);
  EXPECT_FALSE(ArchiveReader::Open(tool_.files, kCase).ok());
  // Two that lie over one another.
  std::string overlap = bytes;
  const size_t second = bytes.find("PK\1\2", central + 4);
  overlap.replace(second + 42, 4, std::string(4, '\0'));
  tool_.Write(kCase, overlap);
  EXPECT_FALSE(ArchiveReader::Open(tool_.files, kCase).ok());
  tool_.Write(kCase, "PK\5\6" + std::string(17, '\xff') + "\0");
  EXPECT_FALSE(ArchiveReader::Open(tool_.files, kCase).ok());
  const Ran ran = tool_.Run({"audit", "verify", "/home/li/nothing.zip", "--key",
                             audit::FormatVerifierKey(PackVerifier())});
  EXPECT_EQ(ran.code, 2);
}

}  // namespace
}  // namespace sluice::cli
