#include "gateway/policy/grant.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/filter.h"

namespace sluice::policy {
namespace {

// Collects every mistake of a definition.
class Mistakes {
 public:
  void Add(std::string_view path, std::string_view mistake) { AddFieldViolation(status_, path, mistake), any_ = true; }
  bool any() const { return any_; }
  absl::Status status() const { return status_; }

 private:
  absl::Status status_ = Error(v1::REASON_DEFINITION_INVALID, "the grant has mistakes.");
  bool any_ = false;
};

Micros ToMicros(const google::protobuf::Timestamp& time) {
  return time.seconds() * kSecond + time.nanos() / 1000;
}

void CheckField(const v1::GrantedField& granted, const v1::DatasetField& field,
                const records::DataType& type, const std::string& path, Mistakes& mistakes) {
  if (const absl::Status fits = catalogue::MaskFits(granted.mask(), type); !fits.ok())
    mistakes.Add(path + ".mask", std::string(fits.message()));
  if (field.has_least_mask() &&
      !catalogue::AtLeastAsStrict(granted.mask(), field.least_mask())) {
    mistakes.Add(path + ".mask",
                 absl::StrCat("shows more than the dataset allows: at least ",
                              catalogue::FormatMask(field.least_mask()), " is needed"));
  }
  const bool as_it_is = catalogue::IsNone(granted.mask());
  if (granted.filter() == v1::MASKED_FILTER_EXACT && as_it_is)
    mistakes.Add(path + ".filter", "is for masked fields; this one may be filtered on as it is");
  if (granted.filter() == v1::MASKED_FILTER_MASKED_VALUE &&
      (as_it_is || granted.mask().kind() == v1::MASK_KIND_NULL)) {
    mistakes.Add(path + ".filter", "there is no masked value to filter on");
  }
  if (!v1::MaskedFilter_IsValid(granted.filter())) mistakes.Add(path + ".filter", "is unknown");
}

void CheckFields(const v1::Grant& definition, Grant& grant, Mistakes& mistakes) {
  if (definition.fields().empty()) mistakes.Add("fields", "must name at least one field");
  grant.by_field.assign(grant.dataset->schema->size(), -1);
  for (int i = 0; i < definition.fields_size(); ++i) {
    const v1::GrantedField& granted = definition.fields(i);
    const std::string path = absl::StrCat("fields[", i, "]");
    const auto index = grant.dataset->IndexOf(granted.name());
    if (!index) {
      mistakes.Add(path + ".name", absl::StrCat("the dataset has no field ", granted.name()));
      grant.granted.push_back(0);
      continue;
    }
    if (grant.by_field[*index] >= 0) mistakes.Add(path + ".name", "is named twice");
    grant.by_field[*index] = i;
    grant.granted.push_back(*index);
    CheckField(granted, grant.dataset->field(*index), grant.dataset->schema->field(*index).type,
               path, mistakes);
  }
}

void CheckTerms(const v1::Grant& definition, Mistakes& mistakes) {
  if (definition.purposes().empty()) mistakes.Add("purposes", "must name at least one purpose");
  if (definition.basis().law().empty() || definition.basis().article().empty())
    mistakes.Add("basis", "must cite law and article");
  if (!definition.has_expires()) {
    mistakes.Add("expires", "is needed: a grant ends");
  } else if (definition.has_not_before() &&
             ToMicros(definition.expires()) <= ToMicros(definition.not_before())) {
    mistakes.Add("expires", "must be later than not_before");
  }
  if (definition.modes().empty()) mistakes.Add("modes", "must name at least one mode");
  for (int i = 0; i < definition.modes_size(); ++i) {
    if (definition.modes(i) != v1::MODE_QUERY)
      mistakes.Add(absl::StrCat("modes[", i, "]"), "is unknown; there is: query");
  }
  if (definition.max_page_rows() < 0) mistakes.Add("max_page_rows", "must not be negative");
  const v1::Quota& quota = definition.quota();
  if (quota.calls_per_minute() < 0 || quota.rows_per_day() < 0 || quota.rows_total() < 0)
    mistakes.Add("quota", "must not be negative");
  if (quota.day_offset_minutes() < -14 * 60 || quota.day_offset_minutes() > 14 * 60)
    mistakes.Add("quota.day_offset_minutes", "must lie between -14:00 and +14:00");
}

// The row filter is the owner's: it may read every field, but no literal of a sensitive one, so that
// its text can be shown.
void BindRows(const v1::Grant& definition, Grant& grant, Mistakes& mistakes) {
  FilterContext context;
  context.dataset = grant.dataset.get();
  context.rule = [](int) { return FilterRule::kAny; };
  auto bound = BindFilter(definition.row_filter(), {}, context);
  if (bound.ok()) {
    grant.row_filter = std::move(bound->predicate);
  } else {
    mistakes.Add("row_filter", std::string(bound.status().message()));
  }
}

}  // namespace

const v1::Mask& Grant::mask(int granted_index) const {
  return definition.fields(granted_index).mask();
}

absl::StatusOr<GrantPtr> Compile(const v1::Grant& definition, catalogue::DatasetPtr dataset) {
  auto grant = std::make_shared<Grant>();
  grant->definition = definition;
  grant->dataset = std::move(dataset);
  Mistakes mistakes;
  if (grant->dataset->definition.sharing() == v1::SHARING_ATTRIBUTE_WITHHELD)
    mistakes.Add("dataset", "is withheld by law and can be granted to nobody");
  CheckFields(definition, *grant, mistakes);
  CheckTerms(definition, mistakes);
  BindRows(definition, *grant, mistakes);
  if (mistakes.any()) return mistakes.status();

  grant->key_visible = true;
  for (int field : grant->dataset->key) {
    const int granted = grant->by_field[field];
    if (granted < 0 || !catalogue::IsNone(grant->mask(granted))) grant->key_visible = false;
  }
  std::vector<records::Field> output;
  for (int i = 0; i < definition.fields_size(); ++i) {
    records::Field field = grant->dataset->schema->field(grant->granted[i]);
    field.type = catalogue::MaskedType(grant->mask(i), field.type);
    field.nullable = field.nullable || grant->mask(i).kind() == v1::MASK_KIND_NULL;
    output.push_back(std::move(field));
  }
  grant->whole_schema = std::make_shared<const records::Schema>(std::move(output));
  return grant;
}

}  // namespace sluice::policy
