#include "gateway/records/text_writers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "gateway/records/batch_testing.h"

namespace sluice::records {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

using Texts = std::vector<std::optional<std::string>>;

RecordBatch TextBatch(std::vector<std::string> names, const std::vector<Texts>& columns) {
  std::vector<Field> fields;
  std::vector<Column> built;
  const DataType type{.id = TypeId::kUtf8};
  for (size_t i = 0; i < names.size(); ++i) {
    fields.push_back({names[i], type});
    ColumnBuilder builder(type);
    for (const auto& value : columns[i]) {
      if (value) {
        builder.AppendBytes(*value);
      } else {
        builder.AppendNull();
      }
    }
    built.push_back(builder.Finish());
  }
  const auto rows = static_cast<int64_t>(columns[0].size());
  return RecordBatch(std::make_shared<Schema>(fields), built, rows);
}

std::string Json(const RecordBatch& batch) {
  std::string out;
  AppendJsonLines(batch, out);
  return out;
}
std::string Csv(const RecordBatch& batch) {
  std::string out;
  AppendCsv(batch, out);
  return out;
}

// One row: a value of each type; the second: all null.
RecordBatch EachType() {
  std::vector<Field> fields;
  std::vector<Column> columns;
  const auto add = [&](const char* name, auto append) {
    ColumnBuilder builder(ParseDataType(name).value());
    append(builder);
    builder.AppendNull();
    fields.push_back({name, builder.type()});
    columns.push_back(builder.Finish());
  };
  add("bool", [](auto& b) { b.AppendBool(true); });
  add("int64", [](auto& b) { b.AppendInt64(std::numeric_limits<int64_t>::min()); });
  add("float64", [](auto& b) { b.AppendFloat64(0.1); });
  add("decimal128(38,2)", [](auto& b) { b.AppendDecimal(1 - PowerOfTen(38)); });
  add("date32", [](auto& b) { b.AppendDate32(-1); });
  add("timestamp(utc)", [](auto& b) { b.AppendInt64(-1); });
  add("timestamp(local)", [](auto& b) { b.AppendInt64(0); });
  add("utf8", [](auto& b) { b.AppendBytes("李 é"); });
  add("binary", [](auto& b) { b.AppendBytes("\xFF\xFE"); });
  return RecordBatch(std::make_shared<Schema>(fields), columns, 2);
}

TEST(JsonLines, EachType) {
  EXPECT_EQ(Json(EachType()),
            "{\"bool\":true,\"int64\":-9223372036854775808,\"float64\":0.1,"
            "\"decimal128(38,2)\":\"-999999999999999999999999999999999999.99\","
            "\"date32\":\"1969-12-31\",\"timestamp(utc)\":\"1969-12-31T23:59:59.999999Z\","
            "\"timestamp(local)\":\"1970-01-01T00:00:00\",\"utf8\":\"李 é\",\"binary\":\"//4=\"}\n"
            "{\"bool\":null,\"int64\":null,\"float64\":null,\"decimal128(38,2)\":null,"
            "\"date32\":null,\"timestamp(utc)\":null,\"timestamp(local)\":null,\"utf8\":null,"
            "\"binary\":null}\n");
}

TEST(JsonLines, EscapesWhatJsonDemandsAndNothingElse) {
  using namespace std::string_literals;
  const RecordBatch batch =
      TextBatch({"k\"\n"}, {{"\"\\/\b\f\n\r\t\0\x1f\x7f"s, "é中😀\u2028", "</script>"}});
  EXPECT_EQ(Json(batch),
            "{\"k\\\"\\n\":\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0000\\u001f\x7f\"}\n"
            "{\"k\\\"\\n\":\"é中😀\u2028\"}\n"
            "{\"k\\\"\\n\":\"</script>\"}\n");
}

TEST(JsonLines, FloatsThatJsonHasNotAreNull) {
  ColumnBuilder builder(DataType{.id = TypeId::kFloat64});
  for (double value : {std::nan(""), kInfinite, -kInfinite, -0.0, 1e22, 5e-324, 3.0}) {
    builder.AppendFloat64(value);
  }
  const RecordBatch batch(std::make_shared<Schema>(std::vector<Field>{{"f", builder.type()}}),
                          {builder.Finish()}, 7);
  EXPECT_EQ(Json(batch),
            "{\"f\":null}\n{\"f\":null}\n{\"f\":null}\n{\"f\":-0}\n{\"f\":1e+22}\n{\"f\":5e-324}\n"
            "{\"f\":3}\n");
}

TEST(JsonLines, NoColumns) {
  EXPECT_EQ(Json(RecordBatch(std::make_shared<Schema>(std::vector<Field>()), {}, 2)), "{}\n{}\n");
}

TEST(JsonLines, AnotherParserReadsTheSameValues) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 50; ++round) {
    const RecordBatch batch = RandomBatch(random, 20);
    const std::string json = Json(batch);
    std::vector<std::string> lines = absl::StrSplit(json, '\n');
    ASSERT_EQ(lines.size(), 21u) << "a line a row, and nothing after the last";
    for (int64_t row = 0; row < 20; ++row) {
      const auto object = nlohmann::json::parse(lines[static_cast<size_t>(row)]);
      ASSERT_EQ(object.size(), batch.columns().size());
      for (size_t c = 0; c < batch.columns().size(); ++c) {
        const Column& column = batch.column(c);
        const auto& value = object[batch.schema()->field(c).name];
        const TypeId id = column.type().id;
        if (column.IsNull(row) || (id == TypeId::kFloat64 && !std::isfinite(column.Float64(row)))) {
          ASSERT_TRUE(value.is_null());
        } else if (id == TypeId::kBool) {
          ASSERT_EQ(value.get<bool>(), column.Bool(row));
        } else if (id == TypeId::kInt64) {
          ASSERT_TRUE(value.is_number_integer());
          ASSERT_EQ(value.get<int64_t>(), column.Int64(row));
        } else if (id == TypeId::kFloat64) {
          ASSERT_EQ(value.get<double>(), column.Float64(row));
        } else if (id == TypeId::kUtf8) {
          ASSERT_EQ(value.get<std::string>(), column.Bytes(row));
        } else {
          ASSERT_EQ(value.get<std::string>(), DisplayValue(column, row));
        }
      }
    }
  }
}

