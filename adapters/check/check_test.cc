// Each check finds the adapter that is wrong in just that, and finds nothing in one that is right.
#include "adapters/check/check.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/check/rows.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::check {
namespace {

using records::Scalar;
using records::TypeId;

// What a test may turn the wrong way.
struct Faults {
  bool drops_matching = false;    // with a predicate: a row too few
  bool repeats_position = false;  // the row at the position comes again
  bool descends = false;          // rows in the wrong order
  bool repeats_rows = false;      // a key twice
  bool shuffles_columns = false;  // the table's order in place of the one asked for
  bool huge_batches = false;
  bool guesses_names = false;  // unknown tables are empty ones
  bool goes_on_when_cancelled = false;
  bool knows_no_deadline = false;
  bool text_as_sql = false;  // fails on a quote
  bool grows = false;        // each scan sees a row more
  std::string unreadable;    // this column cannot be read
  int bad_values = 0;
};

struct Table {
  std::vector<ColumnDescription> columns;
  std::vector<Row> rows;
};

class ListReader : public RecordReader {
 public:
  ListReader(std::vector<records::RecordBatch> batches, int bad, bool goes_on)
      : batches_(std::move(batches)), bad_(bad), goes_on_(goes_on) {
    for (int i = 0; i < bad_; ++i) cells_.push_back({i, 1});
  }
  absl::StatusOr<std::optional<records::RecordBatch>> Next() override {
    if (cancelled_ && !goes_on_) return Error(v1::REASON_CANCELLED, "given up.");
    if (at_ == batches_.size()) return std::nullopt;
    return batches_[at_++];
  }
  void Cancel() override { cancelled_ = true; }
  SourceVersion version() const override { return {}; }
  int64_t bad_values() const override { return bad_; }
  const std::vector<BadCell>& bad_cells() const override { return cells_; }

 private:
  const std::vector<records::RecordBatch> batches_;
  const int bad_;
  const bool goes_on_;
  std::vector<BadCell> cells_;
  size_t at_ = 0;
  bool cancelled_ = false;
};

class ListAdapter : public Adapter {
 public:
  ListAdapter(Table table, Faults faults) : table_(std::move(table)), faults_(std::move(faults)) {}

