// What a kind of adapter gives to be tested: how to make a source with given tables, and how to
// spoil it. Open may give the adapter itself or one that reaches it through a real gateway; the
// cases are the same.
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, AdapterConformance, testing::Values(SqliteUnderTest()),
//   KindName);
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/check/rows.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::conformance {

using check::Row;
using check::RowsOf;

struct TableData {
  std::string name;
  std::vector<records::Field> fields;
  std::vector<int> key;   // indices into fields, unique together; the source has an index for it
  std::vector<Row> rows;  // in the order of the key
};

class AdapterUnderTest {
 public:
  virtual ~AdapterUnderTest() = default;
  // Puts the table into the source, as its owner would.
  virtual void Make(const TableData& table) = 0;
  virtual std::unique_ptr<Adapter> Open() = 0;
  // The value of that row (from 0, in the order of the key) becomes one that is not of its type.
  virtual void SpoilValue(const TableData& table, int field, int64_t row) = 0;
  // The source dies: nothing more can be read from it.
  virtual void Break() = 0;
  // What a gateway's operator would write of it: for kinds that are reached through one as well.
  struct Source {
    std::string kind;
    Settings settings;
  };
  virtual Source AsSource() const = 0;
};

struct KindUnderTest {
  std::string name;
  std::function<std::unique_ptr<AdapterUnderTest>()> make;
  // Cases that this kind does not pass as they stand, each with the reason, by the test's name.
  std::map<std::string, std::string> deviations;
  // Types that keys cannot have where this kind is reached.
  std::vector<records::TypeId> no_key_of = {};
  // Whether it tells which values were bad; consumers are told how many.
  bool tells_cells = true;
  // Whether its text can hold U+0000; where not, the cases' text is put in without.
  bool nul_in_text = true;
  // Whether its floating point can hold infinities; where not, the cases' largest are finite.
  bool infinities = true;
  // Why no case can run here: what the kind is proved against is missing.
  std::string not_here = {};
  // With how many random ones push-down is tried.
  int predicates = 1'500;
};

// What gtest prints of it.
inline void PrintTo(const KindUnderTest& kind, std::ostream* out) { *out << kind.name; }

class AdapterConformance : public testing::TestWithParam<KindUnderTest> {
 protected:
  void SetUp() override;

  // The whole table, by its key.
  static ScanRequest RequestFor(const TableData& table);
  // As the kind can hold it.
  static std::string Fitting(std::string text);
  static void Fit(TableData& table);
  CallContext Context() const { return {&clock_, 0, stop_}; }
  // All batches of a scan. A failure fails the test, and gives what came before it.
  std::vector<records::RecordBatch> ScanAll(Adapter& adapter, ScanRequest request);
  // The status that ends a scan, be it in Scan or in Next; OK where it comes to its end.
  absl::Status ScanStatus(Adapter& adapter, ScanRequest request);

  FakeClock clock_;
  std::shared_ptr<StopToken> stop_ = std::make_shared<StopToken>();
  std::unique_ptr<AdapterUnderTest> source_;
};

// Variants of a kind: all of them, or under a sanitizer, which shows nothing new in the others, the
// first so many.
std::vector<KindUnderTest> Variants(std::vector<KindUnderTest> all, size_t under_sanitizer);

std::string KindName(const testing::TestParamInfo<KindUnderTest>& info);

// For messages of failing tests; test data only.
std::string Show(const Row& row);

// A table `numbers` with an int64 key `id` from 1 and a text column of the given width.
TableData Numbers(int64_t rows, size_t text_width = 8);

}  // namespace sluice::adapters::conformance
