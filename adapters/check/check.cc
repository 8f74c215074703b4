#include "adapters/check/check.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/check/random_predicates.h"
#include "adapters/check/rows.h"
#include "gateway/base/error.h"

namespace sluice::adapters::check {
namespace {

using records::Op;
using records::Predicate;
using records::Scalar;
using records::TypeId;

constexpr int64_t kMostRows = 16'384;
constexpr int64_t kMostBytes = 4 << 20;
constexpr int kTries = 3;
// What each text column is asked for, and what no table or column is called.
constexpr std::string_view kHostile[] = {"'; DROP TABLE people; --",
                                         "\" OR \"\"=\"",
                                         "` OR 1=1 --",
                                         "1 OR 1=1",
                                         "?1",
                                         ":name",
                                         "%",
                                         "_",
                                         "\\",
                                         "[a-z]*",
                                         "{{7*7}}",
                                         "$1",
                                         "''",
                                         "a\r\nb",
                                         "../../etc/passwd",
                                         "<x>&amp;</x>",
                                         "\u202Eright to left"};

Finding Holds(std::string words) { return {"", Outcome::kHolds, std::move(words)}; }
Finding Fails(std::string words) { return {"", Outcome::kFails, std::move(words)}; }
Finding NotTried(std::string words) { return {"", Outcome::kNotTried, std::move(words)}; }

std::string Columns(const std::vector<std::string>& names) { return absl::StrJoin(names, ", "); }

// A failed call as a finding: its reason is told, and its text, which holds no value.
Finding Failed(const std::string& what, const absl::Status& status) {
  const v1::Reason reason = ReasonOf(status);
  const std::string words = absl::StrCat(
      what, ": ", reason == v1::REASON_UNSPECIFIED ? std::string() : ReasonName(reason) + ": ",
      status.message());
  return reason == v1::REASON_DEADLINE_EXCEEDED ? NotTried(words) : Fails(words);
}

// Rows of a scan, and how it ended.
struct Taken {
  std::vector<Row> rows;
  std::vector<int64_t> bad;  // by field
  int64_t bad_values = 0;
  bool ended = false;                   // the source had no more
  std::optional<std::string> oversize;  // what was wrong with a batch's size
  absl::Status status;
};

class Checking {
 public:
  Checking(Adapter& adapter, const CallContext& context, const Options& options)
      : adapter_(adapter), context_(context), options_(options) {}

  absl::StatusOr<Report> Run(const std::string& table, const std::vector<std::string>& key);

 private:
  Finding CheckColumns();
  Finding CheckValues();
  Finding CheckBatches();
  Finding CheckProjection();
  Finding CheckOrder();
  Finding CheckPositions();
  Finding CheckFilters();
  Finding CheckLookups();
  Finding CheckStrings();
  Finding CheckNames();
  Finding CheckCancel();
  Finding CheckDeadline();

  bool over() const {
    return context_.deadline != 0 && context_.clock->Monotonic() >= context_.deadline;
  }
  ScanRequest Request() const;
  // Until `most` rows were taken, the source has no more, or a row lies behind `until`.
  Taken Take(ScanRequest request, int64_t most, const Row* until = nullptr) const;
  // The table's first rows, again.
  void Sample();
  bool has_key() const { return !key_.empty(); }
  // Whether all rows that a predicate keeps can be compared: by the key up to the last row kept, or
  // since the table has no more.
  bool comparable() const { return has_key() || sample_.ended; }
  Row KeyOf(const Row& row) const { return At(row, key_); }
  // Rows of the sample that it keeps; of what a scan with it gives, those within the sample.
  std::vector<Row> KeptHere(const Predicate& predicate) const;
  absl::StatusOr<std::vector<Row>> KeptThere(const Predicate& predicate) const;
  bool SameRows(std::vector<Row> a, std::vector<Row> b) const;
  // Runs `compare` until it is satisfied, anew where the table changed meanwhile.
  template <class Compare>
  Finding Stable(Compare compare);
  // No rows behind the last of the sample are of interest: lets the source leave them out.
  Predicate Within(Predicate predicate) const;