  absl::StatusOr<std::vector<TableDescription>> Describe(const std::string& table,
                                                         const CallContext&) override {
    if (table != "list") return absl::NotFoundError("none");
    return std::vector<TableDescription>{{"list", table_.columns, {{"id"}}, false, {}}};
  }
  absl::Status Probe(const CallContext& context) override {
    if (!faults_.knows_no_deadline && context.deadline <= context.clock->Monotonic())
      return Error(v1::REASON_DEADLINE_EXCEEDED, "too late.");
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<RecordReader>> Scan(ScanRequest request,
                                                     const CallContext&) override {
    ++scans_;
    if (request.table != "list") {
      if (faults_.guesses_names) return Reader({}, request);
      return Error(v1::REASON_SCHEMA_DRIFT, "no such table.");
    }
    std::vector<int> places;
    for (size_t i = 0; i < request.fields.size(); ++i) {
      const auto column =
          std::find_if(table_.columns.begin(), table_.columns.end(),
                       [&](const auto& one) { return one.name == request.fields[i].column; });
      if (column == table_.columns.end() || column->name == faults_.unreadable)
        return Error(v1::REASON_SCHEMA_DRIFT, "no such column.");
      places.push_back(faults_.shuffles_columns
                           ? static_cast<int>(i)
                           : static_cast<int>(column - table_.columns.begin()));
    }
    if (faults_.text_as_sql && HoldsQuote(request.predicate))
      return Error(v1::REASON_SOURCE_UNAVAILABLE, "a syntax error.");
    return Reader(RowsFor(request, places), request);
  }

 private:
  static bool HoldsQuote(const records::Predicate& predicate) {
    for (const Scalar& value : predicate.values)
      if (const auto* text = std::get_if<std::string>(&value))
        if (absl::StrContains(*text, "'")) return true;
    return std::any_of(predicate.children.begin(), predicate.children.end(), HoldsQuote);
  }

  std::vector<Row> RowsFor(const ScanRequest& request, const std::vector<int>& places) const {
    std::vector<Row> rows;
    std::vector<Row> table = table_.rows;
    if (faults_.grows) {
      table.insert(table.begin(), table.front());
      table.front()[0] = int64_t{-scans_};
    }
    for (const Row& row : table) {
      const Row shown = At(row, places);
      if (request.after) {
        const Row key = At(shown, request.key);
        if (key < *request.after || (key == *request.after && !faults_.repeats_position)) continue;
      }
      rows.push_back(shown);
    }
    if (faults_.descends) std::reverse(rows.begin(), rows.end());
    if (faults_.repeats_rows && rows.size() > 3) rows[2] = rows[1];
    return rows;
  }

  std::unique_ptr<RecordReader> Reader(std::vector<Row> rows, const ScanRequest& request) {
    std::vector<records::Field> fields;
    for (const FieldRequest& one : request.fields) fields.push_back(one.field);
    const auto schema = std::make_shared<const records::Schema>(fields);
    const auto batch_of = [&](const std::vector<Row>& some) {
      std::vector<records::Column> columns;
      for (size_t i = 0; i < fields.size(); ++i)
        columns.push_back(ColumnOf(some, i, fields[i].type));
      return records::RecordBatch(schema, std::move(columns), static_cast<int64_t>(some.size()));
    };
    if (faults_.drops_matching && request.predicate.op != records::Op::kTrue && !rows.empty())
      rows.erase(rows.begin());
    std::vector<records::RecordBatch> batches;
    const size_t most = faults_.huge_batches ? 100'000 : 100;
    for (size_t at = 0; at < rows.size(); at += most) {
      batches.push_back(
          batch_of({rows.begin() + static_cast<int64_t>(at),
                    rows.begin() + static_cast<int64_t>(std::min(rows.size(), at + most))}));
    }
    return std::make_unique<ListReader>(std::move(batches), faults_.bad_values,
                                        faults_.goes_on_when_cancelled);
  }

  const Table table_;
  const Faults faults_;
  int64_t scans_ = 0;
};

Table People(int64_t rows) {
  Table table;
  table.columns = {{"id", {TypeId::kInt64}, false, "INTEGER"},
                   {"age", {TypeId::kInt64}, true, "INTEGER"},
                   {"name", {TypeId::kUtf8}, true, "TEXT"}};
  for (int64_t i = 0; i < rows; ++i)
    table.rows.push_back({i, i % 90, absl::StrCat(i % 3 == 0 ? "%" : "a", i % 10)});
  return table;
}

class CheckTest : public testing::Test {
 protected:
  Report Run(const Faults& faults, int64_t rows = 500, int predicates = 40) {
    ListAdapter adapter(People(rows), faults);
    clock_.Advance(kHour);
    const CallContext context{&clock_, clock_.Monotonic() + kMinute, std::make_shared<StopToken>()};
    auto report = CheckTable(adapter, "list", {}, context, Options{300, predicates, 1});
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : Report();
  }
  // The checks that fail, with what they say.
  std::map<std::string, std::string> Wrong(const Faults& faults, int64_t rows = 500,
                                           int predicates = 40) {
    std::map<std::string, std::string> wrong;
    for (const Finding& finding : Run(faults, rows, predicates).findings)
      if (finding.outcome == Outcome::kFails) wrong[finding.check] = finding.words;
    return wrong;
  }
  static Outcome Of(const Report& report, std::string_view check) {
    for (const Finding& finding : report.findings)
      if (finding.check == check) return finding.outcome;
    ADD_FAILURE() << check;
    return Outcome::kNotTried;
  }

