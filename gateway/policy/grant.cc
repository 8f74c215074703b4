#include "gateway/policy/grant.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/catalogue/names.h"
#include "gateway/policy/filter.h"
#include "gateway/policy/match.h"
#include "gateway/records/utf8.h"

namespace sluice::policy {
namespace {

constexpr size_t kMaxText = 4096;
constexpr size_t kMaxWords = 2000;
// No zone lies further from UTC.
constexpr int kMostEast = 14 * 60;
constexpr int kMostWest = -12 * 60;

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

// Notes every mistake of a definition; nothing stops at the first.
class GrantChecker {
 public:
  GrantChecker(const v1::Grant& definition, catalogue::DatasetPtr dataset)
      : definition_(definition), dataset_(std::move(dataset)) {}

  absl::StatusOr<GrantPtr> Run() {
    grant_->definition = definition_;
    grant_->dataset = dataset_;
    grant_->by_field.assign(dataset_->schema->size(), -1);
    Dataset();
    Consumer();
    Basis();
    Fields();
    RowFilter();
    Modes();
    Match();
    Limits();
    Terms();
    Period();
    if (!status_.ok()) return status_;
    Derive();
    return std::move(grant_);
  }

 private:
  void Fail(std::string_view path, std::string_view mistake) {
    if (status_.ok()) status_ = Error(v1::REASON_DEFINITION_INVALID, "the grant has mistakes.");
    AddFieldViolation(status_, path, mistake);
  }

  void Dataset() {
    if (definition_.dataset() != dataset_->definition.name()) {
      Fail("dataset", "is not the name of the dataset that the grant is for");
    }
    if (dataset_->definition.sharing() == v1::SHARING_ATTRIBUTE_WITHHELD) {
      Fail("dataset", "the dataset is withheld by law: no grant can be given");
    }
  }

  // Codes, each once.
  void Codes(std::string_view path, const google::protobuf::RepeatedPtrField<std::string>& codes) {
    std::set<std::string_view> seen;
    for (int i = 0; i < codes.size(); ++i) {
      const std::string place = absl::StrCat(View(path), "[", i, "]");
      if (!catalogue::IsCode(codes[i])) {
        Fail(place, absl::StrCat("expected ", View(catalogue::kCodeForm)));
      } else if (!seen.insert(codes[i]).second) {
        Fail(place, "stands there twice");
      }
    }
  }

  void Consumer() {
    if (!catalogue::IsCode(definition_.consumer_agency())) {
      Fail("consumer_agency",
           absl::StrCat("expected the agency's id, ", View(catalogue::kCodeForm)));
    }
    Codes("systems", definition_.systems());
    Codes("purposes", definition_.purposes());
    if (definition_.purposes().empty()) Fail("purposes", "expected at least one");
    const auto& allowed = dataset_->definition.purposes();
    for (int i = 0; i < definition_.purposes_size(); ++i) {
      const std::string& purpose = definition_.purposes(i);
      if (catalogue::IsCode(purpose) &&
          std::find(allowed.begin(), allowed.end(), purpose) == allowed.end()) {
        Fail(absl::StrCat("purposes[", i, "]"), "the dataset does not list this purpose");
      }
    }
  }

  void Basis() {
    const v1::LegalBasis& basis = definition_.basis();
    if (basis.law().empty()) Fail("basis.law", "expected the law that allows the grant");
    if (basis.article().empty()) Fail("basis.article", "expected the article of that law");
    for (const auto& [path, text] :
         {std::pair("basis.law", &basis.law()), std::pair("basis.article", &basis.article()),
          std::pair("basis.text", &basis.text())}) {
      if (text->size() > kMaxText)
        Fail(path, absl::StrCat("expected at most ", kMaxText, " bytes"));
    }
  }

  void Fields() {
    if (definition_.fields().empty()) Fail("fields", "expected at least one");
    for (int i = 0; i < definition_.fields_size(); ++i) {
      const std::string path = absl::StrCat("fields[", i, "]");
      const auto index = dataset_->IndexOf(definition_.fields(i).name());
      grant_->granted.push_back(index.value_or(-1));
      if (!index) {
        Fail(absl::StrCat(path, ".name"), "the dataset has no such field");
        continue;
      }
      if (grant_->by_field[*index] >= 0) {
        Fail(absl::StrCat(path, ".name"), "stands there twice");
        continue;
      }
      grant_->by_field[*index] = i;
      Field(definition_.fields(i), *index, path);
    }
  }