  Adapter& adapter_;
  const CallContext context_;
  const Options options_;
  TableDescription table_;
  std::vector<ColumnDescription> columns_;  // those that can be read
  std::vector<int> key_;                    // places in columns_
  Taken sample_;
  std::vector<std::string> unreadable_;
};

ScanRequest Checking::Request() const {
  ScanRequest request;
  request.table = table_.table;
  for (const ColumnDescription& column : columns_)
    request.fields.push_back({column.name, {column.name, column.type, true}});
  request.key = key_;
  request.on_bad_value = OnBadValue::kNullAndCount;
  return request;
}

Taken Checking::Take(ScanRequest request, int64_t most, const Row* until) const {
  Taken taken;
  taken.bad.resize(request.fields.size());
  const std::vector<int> key = request.key;
  auto reader = adapter_.Scan(std::move(request), context_);
  if (!reader.ok()) {
    taken.status = reader.status();
    return taken;
  }
  while (static_cast<int64_t>(taken.rows.size()) < most) {
    auto batch = (*reader)->Next();
    if (!batch.ok()) {
      taken.status = batch.status();
      break;
    }
    if (!batch->has_value()) {
      taken.ended = true;
      break;
    }
    const records::RecordBatch& rows = **batch;
    if (rows.rows() < 1) {
      taken.oversize = "a batch without rows";
    } else if (rows.rows() > kMostRows || (rows.rows() > 1 && rows.bytes() > kMostBytes)) {
      taken.oversize = absl::StrCat("a batch of ", rows.rows(), " rows and ", rows.bytes(),
                                    " bytes: at most 16,384 rows and 4 MiB, or one row");
    }
    for (const BadCell& cell : (*reader)->bad_cells())
      if (cell.field >= 0 && cell.field < static_cast<int>(taken.bad.size()))
        ++taken.bad[cell.field];
    for (Row& row : RowsOf(rows)) taken.rows.push_back(std::move(row));
    taken.bad_values = (*reader)->bad_values();
    if (until != nullptr && !taken.rows.empty() && At(taken.rows.back(), key) > *until) break;
  }
  (*reader)->Cancel();
  if (static_cast<int64_t>(taken.rows.size()) > most) taken.rows.resize(most);
  return taken;
}

void Checking::Sample() {
  ScanRequest request = Request();
  request.rows_wanted = options_.rows;
  sample_ = Take(std::move(request), options_.rows);
}

Finding Checking::CheckColumns() {
  Sample();
  if (sample_.status.ok() || ReasonOf(sample_.status) != v1::REASON_SCHEMA_DRIFT)
    return sample_.status.ok()
               ? Holds(absl::StrCat(columns_.size(), " can be read as the source describes them"))
               : Failed("reading the first rows", sample_.status);
  // Which ones it is that cannot be read.
  std::vector<ColumnDescription> readable;
  std::vector<std::string> key;
  for (const int place : key_) key.push_back(columns_[place].name);
  for (const ColumnDescription& column : std::exchange(columns_, {})) {
    ScanRequest request;
    request.table = table_.table;
    request.fields = {{column.name, {column.name, column.type, true}}};
    request.on_bad_value = OnBadValue::kNullAndCount;
    const Taken alone = Take(std::move(request), 1);
    if (alone.status.ok()) {
      readable.push_back(column);
    } else {
      unreadable_.push_back(absl::StrCat(column.name, " (", column.source_type, ")"));
    }
  }
  columns_ = std::move(readable);
  key_.clear();
  for (const std::string& name : key)
    for (size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].name == name) key_.push_back(static_cast<int>(i));
  if (key_.size() != key.size()) key_.clear();
  const absl::Status why = sample_.status;
  if (!columns_.empty()) Sample();
  if (unreadable_.empty()) return Failed("reading all columns together", why);
  return Fails(absl::StrCat("cannot be read: ", Columns(unreadable_),
                            ". A view of the owner's that casts them can be"));
}

Finding Checking::CheckValues() {
  if (sample_.bad_values == 0)
    return Holds(absl::StrCat("all of ", sample_.rows.size(), " rows fit the columns' types"));
  std::vector<std::string> where;
  for (size_t i = 0; i < columns_.size(); ++i)
    if (sample_.bad[i] > 0)
      where.push_back(absl::StrCat(columns_[i].name, " ", sample_.bad[i], " times"));
  return Fails(absl::StrCat(sample_.bad_values, " values in ", sample_.rows.size(),
                            " rows do not fit their types", where.empty() ? "" : ": ",
                            Columns(where), ". A dataset says what becomes of them: on_bad_value"));
}

Finding Checking::CheckBatches() {
  if (sample_.oversize) return Fails(*sample_.oversize);
  return Holds("bounded");
}

template <class Compare>
Finding Checking::Stable(Compare compare) {
  Finding finding;
  for (int i = 0; i < kTries; ++i) {
    finding = compare();
    if (finding.outcome != Outcome::kFails || over()) return finding;
    const std::vector<Row> before = std::move(sample_.rows);
    Sample();
    if (!sample_.status.ok()) return Failed("reading the first rows again", sample_.status);
    if (before.size() == sample_.rows.size() &&
        std::equal(before.begin(), before.end(), sample_.rows.begin(), Same))
      return finding;
  }
  return NotTried("the table changes faster than it can be compared");
}

Finding Checking::CheckProjection() {
  if (columns_.size() < 2) return NotTried("the table has one column");
  return Stable([&] {
    ScanRequest request = Request();
    std::reverse(request.fields.begin(), request.fields.end());
    for (int& place : request.key) place = static_cast<int>(columns_.size()) - 1 - place;
    for (size_t i = 0; i < request.fields.size(); ++i)
      request.fields[i].field.name = absl::StrCat("f", i);
    Taken turned = Take(std::move(request), static_cast<int64_t>(sample_.rows.size()));
    if (!turned.status.ok()) return Failed("reading the columns in another order", turned.status);
    for (Row& row : turned.rows) std::reverse(row.begin(), row.end());
    if (!SameRows(turned.rows, sample_.rows) && comparable())
      return Fails("the columns in another order and under other names hold other values");
    return Holds("columns come in the order and under the names asked for");
  });
}

Finding Checking::CheckOrder() {
  if (!has_key()) return NotTried("no unique key: pages and resumption need one");
  for (const int place : key_)
    if (columns_[place].type.id == TypeId::kFloat64)
      return NotTried("the key holds a float64, which is no key");
  for (size_t i = 1; i < sample_.rows.size(); ++i) {
    const Row before = KeyOf(sample_.rows[i - 1]), here = KeyOf(sample_.rows[i]);
    if (before == here)
      return Fails(absl::StrCat("row ", i + 1, " has the key of the row before it"));
    if (here < before)
      return Fails(absl::StrCat("row ", i + 1,
                                " comes before its predecessor in the key's order "
                                "(nulls first, text by code point)"));
  }
  return Holds(absl::StrCat(sample_.rows.size(), " rows in the order of the key, each once"));
}

Finding Checking::CheckPositions() {
  if (!has_key()) return NotTried("no unique key");
  if (sample_.rows.size() < 2) return NotTried("too few rows");
  int tried = 0;
  Finding finding = Stable([&] {
    tried = 0;
    const size_t size = sample_.rows.size();
    for (const size_t at : {size_t{0}, size / 3, size / 2, size - 2, size - 1}) {
      if (over()) break;
      ScanRequest request = Request();
      request.after = KeyOf(sample_.rows[at]);
      const std::vector<Row> rest(sample_.rows.begin() + static_cast<int64_t>(at) + 1,
                                  sample_.rows.end());
      request.rows_wanted = static_cast<int64_t>(rest.size());
      const Taken taken = Take(std::move(request), std::max<int64_t>(1, rest.size()));
      if (!taken.status.ok()) return Failed("going on behind a row", taken.status);
      if (rest.empty() && (!sample_.ended || taken.rows.empty())) {
        ++tried;
        continue;
      }
      if (!SameRows(taken.rows, rest))
        return Fails(absl::StrCat("behind row ", at + 1, " other rows come than came there"));
      ++tried;
    }
    return Holds("");
  });
  if (finding.outcome == Outcome::kHolds)
    finding.words = absl::StrCat("a scan goes on behind ", tried, " rows without gap or repeat");
  return finding;
}

std::vector<Row> Checking::KeptHere(const Predicate& predicate) const {
  // By the evaluator that decides, over the rows as they were read.
  std::vector<records::Column> columns;
  for (size_t i = 0; i < columns_.size(); ++i)
    columns.push_back(ColumnOf(sample_.rows, i, columns_[i].type));
  records::ColumnView view;
  for (const records::Column& column : columns) view.push_back(&column);
  std::vector<Row> kept;
  for (const int64_t i :
       records::Evaluate(predicate, view, static_cast<int64_t>(sample_.rows.size())))
    kept.push_back(sample_.rows[i]);
  return kept;
}

absl::StatusOr<std::vector<Row>> Checking::KeptThere(const Predicate& predicate) const {
  std::vector<Row> kept;
  if (sample_.rows.empty()) return kept;
  ScanRequest request = Request();
  request.predicate = predicate;
  const Row last = KeyOf(sample_.rows.back());
  // A source may send more rows than asked for, but not behind the last key forever.
  auto reader = adapter_.Scan(std::move(request), context_);
  if (!reader.ok()) return reader.status();
  for (bool behind = false; !behind;) {
    auto batch = (*reader)->Next();
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) break;
    records::ColumnView view;
    for (const records::Column& column : (*batch)->columns()) view.push_back(&column);
    const std::vector<Row> rows = RowsOf(**batch);
    for (const int64_t i : records::Evaluate(predicate, view, (*batch)->rows())) {
      if (has_key() && !sample_.ended && KeyOf(rows[i]) > last) {
        behind = true;
        break;
      }
      kept.push_back(rows[i]);
    }
    behind = behind || (has_key() && !sample_.ended && KeyOf(rows.back()) > last);
  }
  (*reader)->Cancel();
  return kept;
}

