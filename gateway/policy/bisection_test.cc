// Attacks by asking: two tables that differ only in what a grant hides must answer every request
// alike, with the same values, order, pages, counts and errors, however many are asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/sanitized_testing.h"
#include "gateway/policy/apply.h"
#include "gateway/policy/policy_testing.h"

namespace sluice::policy {
namespace {

using records::Scalar;
using records::TypeId;
using Random = std::mt19937_64;

constexpr int kRows = 7;

Scalar RandomValue(Random& random, const records::DataType& type) {
  const auto small = [&random](int64_t range) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(2 * range)) - range;
  };
  switch (type.id) {
    case TypeId::kBool:
      return random() % 2 == 0;
    case TypeId::kInt64:
      return small(60);
    case TypeId::kFloat64:
      return static_cast<double>(small(40)) / 8;
    case TypeId::kDecimal128:
      return records::Decimal128{small(3000)};
    case TypeId::kDate32:
      return static_cast<int32_t>(small(900));
    case TypeId::kTimestamp:
      return small(900) * kDay + static_cast<int64_t>(random() % kDay);
    case TypeId::kUtf8: {
      static constexpr std::string_view kCharacters[] = {"1", "N", "李"};
      std::string text;
      for (uint64_t n = random() % 8; n > 0; --n)
        text += kCharacters[random() % std::size(kCharacters)];
      return text;
    }
    case TypeId::kBinary:
      return std::string(random() % 3, static_cast<char>(random()));
  }
  return std::monostate();
}

v1::Value ToProto(const Scalar& scalar, const records::DataType& type) {
  v1::Value value;
  switch (type.id) {
    case TypeId::kBool:
      value.set_bool_value(std::get<bool>(scalar));
      break;
    case TypeId::kInt64:
      value.set_int64_value(std::get<int64_t>(scalar));
      break;
    case TypeId::kFloat64:
      value.set_double_value(std::get<double>(scalar));
      break;
    case TypeId::kDecimal128:
      value.set_decimal_value(
          records::FormatDecimal(std::get<records::Decimal128>(scalar), type.scale));
      break;
    case TypeId::kDate32:
      value.set_date_value(records::FormatDate(std::get<int32_t>(scalar)));
      break;
    case TypeId::kTimestamp:
      value.set_string_value(records::FormatTimestamp(std::get<int64_t>(scalar), type.utc));
      break;
    case TypeId::kUtf8:
      value.set_string_value(std::get<std::string>(scalar));
      break;
    case TypeId::kBinary:
      value.set_bytes_value(std::get<std::string>(scalar));
      break;
  }
  return value;
}

// Two tables that a consumer must not tell apart, and whoever asks about them.
struct Attack {
  std::string field;
  std::string mask;
  v1::MaskedFilter mode = v1::MASKED_FILTER_UNSPECIFIED;
  std::string key;
  // EXACT answers whoever knows the value: the attacker then knows none of those that differ.
  bool knows_values = true;
};

class Attacker {
 public:
  Attacker(const Attack& attack, uint64_t seed)
      : attack_(attack), random_(seed), world_(DefinitionWith(attack.key)) {
    v1::Grant grant = GrantDefinition();
    MaskField(grant, attack.field, attack.mask, attack.mode);
    if (attack.field != "county" && random_() % 2 == 0) LeaveOut(grant, "county");
    grant.set_row_filter("county != \"Hidden\"");
    grant_ = world_.Add(grant);
    field_ = *world_.dataset->IndexOf(attack.field);
    MakeTables();
  }

  // How many of the requests were permitted; -1 and `told` where two answers differ.
  int Run(int requests, std::string* told) {
    int permitted = 0;
    for (int i = 0; i < requests; ++i) {
      const v1::QueryRequest request = NextRequest();
      const std::string a = world_.Answer(request, a_, 1 + static_cast<int>(random_() % 9));
      const std::string b = world_.Answer(request, b_, 1 + static_cast<int>(random_() % 9));
      if (a != b) {
        *told = absl::StrCat(request.DebugString(), "\nA:\n", a, "\nB:\n", b);
        return -1;
      }
      permitted += world_.Refusal(request) == v1::REASON_UNSPECIFIED ? 1 : 0;
    }
    return permitted;
  }

 private:
  static v1::Dataset DefinitionWith(const std::string& key) {
    v1::Dataset definition = PersonsDefinition();
    definition.set_key(0, key);
    return definition;
  }
  const records::DataType& TypeOf(int field) const {
    return world_.dataset->schema->field(field).type;
  }