  FakeClock clock_;
};

TEST_F(CheckTest, FindsNothingInAnAdapterThatIsRight) {
  const Report report = Run({});
  EXPECT_EQ(report.rows, 300);
  for (const Finding& finding : report.findings)
    EXPECT_EQ(finding.outcome, Outcome::kHolds) << finding.check << ": " << finding.words;
}

TEST_F(CheckTest, FindsRowsThatAFilterLoses) {
  Faults faults;
  faults.drops_matching = true;
  const auto wrong = Wrong(faults);
  EXPECT_TRUE(wrong.contains("filters"));
  EXPECT_TRUE(wrong.contains("lookups"));
}

TEST_F(CheckTest, FindsARepeatedRow) {
  Faults faults;
  faults.repeats_position = true;
  EXPECT_EQ(Wrong(faults).begin()->first, "positions");
}

TEST_F(CheckTest, FindsAWrongOrderAndAKeyThatIsNotUnique) {
  Faults faults;
  faults.descends = true;
  EXPECT_TRUE(Wrong(faults).contains("order"));
  faults = {};
  faults.repeats_rows = true;
  EXPECT_EQ(Wrong(faults).at("order"), "row 3 has the key of the row before it");
}

TEST_F(CheckTest, FindsColumnsInAnotherOrder) {
  Table table = People(200);
  table.columns.pop_back();
  for (Row& row : table.rows) row.pop_back();
  Faults faults;
  faults.shuffles_columns = true;
  ListAdapter adapter(table, faults);
  const CallContext context{&clock_, 0, std::make_shared<StopToken>()};
  const auto report = CheckTable(adapter, "list", {}, context, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(Of(*report, "projection"), Outcome::kFails);
}

TEST_F(CheckTest, FindsBatchesWithoutBounds) {
  Faults faults;
  faults.huge_batches = true;
  EXPECT_TRUE(Wrong(faults, 16'500, 1).contains("batches"));
}

TEST_F(CheckTest, FindsNamesThatAreGuessed) {
  Faults faults;
  faults.guesses_names = true;
  EXPECT_EQ(Wrong(faults).begin()->first, "names");
}

TEST_F(CheckTest, FindsTextThatIsTakenForSql) {
  Faults faults;
  faults.text_as_sql = true;
  EXPECT_TRUE(Wrong(faults).contains("strings"));
}

TEST_F(CheckTest, FindsCallsThatDoNotEnd) {
  Faults faults;
  faults.goes_on_when_cancelled = true;
  EXPECT_EQ(Wrong(faults).begin()->first, "cancel");
  faults = {};
  faults.knows_no_deadline = true;
  EXPECT_EQ(Wrong(faults).begin()->first, "deadline");
}

TEST_F(CheckTest, NamesTheColumnsThatCannotBeReadAndChecksTheOthers) {
  Faults faults;
  faults.unreadable = "name";
  const Report report = Run(faults);
  EXPECT_EQ(Of(report, "columns"), Outcome::kFails);
  EXPECT_TRUE(absl::StrContains(report.findings[0].words, "name (TEXT)"));
  EXPECT_EQ(Of(report, "filters"), Outcome::kHolds);
  EXPECT_EQ(Of(report, "strings"), Outcome::kNotTried);
}

TEST_F(CheckTest, CountsBadValuesByColumnAndShowsNone) {
  Faults faults;
  faults.bad_values = 2;
  const auto wrong = Wrong(faults);
  ASSERT_TRUE(wrong.contains("values"));
  EXPECT_TRUE(absl::StrContains(wrong.at("values"), "age")) << wrong.at("values");
}

TEST_F(CheckTest, ConcludesNothingFromATableThatChanges) {
  Faults faults;
  faults.grows = true;
  const Report report = Run(faults);
  EXPECT_EQ(Of(report, "filters"), Outcome::kNotTried);
  for (const Finding& finding : report.findings)
    EXPECT_NE(finding.outcome, Outcome::kFails) << finding.check << ": " << finding.words;
}

TEST_F(CheckTest, SaysWhatItHadNoTimeFor) {
  ListAdapter adapter(People(10), {});
  clock_.Advance(kHour);
  const CallContext context{&clock_, 1, std::make_shared<StopToken>()};
  const auto report = CheckTable(adapter, "list", {}, context, {});
  ASSERT_TRUE(report.ok()) << report.status();
  for (const Finding& finding : report->findings)
    EXPECT_EQ(finding.outcome, Outcome::kNotTried) << finding.check;
}

TEST_F(CheckTest, RefusesAKeyOfColumnsThatAreNotThere) {
  ListAdapter adapter(People(10), {});
  const CallContext context{&clock_, 0, std::make_shared<StopToken>()};
  EXPECT_EQ(ReasonOf(CheckTable(adapter, "list", {"nobody"}, context, {}).status()),
            v1::REASON_DEFINITION_INVALID);
  EXPECT_TRUE(absl::IsNotFound(CheckTable(adapter, "nobody", {}, context, {}).status()));
}

}  // namespace
}  // namespace sluice::adapters::check
