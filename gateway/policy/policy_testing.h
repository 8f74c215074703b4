// A small world for tests of decisions: a dataset of persons, grants on it, callers, tables of
// rows, and what a consumer gets to see of them.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/audit/subjects.h"
#include "gateway/policy/decide.h"
#include "gateway/records/types.h"

namespace sluice::policy {

inline constexpr Micros kTestNow = 1'790'000'000 * kSecond;

// police/persons, with key `points` and a field of every type:
//   id utf8 L4 (CN-RID), name utf8 L3, born date32 L3, income decimal128(12,2) L3, county utf8 L2,
//   points int64 L1, score float64 L2, seen timestamp(utc) L2, active bool L1, secret utf8 L4,
//   photo binary L2, visited timestamp(local) L2
v1::Dataset PersonsDefinition();
catalogue::DatasetPtr MustCompile(const v1::Dataset& definition);

v1::Mask MaskOf(std::string_view text);

// In force, for the agency welfare and the purpose relief; with all fields but `secret`, as they
// are.
v1::Grant GrantDefinition(std::string_view id = "abc234");
// The field of that name; there must be one.
v1::GrantedField& FieldOf(v1::Grant& grant, std::string_view name);
// Without it.
void LeaveOut(v1::Grant& grant, std::string_view name);
void MaskField(v1::Grant& grant, std::string_view name, std::string_view mask,
               v1::MaskedFilter filter = v1::MASKED_FILTER_UNSPECIFIED);

v1::Value TextValue(std::string_view text);
v1::Value IntValue(int64_t value);

using Row = std::vector<records::Scalar>;  // a value a field; monostate is null
using Table = std::vector<Row>;
records::Column ColumnOf(const records::DataType& type, const std::vector<records::Scalar>& values);
// A row of the persons, with values from `seed`.
Row PersonRow(int64_t seed);

class PolicyWorld {
 public:
  explicit PolicyWorld(const v1::Dataset& dataset = PersonsDefinition());

  // The grant must compile.
  GrantPtr Add(const v1::Grant& grant);
  v1::QueryRequest Request(std::string_view filter = "") const;
  static void Bind(v1::QueryRequest& request, const std::string& name,
                   std::initializer_list<v1::Value> values);

  Decision Ask(const v1::QueryRequest& request) const;
  // Its reason; REASON_UNSPECIFIED where it is permitted.
  v1::Reason Refusal(const v1::QueryRequest& request) const;

  // All that the consumer sees of the answer: pages until the last, each with its rows in order, or
  // the error. The source gives rows in the order of the dataset's key, `batch` at a time, and
  // every row of the table whatever the filter.
  std::string Answer(const v1::QueryRequest& request, const Table& table, int batch = 3) const;

  catalogue::DatasetPtr dataset;
  std::shared_ptr<Snapshot> snapshot = std::make_shared<Snapshot>();
  identity::Principal caller;
  Micros now = kTestNow;
  DecideLimits limits;
  audit::Pseudonyms pseudonyms{std::string(32, 'k')};

 private:
  records::RecordBatch Scan(const Plan& plan, const Table& table, size_t begin, size_t end) const;
};

// Status and details, whole.
std::string TextOf(const absl::Status& status);

}  // namespace sluice::policy
