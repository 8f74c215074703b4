// Filter text of any bytes over fields of every type: the first byte chooses how the fields may be
// filtered on. What binds names only fields that there are, and says what it asks about.
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/check.h"
#include "gateway/policy/filter.h"
#include "gateway/records/predicate.h"

namespace sluice::policy {
namespace {

constexpr size_t kMostBytes = 64 << 10;

catalogue::DatasetPtr MakeDataset() {
  v1::Dataset dataset;
  dataset.set_name("fuzz/all");
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_CONDITIONAL);
  dataset.add_purposes("fuzz");
  dataset.set_source("fuzz");
  for (int type = v1::FieldType_MIN + 1; type <= v1::FieldType_MAX; ++type) {
    if (!v1::FieldType_IsValid(type)) continue;
    v1::DatasetField& field = *dataset.add_fields();
    field.set_name("f" + std::to_string(type));
    field.mutable_type()->set_type(static_cast<v1::FieldType>(type));
    if (type == v1::FIELD_TYPE_DECIMAL128) {
      field.mutable_type()->set_precision(12);
      field.mutable_type()->set_scale(2);
    }
    field.set_field_class(type % 2 == 0 ? v1::FIELD_CLASS_L1_OPEN : v1::FIELD_CLASS_L3_PERSONAL);
  }
  v1::DatasetField& id = *dataset.add_fields();
  id.set_name("id_number");
  id.mutable_type()->set_type(v1::FIELD_TYPE_UTF8);
  id.set_field_class(v1::FIELD_CLASS_L4_HIGHLY_SENSITIVE);
  id.set_subject("CN-RID");
  dataset.set_time_zone("Asia/Shanghai");
  auto compiled = catalogue::Compile(dataset);
  SLUICE_CHECK(compiled.ok());
  return *std::move(compiled);
}

void Bind(uint8_t choice, std::string_view text) {
  static const auto* const dataset = new catalogue::DatasetPtr(MakeDataset());
  static const auto* const values = [] {
    auto* const made = new std::map<std::string, v1::ParameterValues>();
    (*made)["id"].add_values()->set_string_value("990101199001013018");
    (*made)["n"].add_values()->set_int64_value(7);
    for (const char* word : {"a", "b", "c"}) (*made)["list"].add_values()->set_string_value(word);
    return made;
  }();
  Parameters parameters;
  for (const auto& [name, list] : *values) parameters.emplace(name, &list);
  const int width = static_cast<int>((*dataset)->schema->size());
  FilterContext context;
  context.dataset = dataset->get();
  static constexpr FilterRule kRules[] = {FilterRule::kAny, FilterRule::kExact,
                                          FilterRule::kMaskedValue, FilterRule::kNotAllowed,
                                          FilterRule::kNotGranted};
  context.rule = [choice](int field) { return kRules[(choice / 2 + field) % 5]; };
  context.masked_column = [](int field) { return field; };
  context.masked_type = [&](int field) { return (*dataset)->schema->field(field).type; };
  context.sensitive_literals = choice % 2 == 1;
  const auto bound = BindFilter(text, parameters, context);
  const AskedAbout asked = ReadAsked(text, parameters, **dataset);
  for (const auto& one : asked.asked) SLUICE_CHECK(one.field >= 0 && one.field < width);
  if (!bound.ok()) return;
  for (const int field : records::FieldsOf(bound->predicate))
    SLUICE_CHECK(field >= 0 && field < 2 * width);
}

}  // namespace
}  // namespace sluice::policy

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1 || size > sluice::policy::kMostBytes) return 0;
  sluice::policy::Bind(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