bool Checking::SameRows(std::vector<Row> a, std::vector<Row> b) const {
  if (!has_key()) {
    for (std::vector<Row>* rows : {&a, &b}) {
      for (Row& row : *rows)
        for (Scalar& value : row)  // a NaN has no place in any order
          if (const auto* real = std::get_if<double>(&value); real != nullptr && std::isnan(*real))
            value = std::string();
      std::sort(rows->begin(), rows->end());
    }
  }
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), Same);
}

Predicate Checking::Within(Predicate predicate) const {
  if (!has_key() || sample_.ended || sample_.rows.empty()) return predicate;
  const Scalar last = sample_.rows.back()[key_[0]];
  if (std::holds_alternative<std::monostate>(last)) return predicate;
  return records::And(std::move(predicate), Predicate{Op::kLessOrEqual, key_[0], {last}, {}});
}

Finding Checking::CheckFilters() {
  if (sample_.rows.empty()) return NotTried("the table has no rows");
  if (!comparable()) return NotTried("no unique key, and more rows than are read here");
  std::vector<records::DataType> types;
  for (const ColumnDescription& column : columns_) types.push_back(column.type);
  int tried = 0;
  Finding finding = Stable([&] {
    RandomPredicates random(types, options_.seed);
    const auto value = [&](int field) -> Scalar {
      // Mostly values that stand there, so that something is found.
      for (int i = 0; i < 8; ++i) {
        const Scalar& found = sample_.rows[random.Below(sample_.rows.size())][field];
        if (!std::holds_alternative<std::monostate>(found)) {
          const auto* const text = std::get_if<std::string>(&found);
          if (text != nullptr && types[field].id == TypeId::kUtf8 && random.Below(6) == 0)
            return std::string(kHostile[random.Below(std::size(kHostile))]);
          return found;
        }
      }
      switch (types[field].id) {
        case TypeId::kBool:
          return true;
        case TypeId::kInt64:
        case TypeId::kTimestamp:
          return int64_t{0};
        case TypeId::kFloat64:
          return 0.5;
        case TypeId::kDate32:
          return int32_t{0};
        case TypeId::kDecimal128:
          return records::Decimal128{0};
        default:
          return std::string("a");
      }
    };
    for (tried = 0; tried < options_.predicates && !over(); ++tried) {
      const Predicate predicate = Within(random.Make(2, value));
      const auto there = KeptThere(predicate);
      if (!there.ok()) return Failed(absl::StrCat("filter ", tried + 1), there.status());
      const std::vector<Row> here = KeptHere(predicate);
      if (!SameRows(*there, here)) {
        std::vector<std::string> names;
        for (const int field : records::FieldsOf(predicate)) names.push_back(columns_[field].name);
        return Fails(absl::StrCat("a filter over ", Columns(names), " keeps ", there->size(),
                                  " rows where ", here.size(), " of those read fit it"));
      }
    }
    return Holds("");
  });
  if (tried == 0 && finding.outcome == Outcome::kHolds) return NotTried("no time was left");
  if (finding.outcome == Outcome::kHolds)
    finding.words = absl::StrCat(tried, " filters keep the rows that the gateway's own keep");
  return finding;
}

