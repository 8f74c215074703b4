// Arrow's own files (cases/arrow): what they hold is what their JSON says, and types that are not
// supported are refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "gateway/base/cases_testing.h"
#include "gateway/records/arrow_reader.h"
#include "nlohmann/json.hpp"

namespace sluice::records {
namespace {

using ::testing::HasSubstr;
using Twin = nlohmann::json;

std::string Unpacked(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      popen(absl::StrCat("gzip -dc '", path, "'").c_str(), "r"), pclose);
  std::string text;
  char part[65536];
  while (const size_t size = fread(part, 1, sizeof(part), pipe.get())) text.append(part, size);
  return text;
}

Twin TwinOf(const std::string& cases, const std::string& name) {
  return Twin::parse(Unpacked(absl::StrCat(cases, "/arrow/golden/", name, ".json.gz")));
}

std::string StreamOf(const std::string& cases, const std::string& name) {
  return ReadTestFile(absl::StrCat(cases, "/arrow/golden/", name, ".stream"));
}

TEST(ArrowGolden, DecimalsAreThoseOfTheirTwin) {
  SLUICE_CASES_OR_SKIP(cases);
  const std::string stream = StreamOf(*cases, "generated_decimal");
  const Twin twin = TwinOf(*cases, "generated_decimal");
  auto reader = ArrowStreamReader::Open(ReadFrom(stream), {.check_precision = false});
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_EQ(reader->schema()->size(), twin["schema"]["fields"].size());
  for (size_t i = 0; i < reader->schema()->size(); ++i) {
    const Twin& field = twin["schema"]["fields"][i];
    EXPECT_EQ(reader->schema()->field(i).name, field["name"]);
    EXPECT_EQ(int{reader->schema()->field(i).type.precision}, field["type"]["precision"]);
    EXPECT_EQ(int{reader->schema()->field(i).type.scale}, field["type"]["scale"]);
  }
  int64_t cells = 0;
  for (const Twin& expected : twin["batches"]) {
    const auto batch = reader->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
    ASSERT_EQ((*batch)->rows(), expected["count"]);
    for (size_t c = 0; c < (*batch)->columns().size(); ++c) {
      const Twin& column = expected["columns"][c];
      for (int64_t row = 0; row < (*batch)->rows(); ++row) {
        const bool valid = column["VALIDITY"][row] == 1;
        ASSERT_EQ((*batch)->column(c).IsNull(row), !valid);
        if (!valid) continue;
        ++cells;
        EXPECT_EQ(FormatDecimal((*batch)->column(c).Decimal(row), 0), column["DATA"][row]);
      }
    }
  }
  const auto end = reader->Next();
  ASSERT_TRUE(end.ok() && !end->has_value()) << end.status();
  EXPECT_TRUE(reader->whole());
  EXPECT_GT(cells, 6000);
  // Most of the values have more digits than their types.
  reader = ArrowStreamReader::Open(ReadFrom(stream), {});
  ASSERT_TRUE(reader.ok());
  EXPECT_THAT(std::string(reader->Next().status().message()), HasSubstr("has more digits than 3"));
}

TEST(ArrowGolden, OthersAreRefusedByTheNameOfTheType) {
  SLUICE_CASES_OR_SKIP(cases);
  const struct {
    const char* name;
    const char* type;
  } rows[] = {{"generated_primitive", "int8"},
              {"generated_primitive_zerolength", "int8"},
              {"generated_null", "null"},
              {"generated_datetime", "date64"},
              {"generated_dictionary", "dictionary encoded"},
              {"generated_nested", "list"}};
  for (const auto& row : rows) {
    const auto reader = ArrowStreamReader::Open(ReadFrom(StreamOf(*cases, row.name)), {});
    EXPECT_THAT(std::string(reader.status().message()),
                HasSubstr(absl::StrCat("its type is ", row.type, ", which is not supported")))
        << row.name;
  }
}

// Inputs that once broke another reader.
TEST(ArrowGolden, WhatBrokeOthersIsReadOrRefused) {
  SLUICE_CASES_OR_SKIP(cases);
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(*cases + "/arrow/fuzz")) {
    ++files;
    const std::string bytes = ReadTestFile(file.path());
    auto reader = ArrowStreamReader::Open(ReadFrom(bytes), {});
    while (reader.ok()) {
      const auto batch = reader->Next();
      if (!batch.ok() || !batch->has_value()) break;
    }
  }
  EXPECT_EQ(files, 25);
}

}  // namespace
}  // namespace sluice::records
