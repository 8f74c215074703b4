// Records as lists show them.
#include "cli/record_words.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(RecordWordsTest, ChecksAndPreviewsAreNamed) {
  v1::AuditEnvelope checked;
  checked.set_kind(v1::RECORD_KIND_CHECKED);
  EXPECT_EQ(OutcomeWords(checked), "checked");
  EXPECT_EQ(CountWords(checked), "–");
  v1::AuditEnvelope previewed;
  previewed.set_kind(v1::RECORD_KIND_PREVIEWED);
  previewed.set_resource_name("r-7q4m2k");
  previewed.set_count(3);
  EXPECT_EQ(OutcomeWords(previewed), "previewed r-7q4m2k");
  EXPECT_EQ(CountWords(previewed), "3");
}

TEST(RecordWordsTest, EveryKindIsFoundByItsWord) {
  const auto* type = v1::RecordKind_descriptor();
  for (int i = 1; i < type->value_count(); ++i) {
    const auto kind = static_cast<v1::RecordKind>(type->value(i)->number());
    EXPECT_EQ(KindFromWord(KindWord(kind)), kind) << KindWord(kind);
  }
  EXPECT_EQ(KindFromWord("guessed"), v1::RECORD_KIND_UNSPECIFIED);
}

}  // namespace
}  // namespace sluice::cli