  void Field(const v1::GrantedField& field, int index, const std::string& path) {
    const v1::Mask& floor = dataset_->field(index).least_mask();
    const absl::Status fits =
        catalogue::MaskFits(field.mask(), dataset_->schema->field(index).type);
    if (!fits.ok()) {
      Fail(absl::StrCat(path, ".mask"), MessageOf(fits));
    } else if (!catalogue::AtLeastAsStrict(field.mask(), floor)) {
      Fail(absl::StrCat(path, ".mask"),
           absl::StrCat("the dataset demands at least ", catalogue::FormatMask(floor)));
    }
    const bool unmasked = catalogue::IsNone(field.mask());
    if (!v1::MaskedFilter_IsValid(field.filter())) {
      Fail(absl::StrCat(path, ".filter"), "expected exact or masked_value");
    } else if (unmasked && field.filter() != v1::MASKED_FILTER_UNSPECIFIED) {
      Fail(absl::StrCat(path, ".filter"), "is for masked fields: others are filtered as they are");
    } else if (field.mask().kind() == v1::MASK_KIND_NULL &&
               field.filter() == v1::MASKED_FILTER_MASKED_VALUE) {
      Fail(absl::StrCat(path, ".filter"), "a value masked as null has nothing to filter on");
    }
  }

  // The owner's own filter: every field, as it is.
  void RowFilter() {
    FilterContext context;
    context.dataset = dataset_.get();
    context.rule = [](int) { return FilterRule::kAny; };
    auto bound = BindFilter(definition_.row_filter(), Parameters(), context);
    if (bound.ok()) {
      grant_->row_filter = std::move(bound->predicate);
      return;
    }
    std::string path = "row_filter";
    if (const auto info = ErrorInfoOf(bound.status()); info) {
      const auto position = info->metadata().find("position");
      if (position != info->metadata().end()) absl::StrAppend(&path, ":", position->second);
    }
    // A filter of consumers would pass the value as a parameter; a row filter has none.
    if (ReasonOf(bound.status()) == v1::REASON_FILTER_LITERAL_NOT_ALLOWED) {
      return Fail(path,
                  "a value of a field of class L3 or above, or of one that names data subjects, "
                  "cannot stand in a row filter");
    }
    Fail(path, MessageOf(bound.status()));
  }

  void Modes() {
    if (definition_.modes().empty())
      Fail("modes", "expected at least one: query, read, match or count");
    std::set<int> seen;
    for (int i = 0; i < definition_.modes_size(); ++i) {
      const std::string path = absl::StrCat("modes[", i, "]");
      if (definition_.modes(i) == v1::MODE_UNSPECIFIED || !v1::Mode_IsValid(definition_.modes(i))) {
        Fail(path, "expected query, read, match or count");
      } else if (!seen.insert(definition_.modes(i)).second) {
        Fail(path, "stands there twice");
      }
    }
  }

  bool Has(v1::Mode mode) const {
    const auto& modes = definition_.modes();
    return std::find(modes.begin(), modes.end(), mode) != modes.end();
  }

  // What Match needs is there, and nothing of it where the mode is not granted.
  void Match() {
    bool finds = false, compares = false, any = definition_.match_tells_fields();
    for (int i = 0; i < definition_.fields_size(); ++i) {
      const v1::GrantedField& field = definition_.fields(i);
      if (field.match() == v1::MATCH_RULE_UNSPECIFIED) {
        if (field.finds()) Fail(absl::StrCat("fields[", i, "].finds"), "say by which rule: match");
        continue;
      }
      any = true;
      (field.finds() ? finds : compares) = true;
      const int index = grant_->granted[i];
      if (index >= 0 &&
          !RuleFits(field.match(), field.finds(), dataset_->schema->field(index).type)) {
        Fail(absl::StrCat("fields[", i, "].match"),
             field.finds() ? "records cannot be found by this rule and type: exact, or id_number "
                             "or phone on utf8"
                           : "does not fit the field's type: name, id_number and phone compare "
                             "utf8, date compares utf8 and date32, and float64 cannot be compared");
      }
    }
    if (!Has(v1::MODE_MATCH)) {
      if (any) Fail("modes", "fields have rules to match by, and match is not among the modes");
      if (definition_.quota().misses_per_day() != 0 || definition_.quota().tries_per_record() != 0)
        Fail("modes", "the quota counts misses or tries, and match is not among the modes");
      return;
    }
    if (!finds) Fail("fields", "match needs a field that finds the record: match and finds");
    if (!compares) Fail("fields", "match needs a field to compare: match without finds");
    if (definition_.quota().misses_per_day() == 0)
      Fail("quota.misses_per_day",
           "needed for match: how many answers a day may be no, so that nobody guesses on");
  }

  void Words(std::string_view path, const std::string& text) {
    if (text.size() > kMaxWords || !records::ValidUtf8(text))
      Fail(path, absl::StrCat("expected at most ", kMaxWords, " bytes of UTF-8"));
  }

