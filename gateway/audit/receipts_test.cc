#include "gateway/audit/receipts.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "gateway/base/cases_testing.h"

namespace sluice::audit {
namespace {

using ::testing::HasSubstr;

constexpr char kOrigin[] = "gw1.gov.example/log";

// The key of RFC 8032's first test.
SigningKey LogKey() {
  return *SigningKey::FromSeed(
      *HexDecode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
}
VerifierKey Verifier(std::string_view name = kOrigin) {
  return *MakeVerifierKey(name, KeyType::kEd25519, LogKey().public_key());
}

std::string EnvelopeAt(uint64_t index) { return absl::StrCat("envelope ", index); }

SignedBatch BatchOf(uint64_t first_index, uint64_t count) {
  std::vector<Hash> leaves;
  for (uint64_t i = 0; i < count; ++i) leaves.push_back(LeafHash(EnvelopeAt(first_index + i)));
  return SignedBatch(kOrigin, first_index, std::move(leaves), LogKey());
}

v1::Receipt ReceiptOf(uint64_t first_index, uint64_t count, uint64_t index) {
  return BatchOf(first_index, count).ReceiptFor(index - first_index, EnvelopeAt(index));
}

bool Holds(const v1::Receipt& receipt) { return VerifyReceipt(receipt, Verifier()).ok(); }

TEST(ReceiptsTest, EachRecordOfABatchOfAnySizeHasOne) {
  for (const uint64_t count : {1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 100}) {
    const SignedBatch batch = BatchOf(1000, count);
    for (uint64_t offset = 0; offset < count; ++offset) {
      const v1::Receipt receipt = batch.ReceiptFor(offset, EnvelopeAt(1000 + offset));
      EXPECT_EQ(receipt.index(), static_cast<int64_t>(1000 + offset));
      EXPECT_TRUE(VerifyReceipt(receipt, Verifier()).ok()) << count << " " << offset;
    }
  }
}

TEST(ReceiptsTest, TheBatchIsATreeOfRfc6962) {
  std::vector<Hash> leaves;
  for (uint64_t i = 0; i < 200; ++i) {
    leaves.push_back(LeafHash(EnvelopeAt(i)));
    EXPECT_EQ(SignedBatch(kOrigin, 0, leaves, LogKey()).root(), RootOf(leaves)) << i;
  }
}

TEST(ReceiptsTest, ALargestBatchHolds) {
  const SignedBatch batch = BatchOf(0, 4096);
  for (const uint64_t offset : {0, 1, 2047, 2048, 4094, 4095}) {
    const v1::Receipt receipt = batch.ReceiptFor(offset, EnvelopeAt(offset));
    EXPECT_EQ(receipt.path_size(), 12);
    EXPECT_TRUE(Holds(receipt));
  }
}

TEST(ReceiptsTest, AReceiptIsForItsEnvelopePlaceAndLogOnly) {
  const v1::Receipt good = ReceiptOf(12, 7, 14);
  ASSERT_TRUE(Holds(good));
  for (const int64_t index : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{11}, int64_t{12},
                              int64_t{13}, int64_t{15}, int64_t{18}, int64_t{19}, INT64_MAX}) {
    v1::Receipt bad = good;
    bad.set_index(index);
    EXPECT_FALSE(Holds(bad)) << index;
    bad = good;
    bad.set_first_index(index);
    EXPECT_EQ(Holds(bad), index == 12) << index;
    bad = good;
    bad.set_count(index);
    EXPECT_FALSE(Holds(bad)) << index;
  }
  // Moved as a whole.
  v1::Receipt moved = good;
  moved.set_index(15);
  moved.set_first_index(13);
  EXPECT_FALSE(Holds(moved));

  v1::Receipt other = good;
  other.set_envelope(EnvelopeAt(15));
  EXPECT_FALSE(Holds(other));
  other = good;
  other.set_origin("gw2.gov.example/log");
  EXPECT_FALSE(Holds(other));
  EXPECT_FALSE(VerifyReceipt(other, Verifier("gw2.gov.example/log")).ok());
  const SigningKey stranger = *SigningKey::FromSeed(std::string(32, 's'));
  EXPECT_FALSE(
      VerifyReceipt(good, *MakeVerifierKey(kOrigin, KeyType::kEd25519, stranger.public_key()))
          .ok());
  EXPECT_FALSE(
      VerifyReceipt(good, *MakeVerifierKey(kOrigin, KeyType::kCosignatureV1, LogKey().public_key()))
          .ok());
}

TEST(ReceiptsTest, EveryPieceOfThePathCounts) {
  const v1::Receipt good = ReceiptOf(0, 100, 37);
  for (int i = 0; i < good.path_size(); ++i) {
    v1::Receipt bad = good;
    (*bad.mutable_path(i))[5] ^= 1;
    EXPECT_FALSE(Holds(bad));
    bad = good;
    bad.mutable_path(i)->pop_back();
    EXPECT_FALSE(Holds(bad));
    bad = good;
    bad.mutable_path(i)->push_back('x');
    EXPECT_FALSE(Holds(bad));
    bad = good;
    bad.mutable_path()->DeleteSubrange(i, 1);
    EXPECT_FALSE(Holds(bad));
    bad = good;
    bad.add_path(good.path(i));
    EXPECT_FALSE(Holds(bad));
  }
  v1::Receipt bad = good;
  bad.set_signature(good.signature().substr(1));
  EXPECT_FALSE(Holds(bad));
  bad.clear_signature();
  EXPECT_FALSE(Holds(bad));
  EXPECT_FALSE(Holds(v1::Receipt()));
}

// The hash of an inner node begins otherwise than that of a leaf.
TEST(ReceiptsTest, AnInnerNodeDoesNotPassForAnEnvelope) {
  const v1::Receipt good = ReceiptOf(0, 4, 0);
  v1::Receipt bad = good;
  bad.set_envelope(absl::StrCat(std::string(AsBytes(LeafHash(good.envelope()))), good.path(0)));
  bad.mutable_path()->DeleteSubrange(0, 1);
  EXPECT_FALSE(Holds(bad));
  bad.set_count(2);
  EXPECT_FALSE(Holds(bad));
}

TEST(ReceiptsTest, SeededMutationsOfItsBytesNeverHold) {
  const google::protobuf::LogSilencer quiet;  // it tells of every name that is not UTF-8
  std::mt19937 random(11);
  const v1::Receipt good = ReceiptOf(40, 9, 47);
  const std::string bytes = good.SerializeAsString();
  int parsed = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bad = bytes;
    for (unsigned edits = 1 + random() % 3; edits > 0; --edits) {
      const size_t at = random() % bad.size();
      switch (random() % 3) {
        case 0:
          bad[at] = static_cast<char>(random());
          break;
        case 1:
          bad.erase(at, random() % 3);
          break;
        default:
          bad.insert(at, 1, static_cast<char>(random()));
      }
    }
    v1::Receipt receipt;
    if (!receipt.ParseFromString(bad)) continue;
    ++parsed;
    if (!Holds(receipt)) continue;
    // Fields that no one knows say nothing; what is said must be what was signed.
    receipt.DiscardUnknownFields();
    EXPECT_EQ(receipt.SerializeAsString(), bytes);
  }
  EXPECT_GT(parsed, 500);
}

TEST(ReceiptsTest, WhatIsSignedForAReceiptIsNoCheckpoint) {
  // A log of the most awkward name.
  for (const char* origin : {kOrigin, "7"}) {
    const std::string message = ReceiptMessage(origin, 0, 3, EmptyRoot());
    EXPECT_TRUE(message.starts_with("sluice-receipt/v1\n"));
    EXPECT_FALSE(ParseCheckpointBody(message).ok());
    EXPECT_FALSE(VerifyCheckpoint(SignNote(message, "sluice-receipt/v1", LogKey()),
                                  Verifier("sluice-receipt/v1"))
                     .ok());
  }
}

// The example of docs/formats/receipt.md, computed anew.
TEST(ReceiptsTest, TheDocumentsExampleIsTrue) {
  const std::string document = ReadSourceFile("docs/formats/receipt.md");
  const std::vector<Hash> leaves = {LeafHash("one"), LeafHash("two"), LeafHash("three")};
  const SignedBatch batch(kOrigin, 12, leaves, LogKey());
  const v1::Receipt receipt = batch.ReceiptFor(1, "two");
  EXPECT_TRUE(Holds(receipt));
  EXPECT_THAT(document, HasSubstr(FormatVerifierKey(Verifier())));
  EXPECT_THAT(document, HasSubstr(ReceiptMessage(kOrigin, 12, 3, RootOf(leaves))));
  ASSERT_EQ(receipt.path_size(), 2);
  for (const std::string& component : receipt.path()) {
    EXPECT_THAT(document, HasSubstr(Base64Encode(component)));
  }
  EXPECT_THAT(document, HasSubstr(Base64Encode(receipt.signature())));
  EXPECT_THAT(document, HasSubstr(Base64Encode(receipt.SerializeAsString())));
}

}  // namespace
}  // namespace sluice::audit
