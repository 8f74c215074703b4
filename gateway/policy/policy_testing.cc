#include "gateway/policy/policy_testing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/apply.h"
#include "gateway/records/row_batch.h"

namespace sluice::policy {
namespace {

using records::Column;
using records::ColumnBuilder;
using records::RecordBatch;
using records::Scalar;
using records::TypeId;

void AddField(v1::Dataset& dataset, std::string_view name, v1::FieldType type,
              v1::FieldClass field_class) {
  v1::DatasetField& field = *dataset.add_fields();
  field.set_name(std::string(name));
  field.mutable_type()->set_type(type);
  field.set_field_class(field_class);
}

void Append(ColumnBuilder& builder, const Scalar& value) {
  if (std::holds_alternative<std::monostate>(value)) return builder.AppendNull();
  switch (builder.type().id) {
    case TypeId::kBool:
      return builder.AppendBool(std::get<bool>(value));
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return builder.AppendInt64(std::get<int64_t>(value));
    case TypeId::kFloat64:
      return builder.AppendFloat64(std::get<double>(value));
    case TypeId::kDecimal128:
      return builder.AppendDecimal(std::get<records::Decimal128>(value));
    case TypeId::kDate32:
      return builder.AppendDate32(std::get<int32_t>(value));
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return builder.AppendBytes(std::get<std::string>(value));
  }
}

}  // namespace

v1::Dataset PersonsDefinition() {
  constexpr auto kL1 = v1::FIELD_CLASS_L1_OPEN;
  constexpr auto kL2 = v1::FIELD_CLASS_L2_INTERNAL;
  constexpr auto kL3 = v1::FIELD_CLASS_L3_PERSONAL;
  constexpr auto kL4 = v1::FIELD_CLASS_L4_HIGHLY_SENSITIVE;
  v1::Dataset dataset;
  dataset.set_name("police/persons");
  dataset.set_revision(3);
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_CONDITIONAL);
  dataset.add_purposes("relief");
  dataset.add_purposes("census");
  dataset.set_source("register");
  dataset.set_table("resident");
  dataset.set_time_zone("Asia/Shanghai");
  AddField(dataset, "id", v1::FIELD_TYPE_UTF8, kL4);
  dataset.mutable_fields(0)->set_subject("CN-RID");
  AddField(dataset, "name", v1::FIELD_TYPE_UTF8, kL3);
  AddField(dataset, "born", v1::FIELD_TYPE_DATE32, kL3);
  AddField(dataset, "income", v1::FIELD_TYPE_DECIMAL128, kL3);
  dataset.mutable_fields(3)->mutable_type()->set_precision(12);
  dataset.mutable_fields(3)->mutable_type()->set_scale(2);
  AddField(dataset, "county", v1::FIELD_TYPE_UTF8, kL2);
  AddField(dataset, "points", v1::FIELD_TYPE_INT64, kL1);
  AddField(dataset, "score", v1::FIELD_TYPE_FLOAT64, kL2);
  AddField(dataset, "seen", v1::FIELD_TYPE_TIMESTAMP_UTC, kL2);
  AddField(dataset, "active", v1::FIELD_TYPE_BOOL, kL1);
  AddField(dataset, "secret", v1::FIELD_TYPE_UTF8, kL4);
  AddField(dataset, "photo", v1::FIELD_TYPE_BINARY, kL2);
  AddField(dataset, "visited", v1::FIELD_TYPE_TIMESTAMP_LOCAL, kL2);
  dataset.add_key("points");
  return dataset;
}

catalogue::DatasetPtr MustCompile(const v1::Dataset& definition) {
  auto dataset = catalogue::Compile(definition);
  SLUICE_CHECK(dataset.ok());
  return *std::move(dataset);
}

v1::Mask MaskOf(std::string_view text) {
  const auto mask = catalogue::ParseMask(text);
  SLUICE_CHECK(mask.ok());
  return *mask;
}