  // What a person reads of the grant, and what it answers on.
  void Terms() {
    Words("scope", definition_.scope());
    const v1::Duties& duties = definition_.duties();
    Codes("duties.may_pass_on_to", duties.may_pass_on_to());
    Words("duties.other", duties.other());
    if (duties.destroy_within_days() < 0) Fail("duties.destroy_within_days", "expected 0 or more");
    if (duties.has_destroy_by()) {
      Time("duties.destroy_by", duties.destroy_by());
      if (duties.destroy_within_days() > 0)
        Fail("duties.destroy_within_days", "say one of both: a day, or days after each answer");
    }
    auto conditions = Conditions::Make(definition_.conditions());
    if (conditions.ok()) {
      grant_->conditions = *std::move(conditions);
    } else {
      const auto mistakes = BadRequestOf(conditions.status());
      for (const auto& mistake : mistakes->field_violations())
        Fail(absl::StrCat("conditions.", mistake.field()), mistake.description());
    }
    if (definition_.least_group() != 0 && !Has(v1::MODE_COUNT))
      Fail("least_group", "is for count, which is not among the modes");
    if (definition_.least_group() < 0 || definition_.least_group() == 1)
      Fail("least_group", "expected 2 or more; left out, 10");
  }

  void Limits() {
    if (definition_.max_page_rows() < 0) Fail("max_page_rows", "expected 0 or more");
    const v1::Quota& quota = definition_.quota();
    if (quota.calls_per_minute() < 0) Fail("quota.calls_per_minute", "expected 0 or more");
    if (quota.rows_per_day() < 0) Fail("quota.rows_per_day", "expected 0 or more");
    if (quota.rows_total() < 0) Fail("quota.rows_total", "expected 0 or more");
    if (quota.misses_per_day() < 0) Fail("quota.misses_per_day", "expected 0 or more");
    if (quota.tries_per_record() < 0) Fail("quota.tries_per_record", "expected 0 or more");
    if (quota.day_offset_minutes() < kMostWest || quota.day_offset_minutes() > kMostEast) {
      Fail("quota.day_offset_minutes", "expected minutes east of UTC, -720 to 840");
    }
    if (!v1::GrantState_IsValid(definition_.state())) Fail("state", "is not one that there is");
  }

  // In microseconds; nothing where it is out of the years that a Timestamp has.
  std::optional<Micros> Time(std::string_view path, const google::protobuf::Timestamp& time) {
    constexpr int64_t kFirst = records::kMinTimestamp / kSecond;
    constexpr int64_t kLast = records::kMaxTimestamp / kSecond;
    if (time.seconds() < kFirst || time.seconds() > kLast || time.nanos() < 0 ||
        time.nanos() > 999'999'999) {
      Fail(path, "expected a time in years 1 to 9999");
      return std::nullopt;
    }
    return time.seconds() * kSecond + time.nanos() / 1000;
  }

  void Period() {
    std::optional<Micros> begins, ends;
    if (definition_.has_not_before()) begins = Time("not_before", definition_.not_before());
    if (definition_.has_expires()) {
      ends = Time("expires", definition_.expires());
    } else {
      Fail("expires", "a grant ends: say when");
    }
    if (begins && ends && *ends <= *begins) Fail("expires", "the grant would end before it begins");
    grant_->begins = begins.value_or(std::numeric_limits<Micros>::min());
    grant_->ends = ends.value_or(0);
  }

  void Derive() {
    std::vector<records::Field> fields;
    for (size_t i = 0; i < grant_->granted.size(); ++i) {
      records::Field field = dataset_->schema->field(grant_->granted[i]);
      const v1::Mask& mask = grant_->mask(static_cast<int>(i));
      field.type = catalogue::MaskedType(mask, field.type);
      // A bucket of what is no number is null, and so is what a mask of null leaves.
      if (!catalogue::IsNone(mask)) field.nullable = true;
      fields.push_back(std::move(field));
    }
    grant_->schema = std::make_shared<const records::Schema>(std::move(fields));
    for (size_t i = 0; i < grant_->by_field.size(); ++i) {
      if (grant_->by_field[i] < 0) grant_->left_out.push_back(dataset_->schema->field(i).name);
    }
    grant_->key_visible =
        !dataset_->key.empty() &&
        std::all_of(dataset_->key.begin(), dataset_->key.end(), [this](int field) {
          const int granted = grant_->by_field[field];
          return granted >= 0 && catalogue::IsNone(grant_->mask(granted));
        });
  }

  const v1::Grant& definition_;
  const catalogue::DatasetPtr dataset_;
  std::shared_ptr<Grant> grant_ = std::make_shared<Grant>();
  absl::Status status_;
};

}  // namespace

const v1::Mask& Grant::mask(int granted_index) const {
  return definition.fields(granted_index).mask();
}

bool ShowsRows(const v1::Grant& definition) {
  return std::any_of(definition.modes().begin(), definition.modes().end(),
                     [](int mode) { return mode == v1::MODE_QUERY || mode == v1::MODE_READ; });
}

absl::StatusOr<GrantPtr> Compile(const v1::Grant& definition, catalogue::DatasetPtr dataset) {
  return GrantChecker(definition, std::move(dataset)).Run();
}

}  // namespace sluice::policy
