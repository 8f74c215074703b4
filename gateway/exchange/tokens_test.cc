#include "gateway/exchange/tokens.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr Micros kTokenNow = 1'790'000'000 * kSecond;

TokenBinding Binding() {
  return {
      "agency/civil-affairs/system/relief", "7q4m2k", 2, "public-security/persons", 5, "digest"};
}

class TokensTest : public testing::Test {
 protected:
  const std::unique_ptr<RandomSource> random_ = MakeSystemRandom();
  const Tokens tokens_{std::string(32, 'k'), *random_};

  PagePosition Position() const {
    PagePosition position;
    position.after = {std::string("990101199001013018"),
                      int64_t{-7},
                      records::Decimal128{12345},
                      int32_t{20000},
                      2.5,
                      true,
                      std::monostate()};
    position.source_version = "v1";
    position.first_page = 18342;
    position.expires = kTokenNow + kHour;
    return position;
  }
};

TEST_F(TokensTest, GivesBackWhatWasSealed) {
  const auto opened =
      tokens_.OpenPage(Binding(), tokens_.SealPage(Binding(), Position()), kTokenNow);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->after, Position().after);
  EXPECT_EQ(opened->source_version, "v1");
  EXPECT_EQ(opened->first_page, 18342);
}

TEST_F(TokensTest, IsRefusedForAnotherSystemGrantRevisionDatasetOrRequest) {
  const std::string token = tokens_.SealPage(Binding(), Position());
  std::vector<TokenBinding> others(6, Binding());
  others[0].principal = "agency/civil-affairs/system/other";
  others[1].grant = "aaaaaa";
  others[2].grant_revision = 3;
  others[3].dataset = "public-security/vehicles";
  others[4].dataset_revision = 6;
  others[5].request_digest = "other";
  for (const TokenBinding& other : others)
    EXPECT_EQ(ReasonOf(tokens_.OpenPage(other, token, kTokenNow).status()),
              v1::REASON_PAGE_TOKEN_INVALID);
  // Parts that only together are the same text are not the same parts.
  TokenBinding shifted = Binding();
  shifted.principal += "7";
  shifted.grant = "q4m2k";
  EXPECT_FALSE(tokens_.OpenPage(shifted, token, kTokenNow).ok());
}

TEST_F(TokensTest, RunsOut) {
  const std::string token = tokens_.SealPage(Binding(), Position());
  EXPECT_TRUE(tokens_.OpenPage(Binding(), token, kTokenNow + kHour - 1).ok());
  EXPECT_EQ(ReasonOf(tokens_.OpenPage(Binding(), token, kTokenNow + kHour).status()),
            v1::REASON_PAGE_TOKEN_EXPIRED);
}

TEST_F(TokensTest, ShowsNothingOfTheKeyAndNeverTheSameTwice) {
  const std::string token = tokens_.SealPage(Binding(), Position());
  EXPECT_EQ(token.find("990101"), std::string::npos);
  EXPECT_NE(token, tokens_.SealPage(Binding(), Position()));
}

TEST_F(TokensTest, HasOneSpelling) {
  const std::string token = tokens_.SealPage(Binding(), Position());
  ASSERT_NE(token.size() % 4, 0u);  // the last character holds more bits than the bytes need
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=";
  for (const char other : alphabet) {
    const std::string altered = token.substr(0, token.size() - 1) + other;
    EXPECT_EQ(tokens_.OpenPage(Binding(), altered, kTokenNow).ok(), other == token.back()) << other;
  }
  EXPECT_FALSE(tokens_.OpenPage(Binding(), token + "=", kTokenNow).ok());
  EXPECT_FALSE(tokens_.OpenPage(Binding(), token + "\n", kTokenNow).ok());
}

TEST_F(TokensTest, RefusesEveryAlteredByteAndEveryLength) {
  const std::string token = tokens_.SealPage(Binding(), Position());
  for (size_t i = 0; i < token.size(); ++i) {
    std::string altered = token;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens_.OpenPage(Binding(), altered, kTokenNow).ok()) << i;
    EXPECT_FALSE(tokens_.OpenPage(Binding(), token.substr(0, i), kTokenNow).ok()) << i;
  }
  EXPECT_FALSE(tokens_.OpenPage(Binding(), std::string(1 << 20, 'A'), kTokenNow).ok());
  const Tokens other(std::string(32, 'x'), *random_);
  EXPECT_FALSE(other.OpenPage(Binding(), token, kTokenNow).ok());
}