Finding Checking::CheckLookups() {
  if (!has_key()) return NotTried("no unique key");
  if (sample_.rows.empty()) return NotTried("the table has no rows");
  size_t asked = 0;
  Finding finding = Stable([&] {
    Predicate in{Op::kIn, key_[0], {}, {}};
    for (const Row& row : sample_.rows) {
      const Scalar& value = row[key_[0]];
      if (std::holds_alternative<std::monostate>(value) || in.values.size() == 1'000) continue;
      if (in.values.empty() || in.values.back() != value) in.values.push_back(value);
    }
    asked = in.values.size();
    if (in.values.empty()) return NotTried("the key's first column holds nulls alone");
    const auto there = KeptThere(in);
    if (!there.ok()) return Failed("a list of keys", there.status());
    if (!SameRows(*there, KeptHere(in))) return Fails("a list of keys finds other rows");
    return Holds("");
  });
  if (finding.outcome == Outcome::kHolds)
    finding.words = absl::StrCat("a list of ", asked, " keys finds the rows that have them");
  return finding;
}

Finding Checking::CheckStrings() {
  if (!comparable()) return NotTried("no unique key, and more rows than are read here");
  std::vector<int> texts;
  for (size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i].type.id == TypeId::kUtf8) texts.push_back(static_cast<int>(i));
  if (texts.empty()) return NotTried("the table has no text");
  int tried = 0;
  Finding finding = Stable([&] {
    tried = 0;
    for (const int field : texts) {
      Predicate in{Op::kIn, field, {}, {}};
      for (const std::string_view text : kHostile) in.values.emplace_back(std::string(text));
      for (const Predicate& one :
           {in, Predicate{Op::kStartsWith, field, {std::string(kHostile[0])}, {}},
            Predicate{Op::kEqual, field, {std::string("%")}, {}}}) {
        if (over()) return Holds("");
        const Predicate predicate = Within(one);
        const auto there = KeptThere(predicate);
        if (!there.ok())
          return Failed(absl::StrCat("column ", columns_[field].name), there.status());
        if (!SameRows(*there, KeptHere(predicate)))
          return Fails(absl::StrCat("column ", columns_[field].name,
                                    ": a hostile text is not taken as a value"));
        ++tried;
      }
    }
    return Holds("");
  });
  if (finding.outcome == Outcome::kHolds)
    finding.words = absl::StrCat("hostile texts in ", tried, " filters are values");
  return finding;
}

