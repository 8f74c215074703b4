#include "gateway/catalogue/dataset_yaml.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/catalogue/entry_metadata.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/records/row_batch.h"

namespace sluice::catalogue {
namespace {

using identity::ReadEnum;

void ReadTitle(YamlMap& map, v1::DatasetField& field) {
  const std::string en = map.Optional("en").AsString();
  const std::string zh = map.Optional("zh").AsString();
  if (!en.empty()) field.mutable_title()->set_en(en);
  if (!zh.empty()) field.mutable_title()->set_zh(zh);
}

void ReadField(const YamlNode& node, v1::DatasetField& field) {
  YamlMap map = node.AsMap();
  field.set_name(map.Required("name").AsString());
  field.set_column(map.Optional("column").AsString());
  const YamlNode type_node = map.Required("type");
  if (const std::string text = type_node.AsString(); !text.empty()) {
    const auto type = records::ParseDataType(text);
    if (type.ok())
      *field.mutable_type() = records::ToProto(*type);
    else
      type_node.Fail(std::string(type.status().message()));
  }
  field.set_field_class(static_cast<v1::FieldClass>(
      ReadEnum(map.Required("class"), {{"L1", v1::FIELD_CLASS_L1_OPEN},
                                       {"L2", v1::FIELD_CLASS_L2_INTERNAL},
                                       {"L3", v1::FIELD_CLASS_L3_PERSONAL},
                                       {"L4", v1::FIELD_CLASS_L4_HIGHLY_SENSITIVE}})));
  field.set_subject(map.Optional("subject").AsString());
  const YamlNode mask_node = map.Optional("least_mask");
  if (const std::string text = mask_node.AsString(); !text.empty()) {
    const auto mask = ParseMask(text);
    if (mask.ok())
      *field.mutable_least_mask() = *mask;
    else
      mask_node.Fail(std::string(mask.status().message()));
  }
  field.set_not_null(map.Optional("not_null").AsBool(false));
  ReadTitle(map, field);
  map.RefuseOthers();
}

void ReadDataset(YamlMap root, v1::Dataset& dataset) {
  dataset.set_name(root.Required("dataset").AsString());
  if (const auto title = root.Optional("title"); title.present())
    *dataset.mutable_title() = identity::ReadText(title.AsMap());
  if (const auto description = root.Optional("description"); description.present())
    *dataset.mutable_description() = identity::ReadText(description.AsMap());
  dataset.set_sharing(static_cast<v1::SharingAttribute>(
      ReadEnum(root.Required("sharing"), {{"unconditional", v1::SHARING_ATTRIBUTE_UNCONDITIONAL},
                                          {"conditional", v1::SHARING_ATTRIBUTE_CONDITIONAL},
                                          {"withheld", v1::SHARING_ATTRIBUTE_WITHHELD}})));
  if (const auto law = root.Optional("withheld_by"); law.present())
    *dataset.mutable_withheld_by() = identity::ReadLegalBasis(law.AsMap());
  for (const auto& purpose : root.Optional("purposes").AsStrings()) dataset.add_purposes(purpose);
  const YamlNode audience = root.Optional("audience");
  for (const auto& agency : audience.AsStrings()) dataset.add_audience(agency);
  // It would mean what leaving it out means, and nobody writes that.
  if (audience.is_list() && dataset.audience().empty())
    audience.Fail("at least one agency; left out, all may know of the dataset");
  dataset.set_update_cycle(static_cast<v1::UpdateCycle>(
      ReadEnum(root.Required("update_cycle"), {{"realtime", v1::UPDATE_CYCLE_REALTIME},
                                               {"daily", v1::UPDATE_CYCLE_DAILY},
                                               {"weekly", v1::UPDATE_CYCLE_WEEKLY},
                                               {"monthly", v1::UPDATE_CYCLE_MONTHLY},
                                               {"quarterly", v1::UPDATE_CYCLE_QUARTERLY},
                                               {"yearly", v1::UPDATE_CYCLE_YEARLY},
                                               {"irregular", v1::UPDATE_CYCLE_IRREGULAR}})));
  // A withheld dataset is an entry of the catalogue, and need not be connected to anything.
  const bool withheld = dataset.sharing() == v1::SHARING_ATTRIBUTE_WITHHELD;
  dataset.set_source((withheld ? root.Optional("source") : root.Required("source")).AsString());
  if (const auto from = withheld ? root.Optional("from") : root.Required("from"); from.present()) {
    YamlMap map = from.AsMap();
    dataset.set_table(map.Required("table").AsString());
    map.RefuseOthers();
  }
  for (const auto& key : root.Optional("key").AsStrings()) dataset.add_key(key);
  const YamlNode bad_value = root.Optional("on_bad_value");
  dataset.set_on_bad_value(
      bad_value.present() ? static_cast<v1::OnBadValue>(ReadEnum(
                                bad_value, {{"stop", v1::ON_BAD_VALUE_STOP},
                                            {"null_and_count", v1::ON_BAD_VALUE_NULL_AND_COUNT}}))
                          : v1::ON_BAD_VALUE_STOP);
  if (const YamlNode bad_record = root.Optional("on_bad_record"); bad_record.present())
    dataset.set_on_bad_record(static_cast<v1::OnBadRecord>(
        ReadEnum(bad_record, {{"stop", v1::ON_BAD_RECORD_STOP},
                              {"reject_and_count", v1::ON_BAD_RECORD_REJECT_AND_COUNT}})));
  dataset.set_time_zone(root.Optional("time_zone").AsString());
  for (const auto& node : root.Required("fields").AsList()) ReadField(node, *dataset.add_fields());
  if (const YamlNode entry = root.Optional("catalogue"); entry.present())
    ReadMetadata(entry.AsMap(), *dataset.mutable_metadata());
  root.RefuseOthers();
}

}  // namespace

const identity::YamlNames& DatasetYamlNames() {
  static const auto* const names =
      new identity::YamlNames{{"name", "dataset"},
                              {"table", "from.table"},
                              {"metadata.", "catalogue."},
                              {"fields.field_class", "fields[*].class"},
                              {"fields.title.en", "fields[*].en"},
                              {"fields.title.zh", "fields[*].zh"}};
  return *names;
}

absl::StatusOr<DatasetFile> ParseDatasetYaml(std::string_view text, std::string_view file) {
  DatasetFile result{{}, YamlDocument::Parse(text, file)};
  ReadDataset(result.document.root().AsMap(), result.dataset);
  SLUICE_RETURN_IF_ERROR(identity::YamlStatus(result.document));
  const auto compiled = Compile(result.dataset);
  if (compiled.ok()) return result;
  const auto lines = identity::PlaceViolations(compiled.status(), result.document, file, "dataset",
                                               DatasetYamlNames());
  if (lines.empty()) return compiled.status();
  return Error(v1::REASON_DEFINITION_INVALID, absl::StrJoin(lines, "\n"));
}

}  // namespace sluice::catalogue