StreamPosition Behind(int batches) {
  StreamPosition position;
  for (int i = 0; i < batches; ++i)
    position.tree.Append(audit::LeafHash(absl::StrCat("batch ", i)));
  position.start.set_first(7);
  position.start.set_previous(9);
  position.start.set_batches(batches);
  position.start.set_rows(1000 * batches);
  position.after = {{int64_t{41}, std::string("a")}};
  position.source_version = "v1";
  position.expires = kTokenNow + kHour;
  return position;
}

TEST_F(TokensTest, AStreamsPositionComesBackWithItsTree) {
  for (const int batches : {0, 1, 5, 64, 1000}) {
    const StreamPosition position = Behind(batches);
    const auto opened =
        tokens_.OpenResume(Binding(), tokens_.SealResume(Binding(), position), kTokenNow);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->after, position.after);
    EXPECT_FALSE(opened->at_end);
    EXPECT_EQ(opened->source_version, "v1");
    EXPECT_EQ(opened->start.SerializeAsString(), position.start.SerializeAsString());
    EXPECT_EQ(opened->tree.size(), static_cast<uint64_t>(batches));
    EXPECT_EQ(opened->tree.Root(), position.tree.Root());
  }
  StreamPosition end = Behind(3);
  end.after.reset();
  end.at_end = true;
  const auto opened = tokens_.OpenResume(Binding(), tokens_.SealResume(Binding(), end), kTokenNow);
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(opened->at_end);
  EXPECT_FALSE(opened->after.has_value());
}

TEST_F(TokensTest, OneKindNeverPassesForAnother) {
  const std::string page = tokens_.SealPage(Binding(), Position());
  const std::string resume = tokens_.SealResume(Binding(), Behind(2));
  const std::string ticket =
      tokens_.SealTicket(Binding().principal, v1::ReadRequest(), kTokenNow + kHour);
  for (const std::string& token : {resume, ticket})
    EXPECT_EQ(ReasonOf(tokens_.OpenPage(Binding(), token, kTokenNow).status()),
              v1::REASON_PAGE_TOKEN_INVALID);
  for (const std::string& token : {page, ticket})
    EXPECT_EQ(ReasonOf(tokens_.OpenResume(Binding(), token, kTokenNow).status()),
              v1::REASON_RESUME_TOKEN_INVALID);
  for (const std::string& token : {page, resume})
    EXPECT_EQ(ReasonOf(tokens_.OpenTicket(Binding().principal, token, kTokenNow).status()),
              v1::REASON_TICKET_INVALID);
}

class TicketTest : public testing::Test {
 protected:
  static v1::ReadRequest Request() {
    v1::ReadRequest request;
    request.set_dataset("public-security/persons");
    request.set_filter("id_number = $id");
    (*request.mutable_parameters())["id"].add_values()->set_string_value("990101199001013018");
    return request;
  }
  const std::string holder_ = Binding().principal;
  const std::unique_ptr<RandomSource> random_ = MakeSystemRandom();
  const Tokens tokens_{std::string(32, 'k'), *random_};
  const std::string ticket_ = tokens_.SealTicket(holder_, Request(), kTokenNow + kMinute);
};

TEST_F(TicketTest, IsItsHoldersUntilItsTimeIsOver) {
  const auto opened = tokens_.OpenTicket(holder_, ticket_, kTokenNow + kMinute - 1);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->SerializeAsString(), Request().SerializeAsString());
  EXPECT_EQ(ticket_.find("990101"), std::string::npos);
  EXPECT_EQ(ReasonOf(tokens_.OpenTicket(holder_, ticket_, kTokenNow + kMinute).status()),
            v1::REASON_TICKET_EXPIRED);
  EXPECT_EQ(ReasonOf(tokens_.OpenTicket(holder_ + "2", ticket_, kTokenNow).status()),
            v1::REASON_TICKET_INVALID);
}

TEST_F(TicketTest, IsRefusedWhereAnyOfItIsAltered) {
  for (size_t i = 0; i < ticket_.size(); ++i) {
    std::string altered = ticket_;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    for (const std::string& ticket : {altered, ticket_.substr(0, i)})
      EXPECT_EQ(ReasonOf(tokens_.OpenTicket(holder_, ticket, kTokenNow).status()),
                v1::REASON_TICKET_INVALID)
          << i;
  }
}

}  // namespace
}  // namespace sluice::exchange