  // Different values that the mask shows alike.
  std::pair<Scalar, Scalar> Twins() {
    std::vector<Scalar> values = {std::monostate()};
    for (int i = 0; i < 120; ++i) values.push_back(RandomValue(random_, TypeOf(field_)));
    const records::Column masked =
        ApplyMask(grant_->mask(grant_->by_field[field_]), ColumnOf(TypeOf(field_), values),
                  *world_.dataset, field_, "welfare", world_.pseudonyms);
    const auto shown = [&masked](size_t i) { return ScalarAt(masked, static_cast<int64_t>(i)); };
    const size_t begin = random_() % values.size();
    for (size_t i = begin; i < begin + values.size(); ++i) {
      const size_t first = i % values.size();
      for (size_t other = 0; other < values.size(); ++other)
        if (values[other] != values[first] && shown(other) == shown(first))
          return {values[first], values[other]};
    }
    ADD_FAILURE() << "no two values look alike under " << attack_.mask;
    return {};
  }

  Row RandomRow(int64_t number) {
    Row row = PersonRow(number);
    for (size_t field = 0; field < row.size(); ++field) {
      if (world_.dataset->key[0] == static_cast<int>(field)) continue;
      if (random_() % 3 == 0) row[field] = RandomValue(random_, TypeOf(static_cast<int>(field)));
      if (random_() % 8 == 0) row[field] = std::monostate();
    }
    row[4] = std::string(random_() % 2 == 0 ? "Dongcheng" : "Xicheng");
    return row;
  }

  void MakeTables() {
    int differ = 0;
    for (int i = 0; i < kRows; ++i) {
      Row row = RandomRow(i);
      if (attack_.field != "county") std::tie(row[field_], twin_) = Twins();
      Row twin = row;
      if (attack_.field != "county") twin[field_] = twin_;
      twin[9] = std::string("another secret");
      differ += row[field_] != twin[field_] ? 1 : 0;
      a_.push_back(row);
      b_.push_back(twin);
    }
    EXPECT_GT(differ, kRows / 2) << attack_.field << " " << attack_.mask;
    // And rows that the grant does not show at all.
    const auto hide = [this](Table& table, int64_t number) {
      Row row = RandomRow(number);
      row[4] = random_() % 3 == 0 ? Scalar() : Scalar(std::string("Hidden"));
      table.insert(table.begin() + static_cast<int64_t>(random_() % table.size()), row);
    };
    for (int i = 0; i < 4; ++i) hide(a_, 20 + i);
    hide(b_, -3);
  }

  // One that stands in a table, the same as masked, or any.
  Scalar Guess(int field) {
    for (int tries = 0; tries < 20; ++tries) {
      const Table& table = random_() % 2 == 0 ? a_ : b_;
      Scalar value = table[random_() % table.size()][field];
      if (random_() % 4 == 0) value = RandomValue(random_, TypeOf(field));
      if (std::holds_alternative<std::monostate>(value)) continue;
      if (attack_.knows_values || field != field_ || !Stands(value)) return value;
    }
    return Scalar();
  }
  bool Stands(const Scalar& value) const {
    const auto holds = [&](const Table& table) {
      return std::any_of(table.begin(), table.end(),
                         [&](const Row& row) { return row[field_] == value; });
    };
    return holds(a_) || holds(b_);
  }

  // As the field's type, or as the type in which its mask shows it.
  v1::Value GuessedValue(int field) {
    const Scalar value = Guess(field);
    if (std::holds_alternative<std::monostate>(value)) return TextValue("none");
    if (random_() % 3 != 0 || grant_->by_field[field] < 0) return ToProto(value, TypeOf(field));
    const int granted = grant_->by_field[field];
    const records::Column masked =
        ApplyMask(grant_->mask(granted), ColumnOf(TypeOf(field), {value}), *world_.dataset, field,
                  "welfare", world_.pseudonyms);
    if (masked.IsNull(0)) return ToProto(value, TypeOf(field));
    const Scalar shown = ScalarAt(masked, 0);
    if (field == field_ && !attack_.knows_values && Stands(shown)) return TextValue("none");
    return ToProto(shown, masked.type());
  }

  std::string Term(v1::QueryRequest& request, int depth) {
    static constexpr std::string_view kSigns[] = {"=", "=", "!=", "<", "<=", ">", ">="};
    switch (depth >= 3 ? 9 : random_() % 10) {
      case 0:
        return absl::StrCat("NOT ", Term(request, depth + 1));
      case 1:
      case 2:
        return absl::StrCat("(", Term(request, depth + 1), " OR ", Term(request, depth + 1), ")");
      case 3:
      case 4:
        return absl::StrCat("(", Term(request, depth + 1), " AND ", Term(request, depth + 1), ")");
      default:
        break;
    }
    // Mostly the field under attack.
    const int field = random_() % 3 != 0 ? field_ : static_cast<int>(random_() % 12);
    const std::string& name = world_.dataset->field(field).name();
    if (random_() % 8 == 0) return absl::StrCat(name, random_() % 2 == 0 ? " = null" : " != null");
    const std::string parameter = absl::StrCat("p", request.parameters_size());
    v1::ParameterValues& list = (*request.mutable_parameters())[parameter];
    *list.add_values() = GuessedValue(field);
    if (random_() % 5 == 0) {
      for (int i = 0; i < 4; ++i) *list.add_values() = GuessedValue(field);
      return absl::StrCat(name, " = $", parameter);
    }
    if (random_() % 6 == 0) return absl::StrCat("starts_with(", name, ", $", parameter, ")");
    return absl::StrCat(name, " ", std::string(kSigns[random_() % std::size(kSigns)]), " $",
                        parameter);
  }

