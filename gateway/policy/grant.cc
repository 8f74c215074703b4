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

namespace sluice::policy {
namespace {

constexpr size_t kMaxText = 4096;
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
    Limits();
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
    if (definition_.modes().empty()) Fail("modes", "expected at least one: query or read");
    std::set<int> seen;
    for (int i = 0; i < definition_.modes_size(); ++i) {
      const std::string path = absl::StrCat("modes[", i, "]");
      if (definition_.modes(i) == v1::MODE_UNSPECIFIED || !v1::Mode_IsValid(definition_.modes(i))) {
        Fail(path, "expected query or read");
      } else if (!seen.insert(definition_.modes(i)).second) {
        Fail(path, "stands there twice");
      }
    }
  }

  void Limits() {
    if (definition_.max_page_rows() < 0) Fail("max_page_rows", "expected 0 or more");
    const v1::Quota& quota = definition_.quota();
    if (quota.calls_per_minute() < 0) Fail("quota.calls_per_minute", "expected 0 or more");
    if (quota.rows_per_day() < 0) Fail("quota.rows_per_day", "expected 0 or more");
    if (quota.rows_total() < 0) Fail("quota.rows_total", "expected 0 or more");
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

absl::StatusOr<GrantPtr> Compile(const v1::Grant& definition, catalogue::DatasetPtr dataset) {
  return GrantChecker(definition, std::move(dataset)).Run();
}

}  // namespace sluice::policy