Finding Checking::CheckNames() {
  for (const std::string_view name : kHostile) {
    ScanRequest request = Request();
    request.table = std::string(name);
    const absl::Status table = Take(request, 1).status;
    if (ReasonOf(table) == v1::REASON_DEADLINE_EXCEEDED) return Failed("an unknown table", table);
    if (ReasonOf(table) != v1::REASON_SCHEMA_DRIFT)
      return Fails("a table that is not there is no SCHEMA_DRIFT");
    request = Request();
    request.fields.push_back({std::string(name), {"unknown", {TypeId::kUtf8}, true}});
    const absl::Status column = Take(std::move(request), 1).status;
    if (ReasonOf(column) == v1::REASON_DEADLINE_EXCEEDED)
      return Failed("an unknown column", column);
    if (ReasonOf(column) != v1::REASON_SCHEMA_DRIFT)
      return Fails("a column that is not there is no SCHEMA_DRIFT");
  }
  return Holds(absl::StrCat(
      std::size(kHostile), " names that are not there are SCHEMA_DRIFT, as tables and as columns"));
}

Finding Checking::CheckCancel() {
  auto reader = adapter_.Scan(Request(), context_);
  if (!reader.ok()) return Failed("a scan", reader.status());
  (*reader)->Cancel();
  const auto batch = (*reader)->Next();
  if (batch.ok() || ReasonOf(batch.status()) != v1::REASON_CANCELLED)
    return Fails("a scan that was given up is not CANCELLED");
  return Holds("a scan that is given up ends");
}

