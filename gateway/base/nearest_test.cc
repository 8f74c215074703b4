#include "gateway/base/nearest.h"

#include <vector>

#include "gtest/gtest.h"

namespace sluice {
namespace {

std::optional<std::string> Nearest(std::string_view typed, std::vector<std::string_view> known) {
  return NearestName(typed, known);
}

TEST(NearestName, FindsWhatWasMeant) {
  EXPECT_EQ(Nearest("cuonty", {"name", "county", "count"}), "county");
  EXPECT_EQ(Nearest("nam", {"id", "name"}), "name");
  EXPECT_EQ(Nearest("names", {"id", "name"}), "name");
  EXPECT_EQ(Nearest("ID", {"name", "id"}), "id");
  EXPECT_EQ(Nearest("reliif", {"audit", "relief"}), "relief");
  EXPECT_EQ(
      Nearest("public-security/person", {"public-security/persons", "civil-affairs/villages"}),
      "public-security/persons");
}

TEST(NearestName, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(Nearest("110101199003071234", {"id_number", "name"}), std::nullopt);
  EXPECT_EQ(Nearest("id", {"xy", "name"}), std::nullopt);
  EXPECT_EQ(Nearest("ab", {"a", "abc"}), "abc");  // a third of three, and not of two
  EXPECT_EQ(Nearest("civil-affairs/villages", {"civil-affairs/divorces"}), std::nullopt);
  EXPECT_EQ(Nearest("", {"a"}), std::nullopt);
  EXPECT_EQ(Nearest("a", {}), std::nullopt);
}

TEST(NearestName, TakesTheFirstOfSeveral) {
  EXPECT_EQ(Nearest("field_x", {"field_a", "field_b"}), "field_a");
}

TEST(NearestName, OfLongTextIsNotTried) {
  const std::string longest(64, 'n'), longer(65, 'n');
  EXPECT_EQ(Nearest(longest, {longest}), longest);
  EXPECT_EQ(Nearest(longer, {longer, longest}), std::nullopt);
}

}  // namespace
}  // namespace sluice