TEST(Csv, EachType) {
  EXPECT_EQ(Csv(EachType()),
            "true,-9223372036854775808,0.1,-999999999999999999999999999999999999.99,1969-12-31,"
            "1969-12-31T23:59:59.999999Z,1970-01-01T00:00:00,李 é,//4=\r\n,,,,,,,,\r\n");
}

TEST(Csv, QuotesWhereNeededOnly) {
  const RecordBatch batch = TextBatch({"a"}, {{"plain", "a,b", "say \"hi\"", "\"", "two\nlines",
                                               "cr\r", " space ", "'", ";", "é"}});
  EXPECT_EQ(Csv(batch),
            "plain\r\n\"a,b\"\r\n\"say \"\"hi\"\"\"\r\n\"\"\"\"\r\n\"two\nlines\"\r\n\"cr\r\"\r\n"
            " space \r\n'\r\n;\r\né\r\n");
}

TEST(Csv, NullAndEmptyTextDiffer) {
  EXPECT_EQ(Csv(TextBatch({"a", "b"}, {{std::nullopt, ""}, {"", std::nullopt}})),
            ",\"\"\r\n\"\",\r\n");
  ColumnBuilder builder(DataType{.id = TypeId::kBinary});
  builder.AppendBytes("");
  const RecordBatch binary(std::make_shared<Schema>(std::vector<Field>{{"b", builder.type()}}),
                           {builder.Finish()}, 1);
  EXPECT_EQ(Csv(binary), "\"\"\r\n");
}

// A record is lent as it is: what a spreadsheet would make of it is the spreadsheet's affair.
TEST(Csv, FormulasAreNotAltered) {
  const RecordBatch batch = TextBatch({"a"}, {{"=1+1", "+1", "-1", "@x", "=cmd|' /C calc'!A0"}});
  EXPECT_EQ(Csv(batch), "=1+1\r\n+1\r\n-1\r\n@x\r\n=cmd|' /C calc'!A0\r\n");
}

TEST(Csv, Header) {
  std::string out = "before ";
  AppendCsvHeader(*TextBatch({"id", "a,b", ""}, {{}, {}, {}}).schema(), out);
  EXPECT_EQ(out, "before id,\"a,b\",\"\"\r\n");
}

TEST(Csv, FloatsThatAreNoNumbersHaveNames) {
  ColumnBuilder builder(DataType{.id = TypeId::kFloat64});
  for (double value : {std::nan(""), kInfinite, -kInfinite}) builder.AppendFloat64(value);
  const RecordBatch batch(std::make_shared<Schema>(std::vector<Field>{{"f", builder.type()}}),
                          {builder.Finish()}, 3);
  EXPECT_EQ(Csv(batch), "NaN\r\nInfinity\r\n-Infinity\r\n");
}

// A reader of RFC 4180: fields of a text, null where empty without quotes.
std::vector<Texts> ReadCsv(std::string_view text) {
  std::vector<Texts> rows;
  while (!text.empty()) {
    Texts& row = rows.emplace_back();
    for (bool more = true; more;) {
      std::optional<std::string> field;
      if (text.starts_with('"')) {
        field.emplace();
        for (text.remove_prefix(1); !text.starts_with('"') || text.starts_with("\"\"");) {
          if (text[0] == '"') text.remove_prefix(1);
          *field += text[0];
          text.remove_prefix(1);
        }
        text.remove_prefix(1);
      } else if (const size_t end = text.find_first_of(",\r"); end > 0) {
        field = text.substr(0, end);
        text.remove_prefix(end);
      }
      row.push_back(field);
      more = text.starts_with(',');
      text.remove_prefix(more ? 1 : 2);
    }
  }
  return rows;
}

TEST(Csv, AReaderOfTheRfcGetsEveryValueBack) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 50; ++round) {
    const RecordBatch batch = RandomBatch(random, 20);
    const auto rows = ReadCsv(Csv(batch));
    ASSERT_EQ(rows.size(), 20u);
    for (int64_t row = 0; row < 20; ++row) {
      const Texts& fields = rows[static_cast<size_t>(row)];
      ASSERT_EQ(fields.size(), batch.columns().size());
      for (size_t c = 0; c < fields.size(); ++c) {
        ASSERT_EQ(fields[c].has_value(), !batch.column(c).IsNull(row));
        ASSERT_EQ(fields[c].value_or(""), DisplayValue(batch.column(c), row));
      }
    }
  }
}

TEST(DisplayValue, NullIsEmpty) {
  const RecordBatch batch = EachType();
  for (const Column& column : batch.columns()) EXPECT_EQ(DisplayValue(column, 1), "");
  EXPECT_EQ(DisplayValue(batch.column(7), 0), "李 é");
}

}  // namespace
}  // namespace sluice::records
