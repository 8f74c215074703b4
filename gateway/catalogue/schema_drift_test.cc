#include "gateway/catalogue/schema_drift.h"

#include <gtest/gtest.h>

namespace sluice::catalogue {
namespace {

using records::DataType;
using records::TypeId;

TEST(SchemaDriftTest, WhatCannotGoWellIsRefused) {
  const DataType text{TypeId::kUtf8}, whole{TypeId::kInt64}, real{TypeId::kFloat64},
      bytes{TypeId::kBinary}, day{TypeId::kDate32}, decimal{TypeId::kDecimal128, 12, 2},
      utc{TypeId::kTimestamp, 0, 0, true}, local{TypeId::kTimestamp}, truth{TypeId::kBool};
  for (const auto& to : {text, whole, real, day, decimal, utc, local, truth})
    EXPECT_TRUE(ReadableAs(text, to)) << records::ToString(to);
  for (const auto& to : {whole, real, decimal, utc, truth}) EXPECT_TRUE(ReadableAs(whole, to));
  for (const auto& to : {text, bytes, day, local}) EXPECT_FALSE(ReadableAs(whole, to));
  EXPECT_FALSE(ReadableAs(text, bytes));
  EXPECT_FALSE(ReadableAs(bytes, text));
  EXPECT_TRUE(ReadableAs(day, text));
  EXPECT_FALSE(ReadableAs(real, day));
}

}  // namespace
}  // namespace sluice::catalogue