  v1::QueryRequest NextRequest() {
    v1::QueryRequest request = world_.Request();
    if (random_() % 8 != 0) request.set_filter(Term(request, random_() % 2 == 0 ? 3 : 0));
    if (random_() % 2 == 0) request.set_page_size(static_cast<int>(1 + random_() % 9));
    for (int i = 0; i < 12 && random_() % 4 != 0; ++i) {
      const std::string& name = world_.dataset->field(static_cast<int>(random_() % 12)).name();
      const bool granted = grant_->by_field[*world_.dataset->IndexOf(name)] >= 0;
      const auto& asked = request.fields();
      if ((granted || random_() % 9 == 0) &&
          std::find(asked.begin(), asked.end(), name) == asked.end()) {
        request.add_fields(name);
      }
    }
    return request;
  }

  const Attack attack_;
  Random random_;
  PolicyWorld world_;
  GrantPtr grant_;
  int field_ = 0;
  Scalar twin_;
  Table a_, b_;
};

struct MaskedField {
  const char* field;
  const char* mask;
};
constexpr MaskedField kMasked[] = {{"id", "null"},
                                   {"id", "partial(1..1)"},
                                   {"name", "prefix(1)"},
                                   {"name", "partial(2..0)"},
                                   {"name", "null"},
                                   {"born", "date(year)"},
                                   {"born", "date(month)"},
                                   {"income", "bucket(1000)"},
                                   {"income", "bucket(0.5)"},
                                   {"points", "bucket(10)"},
                                   {"score", "bucket(1)"},
                                   {"seen", "date(month)"},
                                   {"visited", "date(year)"},
                                   {"active", "null"},
                                   {"photo", "null"}};

// Keys that are shown, and the masked field itself: then order and pages would betray it. A key has
// no float64 and no binary.
std::vector<std::string> KeysFor(const std::string& field) {
  std::vector<std::string> keys = {field == "points" ? "id" : "points"};
  if (field != "score" && field != "photo") keys.push_back(field);
  return keys;
}

void ExpectNothingLearnt(v1::MaskedFilter mode, bool knows_values, int least_permitted) {
  uint64_t seed = 1;
  int permitted = 0;
  for (const MaskedField& masked : kMasked) {
    const bool null = std::string_view(masked.mask) == "null";
    if (null && mode == v1::MASKED_FILTER_MASKED_VALUE) continue;  // no such grant
    for (const std::string& key : KeysFor(masked.field)) {
      Attacker attacker({masked.field, masked.mask, mode, key, knows_values}, ++seed);
      std::string told;
      const int answered = attacker.Run(kSanitized ? 30 : 150, &told);
      ASSERT_GE(answered, 0) << masked.field << " " << masked.mask << " key " << key << "\n"
                             << told;
      permitted += answered;
    }
  }
  EXPECT_GT(permitted, kSanitized ? least_permitted / 5 : least_permitted);
}

TEST(Bisection, AFieldThatMayNotBeFilteredOnTellsOnlyItsMaskedValue) {
  ExpectNothingLearnt(v1::MASKED_FILTER_UNSPECIFIED, true, 300);
}

TEST(Bisection, AFilterOnTheMaskedValueTellsOnlyTheMaskedValue) {
  ExpectNothingLearnt(v1::MASKED_FILTER_MASKED_VALUE, true, 500);
}

TEST(Bisection, AnExactFilterTellsNothingToWhoeverDoesNotKnowTheValue) {
  ExpectNothingLearnt(v1::MASKED_FILTER_EXACT, false, 300);
}

// The same attack finds what is not hidden: it could find a leak.
TEST(Bisection, TheAttackFindsAValueThatAnExactFilterMayAskFor) {
  std::string told;
  int found = 0;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Attacker attacker({"name", "prefix(1)", v1::MASKED_FILTER_EXACT, "points", true}, seed);
    found += attacker.Run(400, &told) < 0 ? 1 : 0;
  }
  EXPECT_GT(found, 0);
}

