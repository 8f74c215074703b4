#include "adapters/odbc/odbc_adapter.h"

#include "gtest/gtest.h"
namespace sluice::adapters::odbc {
TEST(Odbc, Links) { EXPECT_FALSE(CheckOdbcSettings({}).ok()); }
}  // namespace sluice::adapters::odbc