v1::Grant GrantDefinition(std::string_view id) {
  v1::Grant grant;
  grant.set_id(std::string(id));
  grant.set_revision(1);
  grant.set_dataset("police/persons");
  grant.set_consumer_agency("welfare");
  grant.add_purposes("relief");
  grant.mutable_basis()->set_law("Law on Relief");
  grant.mutable_basis()->set_article("7");
  const v1::Dataset dataset = PersonsDefinition();
  for (const auto& field : dataset.fields())
    if (field.name() != "secret") grant.add_fields()->set_name(field.name());
  grant.add_modes(v1::MODE_QUERY);
  grant.mutable_expires()->set_seconds((kTestNow + 30 * kDay) / kSecond);
  grant.set_state(v1::GRANT_STATE_IN_FORCE);
  return grant;
}

v1::GrantedField& FieldOf(v1::Grant& grant, std::string_view name) {
  for (v1::GrantedField& field : *grant.mutable_fields())
    if (field.name() == name) return field;
  SLUICE_CHECK(false);
}

void LeaveOut(v1::Grant& grant, std::string_view name) {
  for (int i = 0; i < grant.fields_size(); ++i) {
    if (grant.fields(i).name() == name) {
      grant.mutable_fields()->DeleteSubrange(i, 1);
      return;
    }
  }
  SLUICE_CHECK(false);
}

void MaskField(v1::Grant& grant, std::string_view name, std::string_view mask,
               v1::MaskedFilter filter) {
  v1::GrantedField& field = FieldOf(grant, name);
  *field.mutable_mask() = MaskOf(mask);
  field.set_filter(filter);
}

v1::Value TextValue(std::string_view text) {
  v1::Value value;
  value.set_string_value(std::string(text));
  return value;
}

v1::Value IntValue(int64_t number) {
  v1::Value value;
  value.set_int64_value(number);
  return value;
}

Column ColumnOf(const records::DataType& type, const std::vector<Scalar>& values) {
  ColumnBuilder builder(type);
  for (const Scalar& value : values) Append(builder, value);
  return builder.Finish();
}

Row PersonRow(int64_t seed) {
  const std::string number = absl::StrCat(seed);
  return {absl::StrCat("110101199003", 100000 + seed),
          absl::StrCat("Name", number),
          static_cast<int32_t>(seed * 400 - 3000),
          records::Decimal128{seed * 12345 - 50000},
          std::string(seed % 2 == 0 ? "Dongcheng" : "Xicheng"),
          seed,
          static_cast<double>(seed) / 4 - 1,
          seed * kDay * 40 - 300 * kDay,
          seed % 3 == 0,
          absl::StrCat("secret", number),
          absl::StrCat("\xff", number),
          seed * kHour};
}

PolicyWorld::PolicyWorld(const v1::Dataset& definition) : dataset(MustCompile(definition)) {
  caller.kind = identity::PrincipalKind::kSystem;
  caller.agency = "welfare";
  caller.name = "relief-system";
  caller.path = "agency/welfare/system/relief-system";
  auto directory = std::make_shared<identity::Directory>();
  directory->purposes["relief"].set_code("relief");
  directory->purposes["census"].set_code("census");
  directory->purposes["tax"].set_code("tax");
  directory->purposes["old"].set_code("old");
  directory->purposes["old"].set_withdrawn(true);
  directory->sources["register"].set_id("register");
  snapshot->directory = std::move(directory);
  snapshot->datasets[definition.name()] = dataset;
}

GrantPtr PolicyWorld::Add(const v1::Grant& definition) {
  const auto on = snapshot->datasets.find(definition.dataset());
  SLUICE_CHECK(on != snapshot->datasets.end());
  auto grant = Compile(definition, on->second);
  SLUICE_CHECK(grant.ok());
  snapshot->grants[definition.id()] = *grant;
  snapshot->by_consumer[absl::StrCat(definition.consumer_agency(), "\n", definition.dataset())]
      .push_back(*grant);
  return *grant;
}

