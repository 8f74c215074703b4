#include "gateway/witness/add_checkpoint.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace sluice::witness {
namespace {

constexpr char kHashLine[] = "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=\n";

TEST(AddCheckpointTest, ReadsWhatItWrites) {
  AddCheckpoint request{.old_size = 7, .proof = {Sha256("a"), Sha256("b")}, .checkpoint = "x\n\ny"};
  const std::string body = FormatAddCheckpoint(request);
  EXPECT_EQ(body, absl::StrCat("old 7\n", Base64Encode(AsBytes(Sha256("a"))), "\n",
                               Base64Encode(AsBytes(Sha256("b"))), "\n\nx\n\ny"));
  const auto read = ParseAddCheckpoint(body);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->old_size, 7u);
  EXPECT_EQ(read->proof, request.proof);
  EXPECT_EQ(read->checkpoint, "x\n\ny");
}

TEST(AddCheckpointTest, WhatIsNoRequestIsRefused) {
  for (const std::string& body :
       {std::string(), std::string("old"), std::string("old 0"), std::string("old 0\n"),
        std::string("old 0\n\n"), std::string("old 00\n\nx"), std::string("old -1\n\nx"),
        std::string("old  1\n\nx"), std::string("old 18446744073709551616\n\nx"),
        std::string("new 0\n\nx"), std::string("old 0\nAAAA\n\nx"), std::string("old 0\r\n\r\nx"),
        absl::StrCat("old 0\n", kHashLine, "x"), absl::StrCat("old 0\n ", kHashLine, "\nx")})
    EXPECT_FALSE(ParseAddCheckpoint(body).ok()) << body;
}

TEST(AddCheckpointTest, AProofHas63LinesAtMost) {
  std::string proof;
  for (int i = 0; i < 63; ++i) proof += kHashLine;
  EXPECT_TRUE(ParseAddCheckpoint(absl::StrCat("old 1\n", proof, "\nx")).ok());
  EXPECT_FALSE(ParseAddCheckpoint(absl::StrCat("old 1\n", proof, kHashLine, "\nx")).ok());
}

TEST(AddCheckpointTest, HeadsAreFoundByTheirOriginsHash) {
  EXPECT_EQ(CheckpointPath("rome2026h1.example.org"),
            "/000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706/checkpoint");
}

}  // namespace
}  // namespace sluice::witness
