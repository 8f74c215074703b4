#include "adapters/sqlite/settings.h"

#include "adapters/registry.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::sqlite {
namespace {

using testing::HasSubstr;

TEST(SettingsTest, TakesAFileAndABusyTimeout) {
  const auto settings = ParseSettings({{"file", "/srv/legacy.db"}, {"busy_timeout_ms", "150"}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->file, "/srv/legacy.db");
  EXPECT_EQ(settings->busy_timeout_ms, 150);
}

TEST(SettingsTest, NamesEveryMistakeAtOnce) {
  const absl::Status status =
      ParseSettings({{"path", "/x"}, {"busy_timeout_ms", "30001"}}).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
  EXPECT_EQ(BadRequestOf(status)->field_violations_size(), 3);
  for (const char* name : {"'file'", "'path'", "'busy_timeout_ms'"})
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
}

TEST(SettingsTest, RefusesTimeoutsThatAreNoNumbersOrOutOfBounds) {
  for (const char* text : {"", "-1", "soon", "1.5", "99999999999999"})
    EXPECT_FALSE(ParseSettings({{"file", "x"}, {"busy_timeout_ms", text}}).ok()) << text;
  EXPECT_TRUE(ParseSettings({{"file", "x"}, {"busy_timeout_ms", "0"}}).ok());
}

TEST(SettingsTest, NamesThatSqliteWouldTakeForMoreThanFilesAreFiles) {
  for (const char* name : {":memory:", "file:x.db?mode=rwc", "file:/etc/x"})
    EXPECT_EQ(ParseSettings({{"file", name}})->file, "./" + std::string(name));
  EXPECT_FALSE(ParseSettings({{"file", ""}}).ok());
  EXPECT_FALSE(ParseSettings({{"file", std::string("a\0b", 3)}}).ok());
}

}  // namespace
}  // namespace sluice::adapters::sqlite
