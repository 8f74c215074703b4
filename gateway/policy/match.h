// Match: what a consumer names is compared with what the record has, and only the outcome leaves
// (docs/match.md). Pure functions, any thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/policy/decide.h"
#include "gateway/records/types.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::policy {

inline constexpr int kMostMatchItems = 1'000;

// Whether a rule can compare fields of that type; with `finds`, whether records can be found by it.
bool RuleFits(v1::MatchRule rule, bool finds, const records::DataType& type);

// A text such that texts that mean the same under the rule become the same one. `valid` is false
// where it is none of its kind: a day that is none, a number with another check character.
struct Comparable {
  std::string text;
  bool valid = true;
};
Comparable MakeComparable(v1::MatchRule rule, std::string_view text);

// What is decided on: the fields that its first item names.
v1::QueryRequest AsQuery(const v1::MatchRequest& request);

// What its items name of data subjects, for records of what was refused: whatever can be read.
std::vector<BoundFilter::Asked> AskedIn(const v1::MatchRequest& request,
                                        const catalogue::Dataset& dataset);

// A match that may be made.
class Matcher {
 public:
  // For a plan of AsQuery(request) under MODE_MATCH, which gets the condition to find the records
  // by, the subjects that are asked about, and its output in this order: the fields that find, then
  // those that are compared, as answers tell them. REQUEST_INVALID where items are none, too many,
  // or name other fields than the first, or no field to find by, or none to compare;
  // FIELD_NOT_GRANTED where a field takes no part; PARAMETER_INVALID with the item's place where a
  // value is none of its kind. No error holds a value.
  static absl::StatusOr<Matcher> Make(const v1::MatchRequest& request, Plan& plan);

  // Of each item: what names its record, the same for the same record; not for keeping.
  const std::vector<std::string>& records() const { return records_; }

  // Looks at rows that were scanned: columns plan.scan_fields. INTERNAL where they are others.
  absl::Status Take(const Plan& plan, const records::RecordBatch& scanned);
  // After all were seen.
  std::vector<v1::MatchOutcome> Outcomes() const;
  // As many bytes whatever the outcomes are.
  std::string Encode(bool tells_fields) const;
  // The subjects of records that were found: (field, identifier), each once.
  const std::set<std::pair<int, std::string>>& found() const { return found_; }

 private:
  struct Part {
    int field = 0;  // in the dataset
    v1::MatchRule rule = v1::MATCH_RULE_UNSPECIFIED;
  };
  struct Item {
    std::vector<std::string> finds, compared;  // comparable texts
    // Of the record that agrees in most: found, and which of `compared` are the same.
    bool found = false;
    int same = 0;
    std::vector<bool> agrees;
  };
  absl::Status ChooseParts(const v1::MatchItem& first, const Plan& plan);
  absl::Status AddItem(int number, const v1::MatchItem& item, const Plan& plan,
                       std::vector<records::Scalar>& forms);
  // Whether it is the record of one of these items.
  bool TakeRow(const std::vector<const records::Column*>& finds,
               const std::vector<const records::Column*>& compared, const std::vector<int>& items,
               int64_t row);

  std::vector<Part> finds_, compared_;
  std::vector<Item> items_;
  std::vector<std::string> records_;
  std::multimap<std::string, int, std::less<>> by_first_;  // the first of `finds`: items
  std::set<std::pair<int, std::string>> found_;
};

}  // namespace sluice::policy