TEST(Bisection, TheOrderOfAHiddenKeyIsNotTheRowsOrder) {
  v1::Dataset definition = PersonsDefinition();
  definition.set_key(0, "id");
  PolicyWorld world(definition);
  v1::Grant grant = GrantDefinition();
  MaskField(grant, "id", "partial(3..4)");
  world.Add(grant);
  Table up, down;
  for (int i = 0; i < 6; ++i) {
    up.push_back(PersonRow(i));
    down.push_back(PersonRow(i));
    up[i][0] = absl::StrCat("110", i, "00000");
    down[i][0] = absl::StrCat("110", 9 - i, "00000");
  }
  v1::QueryRequest request = world.Request();
  EXPECT_EQ(world.Answer(request, up), world.Answer(request, down));
  // No page may end in between either.
  request.set_page_size(3);
  EXPECT_EQ(world.Answer(request, up), "ORDER_NOT_GRANTED");
  EXPECT_EQ(world.Answer(request, down), "ORDER_NOT_GRANTED");
}

// A pseudonym tells which values are equal, and nothing else of them.
TEST(Bisection, PseudonymsTellOnlyWhichValuesAreEqual) {
  for (const v1::MaskedFilter mode :
       {v1::MASKED_FILTER_UNSPECIFIED, v1::MASKED_FILTER_MASKED_VALUE}) {
    PolicyWorld world;
    v1::Grant grant = GrantDefinition();
    MaskField(grant, "name", "pseudonym", mode);
    world.Add(grant);
    Random random(17);
    Table a, b;
    for (int i = 0; i < 8; ++i) {
      a.push_back(PersonRow(i));
      b.push_back(PersonRow(i));
      a[i][1] = absl::StrCat("Name", i % 5);
      b[i][1] = absl::StrCat("Name", 9 - i % 5, "x");
    }
    // Pseudonyms by the order of their first appearance.
    const auto plain = [](std::string answer) {
      std::map<std::string, int> numbers;
      const std::string mark = "string_value: \"";
      for (size_t at = answer.find(mark); at != std::string::npos;
           at = answer.find(mark, at + mark.size())) {
        const size_t begin = at + mark.size();
        const std::string text = answer.substr(begin, answer.find('"', begin) - begin);
        if (text.size() != 32 || text.find_first_not_of("0123456789abcdef") != std::string::npos)
          continue;
        const int number = numbers.emplace(text, numbers.size()).first->second;
        answer.replace(begin, 32, absl::StrCat("#", number));
      }
      return answer;
    };
    int permitted = 0;
    for (int round = 0; round < 400; ++round) {
      static constexpr std::string_view kTerms[] = {"name = $p",
                                                    "name != $p",
                                                    "NOT (name = $p)",
                                                    "starts_with(name, $p)",
                                                    "name = $q",
                                                    "name = $p OR points > 3",
                                                    "name = null AND name != $p"};
      v1::QueryRequest request = world.Request(std::string(kTerms[random() % std::size(kTerms)]));
      const auto raw = [&] {
        return TextValue(std::get<std::string>((random() % 2 ? a : b)[random() % 8][1]));
      };
      const bool list = request.filter().find("$q") != std::string::npos;
      if (list) PolicyWorld::Bind(request, "q", {raw(), raw(), raw()});
      if (!list) PolicyWorld::Bind(request, "p", {raw()});
      if (random() % 2 == 0) request.set_page_size(1 + static_cast<int>(random() % 5));
      const std::string told = plain(world.Answer(request, a));
      ASSERT_EQ(told, plain(world.Answer(request, b))) << request.DebugString();
      permitted += world.Refusal(request) == v1::REASON_UNSPECIFIED ? 1 : 0;
    }
    EXPECT_EQ(permitted, mode == v1::MASKED_FILTER_UNSPECIFIED ? 0 : 400);
  }
}

// Errors are told before any row is read, and so by the request and the grant alone.
TEST(Bisection, NoErrorDependsOnTheRows) {
  PolicyWorld world;
  v1::Grant grant = GrantDefinition();
  MaskField(grant, "id", "partial(3..4)");
  MaskField(grant, "income", "bucket(1000)", v1::MASKED_FILTER_EXACT);
  world.Add(grant);
  for (const char* filter : {"id = $x", "secret = $x", "income > $x", "income = 1", "points = $x",
                             "points =", "nobody = $x", "starts_with(points, $x)"}) {
    v1::QueryRequest request = world.Request(filter);
    PolicyWorld::Bind(request, "x", {TextValue("secret1")});
    const std::string none = world.Answer(request, {});
    EXPECT_NE(world.Refusal(request), v1::REASON_UNSPECIFIED) << filter;
    EXPECT_EQ(none, world.Answer(request, {PersonRow(1), PersonRow(2)})) << filter;
  }
}

}  // namespace
}  // namespace sluice::policy