v1::QueryRequest PolicyWorld::Request(std::string_view filter) const {
  v1::QueryRequest request;
  request.set_dataset(dataset->definition.name());
  request.set_purpose("relief");
  request.set_filter(std::string(filter));
  return request;
}

void PolicyWorld::Bind(v1::QueryRequest& request, const std::string& name,
                       std::initializer_list<v1::Value> values) {
  v1::ParameterValues& list = (*request.mutable_parameters())[name];
  for (const v1::Value& value : values) *list.add_values() = value;
}

Decision PolicyWorld::Ask(const v1::QueryRequest& request) const {
  return Decide(caller, request, snapshot, now, limits);
}

v1::Reason PolicyWorld::Refusal(const v1::QueryRequest& request) const {
  const Decision decision = Ask(request);
  return decision.denial ? ReasonOf(decision.denial->status) : v1::REASON_UNSPECIFIED;
}

RecordBatch PolicyWorld::Scan(const Plan& plan, const Table& table, size_t begin,
                              size_t end) const {
  std::vector<records::Field> fields;
  std::vector<Column> columns;
  for (const int field : plan.scan_fields) {
    std::vector<Scalar> values;
    for (size_t row = begin; row < end; ++row) values.push_back(table[row][field]);
    fields.push_back(dataset->schema->field(field));
    columns.push_back(ColumnOf(fields.back().type, values));
  }
  return RecordBatch(std::make_shared<const records::Schema>(std::move(fields)), std::move(columns),
                     static_cast<int64_t>(end - begin));
}

std::string PolicyWorld::Answer(const v1::QueryRequest& request, const Table& table,
                                int batch) const {
  const Decision decision = Ask(request);
  if (decision.denial) return TextOf(decision.denial->status);
  const Plan& plan = *decision.plan;
  Table sorted = table;
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Row& a, const Row& b) {
    for (const int field : dataset->key)
      if (a[field] != b[field]) return a[field] < b[field];
    return false;
  });
  std::string seen;
  size_t at = 0;
  for (;;) {
    std::vector<std::vector<Scalar>> columns(plan.output.size());
    int64_t rows = 0;
    size_t end_of_page = sorted.size();
    for (size_t begin = at; begin < sorted.size() && rows <= plan.page_rows; begin += batch) {
      const size_t end = std::min(sorted.size(), begin + batch);
      const auto applied =
          Apply(plan, Scan(plan, sorted, begin, end), plan.page_rows + 1 - rows, pseudonyms);
      if (!applied.ok()) return TextOf(applied.status());
      for (int64_t i = 0; i < applied->output.rows(); ++i) {
        if (++rows > plan.page_rows) {
          end_of_page = begin + applied->kept[i];
          break;
        }
        for (size_t c = 0; c < columns.size(); ++c)
          columns[c].push_back(ScalarAt(applied->output.column(c), i));
      }
    }
    const bool more = rows > plan.page_rows;
    if (more && !plan.ordered) return "ORDER_NOT_GRANTED";
    std::vector<Column> built;
    for (size_t c = 0; c < columns.size(); ++c)
      built.push_back(ColumnOf(plan.output_schema->field(c).type, columns[c]));
    RecordBatch page(plan.output_schema, std::move(built), more ? plan.page_rows : rows);
    if (!plan.ordered) page = page.Take(ShuffleOrder(page, "order"));
    v1::RowBatch told;
    SLUICE_CHECK(told.ParseFromString(records::EncodeRowBatch(page)));
    absl::StrAppend(&seen, told.DebugString(), more ? "more\n" : "end\n");
    if (!more) return seen;
    at = end_of_page;
  }
}

std::string TextOf(const absl::Status& status) {
  std::string text =
      absl::StrCat(status.ToString(absl::StatusToStringMode::kWithNoExtraData), "\n");
  if (const auto info = ErrorInfoOf(status)) absl::StrAppend(&text, info->DebugString());
  if (const auto mistakes = BadRequestOf(status)) absl::StrAppend(&text, mistakes->DebugString());
  return text;
}

}  // namespace sluice::policy
