#include "gateway/audit/signing_key.h"

#include <gtest/gtest.h>

namespace sluice::audit {
namespace {

// The published pair of golang.org/x/mod/sumdb/note.
constexpr char kGoKey[] =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

TEST(SigningKeyTest, ReadsTheFormThatGoWrites) {
  const auto key = ParseSigningKey(kGoKey);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(FormatVerifierKey(key->verifier),
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  EXPECT_EQ(FormatSigningKey(*key), std::string(kGoKey) + "\n");
}

TEST(SigningKeyTest, RefusesWhatDoesNotFitAndDoesNotRepeatIt) {
  const std::string good = kGoKey;
  for (std::string text : {std::string(), good.substr(8), good.substr(0, good.size() - 4),
                           "PRIVATE+KEY+Other" + good.substr(24), good + "\n\n"}) {
    const auto key = ParseSigningKey(text);
    ASSERT_FALSE(key.ok()) << text;
    EXPECT_EQ(key.status().ToString().find("AYEKF"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::audit