Finding Checking::CheckDeadline() {
  CallContext past = context_;
  past.deadline = std::max<Micros>(1, context_.clock->Monotonic() - kSecond);
  const absl::Status status = adapter_.Probe(past);
  if (ReasonOf(status) != v1::REASON_DEADLINE_EXCEEDED)
    return Fails("a call behind its deadline is not DEADLINE_EXCEEDED");
  return Holds("a call behind its deadline ends");
}

absl::StatusOr<Report> Checking::Run(const std::string& table,
                                     const std::vector<std::string>& key) {
  SLUICE_ASSIGN_OR_RETURN(auto tables, adapter_.Describe(table, context_));
  if (tables.size() != 1) return absl::NotFoundError("there is no such table");
  table_ = std::move(tables[0]);
  columns_ = table_.columns;
  const std::vector<std::string> names =
      !key.empty()
          ? key
          : (table_.unique_keys.empty() ? std::vector<std::string>() : table_.unique_keys[0]);
  for (const std::string& name : names) {
    const auto found = std::find_if(columns_.begin(), columns_.end(),
                                    [&](const auto& column) { return column.name == name; });
    if (found == columns_.end()) {
      absl::Status status = Error(v1::REASON_DEFINITION_INVALID,
                                  absl::StrCat("key: the table has no column \"", name, "\"."));
      AddFieldViolation(status, "key", absl::StrCat("the table has no column \"", name, "\""));
      return status;
    }
    key_.push_back(static_cast<int>(found - columns_.begin()));
  }
  Report report;
  const auto& all = Names();
  static constexpr Finding (Checking::*kSteps[])() = {
      &Checking::CheckColumns,    &Checking::CheckValues,  &Checking::CheckBatches,
      &Checking::CheckProjection, &Checking::CheckOrder,   &Checking::CheckPositions,
      &Checking::CheckFilters,    &Checking::CheckLookups, &Checking::CheckStrings,
      &Checking::CheckNames,      &Checking::CheckCancel,  &Checking::CheckDeadline};
  bool readable = true;
  for (size_t i = 0; i < all.size(); ++i) {
    Finding finding = !readable ? NotTried("the table's rows cannot be read")
                      : over()  ? NotTried("no time was left")
                                : (this->*kSteps[i])();
    finding.check = all[i];
    report.findings.push_back(std::move(finding));
    readable = sample_.status.ok() && !columns_.empty();
  }
  report.rows = static_cast<int64_t>(sample_.rows.size());
  return report;
}

}  // namespace

const std::vector<std::string>& Names() {
  static const auto* const names = new std::vector<std::string>{
      "columns", "values",  "batches", "projection", "order",  "positions",
      "filters", "lookups", "strings", "names",      "cancel", "deadline"};
  return *names;
}

absl::StatusOr<Report> CheckTable(Adapter& adapter, const std::string& table,
                                  const std::vector<std::string>& key, const CallContext& context,
                                  const Options& options) {
  return Checking(adapter, context, options).Run(table, key);
}

}  // namespace sluice::adapters::check
