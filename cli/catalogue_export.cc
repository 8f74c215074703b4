#include "cli/catalogue_export.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/catalogue_words.h"
#include "cli/display.h"
#include "cli/times.h"
#include "cli/words.h"

namespace sluice::cli {
namespace {

using ExportJson = nlohmann::ordered_json;

constexpr char kFrequencies[] = "http://publications.europa.eu/resource/authority/frequency/";
constexpr char kAccessRights[] = "http://publications.europa.eu/resource/authority/access-right/";

std::string OwnerAgency(const v1::Dataset& dataset) {
  return dataset.name().substr(0, dataset.name().find('/'));
}

const char* FrequencyCode(v1::UpdateCycle cycle) {
  switch (cycle) {
    case v1::UPDATE_CYCLE_REALTIME:
      return "UPDATE_CONT";
    case v1::UPDATE_CYCLE_DAILY:
      return "DAILY";
    case v1::UPDATE_CYCLE_WEEKLY:
      return "WEEKLY";
    case v1::UPDATE_CYCLE_MONTHLY:
      return "MONTHLY";
    case v1::UPDATE_CYCLE_QUARTERLY:
      return "QUARTERLY";
    case v1::UPDATE_CYCLE_YEARLY:
      return "ANNUAL";
    case v1::UPDATE_CYCLE_IRREGULAR:
      return "IRREG";
    default:
      return "UNKNOWN";
  }
}

// What the entry says of the public; of what is withheld nobody outside its owner has any.
const char* AccessRightCode(const v1::Dataset& dataset) {
  if (dataset.sharing() == v1::SHARING_ATTRIBUTE_WITHHELD) return "NON_PUBLIC";
  switch (dataset.metadata().open()) {
    case v1::OPEN_ATTRIBUTE_OPEN:
      return "PUBLIC";
    case v1::OPEN_ATTRIBUTE_ON_REQUEST:
      return "RESTRICTED";
    case v1::OPEN_ATTRIBUTE_CLOSED:
      return "NON_PUBLIC";
    default:
      return nullptr;
  }
}

ExportJson Iri(const std::string& iri) { return {{"@id", iri}}; }

ExportJson TextJson(const v1::Text& text) {
  ExportJson values = ExportJson::array();
  if (!text.en().empty()) values.push_back({{"@value", text.en()}, {"@language", "en"}});
  if (!text.zh().empty()) values.push_back({{"@value", text.zh()}, {"@language", "zh"}});
  return values;
}

// DCAT-AP asks for a title and a description of each.
ExportJson TextOrName(const v1::Text& text, const std::string& name) {
  ExportJson values = TextJson(text);
  return values.empty() ? ExportJson(name) : values;
}

ExportJson TimeJson(const google::protobuf::Timestamp& time) {
  return {{"@value", FormatUtc(ToMicros(time))}, {"@type", "xsd:dateTime"}};
}

ExportJson RightsJson(const ExportJson& label) {
  return {{"@type", "dct:RightsStatement"}, {"rdfs:label", label}};
}

ExportJson PublisherJson(const std::string& agency, const ExportContext& context) {
  const auto title = context.agencies.find(agency);
  return {{"@id", absl::StrCat(context.base, "agency/", agency)},
          {"@type", "foaf:Agent"},
          {"foaf:name",
           TextOrName(title == context.agencies.end() ? v1::Text() : title->second, agency)}};
}

ExportJson RightsOf(const v1::Dataset& dataset) {
  ExportJson rights = ExportJson::array();
  for (const v1::Text* text :
       {&dataset.metadata().sharing_scope(), &dataset.metadata().use_conditions()})
    if (const ExportJson label = TextJson(*text); !label.empty())
      rights.push_back(RightsJson(label));
  if (dataset.has_withheld_by()) rights.push_back(RightsJson(LawWords(dataset.withheld_by())));
  return rights;
}

ExportJson DistributionsOf(const v1::Dataset& dataset, const ExportContext& context) {
  ExportJson distributions = ExportJson::array();
  if (dataset.sharing() == v1::SHARING_ATTRIBUTE_WITHHELD) return distributions;
  const std::string url = absl::StrCat("https://", context.endpoint, "/");
  const auto add = [&](const std::string& title) {
    ExportJson one = {{"@type", "dcat:Distribution"}, {"dcat:accessURL", Iri(url)}};
    if (!title.empty()) one["dct:title"] = title;
    if (!dataset.metadata().data_format().empty())
      one["dct:format"] = {{"@type", "dct:MediaTypeOrExtent"},
                           {"rdfs:label", dataset.metadata().data_format()}};
    distributions.push_back(std::move(one));
  };
  for (const int method : dataset.metadata().methods())
    add(LowerEnumWord(v1::SharingMethod_descriptor(), method));
  if (distributions.empty()) add("");
  return distributions;
}

ExportJson DatasetJson(const ExportedEntry& entry, const ExportContext& context) {
  const v1::Dataset& dataset = entry.dataset;
  const v1::EntryMetadata& metadata = dataset.metadata();
  ExportJson json = {{"@id", absl::StrCat(context.base, "dataset/", dataset.name())},
                     {"@type", "dcat:Dataset"},
                     {"dct:identifier", dataset.name()},
                     {"dct:title", TextOrName(dataset.title(), dataset.name())},
                     {"dct:description", TextOrName(dataset.description(), dataset.name())},
                     {"dct:publisher", PublisherJson(OwnerAgency(dataset), context)},
                     {"dct:accrualPeriodicity",
                      Iri(absl::StrCat(kFrequencies, FrequencyCode(dataset.update_cycle())))},
                     {"dcat:version", absl::StrCat(dataset.revision())}};
  if (!metadata.code().empty())
    json["adms:identifier"] = {{"@type", "adms:Identifier"}, {"skos:notation", metadata.code()}};
  if (dataset.has_published()) json["dct:issued"] = TimeJson(dataset.published());
  // Of the data where that is known; else of the entry.
  if (entry.freshness && entry.freshness->has_data_as_of())
    json["dct:modified"] = TimeJson(entry.freshness->data_as_of());
  else if (dataset.has_changed())
    json["dct:modified"] = TimeJson(dataset.changed());
  if (const char* code = AccessRightCode(dataset))
    json["dct:accessRights"] = Iri(absl::StrCat(kAccessRights, code));
  if (ExportJson rights = RightsOf(dataset); !rights.empty())
    json["dct:rights"] = std::move(rights);
  for (const std::string& category : metadata.category()) json["dcat:keyword"].push_back(category);
  for (const std::string& code : metadata.related())
    json["dct:relation"].push_back(
        {{"@type", "dcat:Dataset"},
         {"adms:identifier", {{"@type", "adms:Identifier"}, {"skos:notation", code}}}});
  if (!metadata.change_note().empty()) json["adms:versionNotes"] = metadata.change_note();
  if (ExportJson ways = DistributionsOf(dataset, context); !ways.empty())
    json["dcat:distribution"] = std::move(ways);
  return json;
}

// The words of the guide to cataloguing.
const char* SharingZh(v1::SharingAttribute sharing) {
  switch (sharing) {
    case v1::SHARING_ATTRIBUTE_UNCONDITIONAL:
      return "无条件共享";
    case v1::SHARING_ATTRIBUTE_CONDITIONAL:
      return "有条件共享";
    case v1::SHARING_ATTRIBUTE_WITHHELD:
      return "不予共享";
    default:
      return "";
  }
}

const char* CycleZh(v1::UpdateCycle cycle) {
  switch (cycle) {
    case v1::UPDATE_CYCLE_REALTIME:
      return "实时";
    case v1::UPDATE_CYCLE_DAILY:
      return "每日";
    case v1::UPDATE_CYCLE_WEEKLY:
      return "每周";
    case v1::UPDATE_CYCLE_MONTHLY:
      return "每月";
    case v1::UPDATE_CYCLE_QUARTERLY:
      return "每季度";
    case v1::UPDATE_CYCLE_YEARLY:
      return "每年";
    case v1::UPDATE_CYCLE_IRREGULAR:
      return "不定期";
    default:
      return "";
  }
}

std::string MethodsZh(const v1::EntryMetadata& metadata) {
  std::vector<std::string> words;
  for (const int method : metadata.methods())
    words.push_back(method == v1::SHARING_METHOD_INTERFACE ? "服务接口"
                    : method == v1::SHARING_METHOD_BULK    ? "批量交换"
                                                           : "文件下载");
  return absl::StrJoin(words, "、");
}

const char* OpenZh(v1::OpenAttribute open) {
  switch (open) {
    case v1::OPEN_ATTRIBUTE_OPEN:
      return "是";
    case v1::OPEN_ATTRIBUTE_ON_REQUEST:
      return "依申请开放";
    case v1::OPEN_ATTRIBUTE_CLOSED:
      return "否";
    default:
      return "";
  }
}

// Kinds of data with their letters.
const char* TypeZh(v1::FieldType type) {
  switch (type) {
    case v1::FIELD_TYPE_BOOL:
      return "逻辑型L";
    case v1::FIELD_TYPE_INT64:
      return "整型I";
    case v1::FIELD_TYPE_FLOAT64:
      return "双精度型B";
    case v1::FIELD_TYPE_DECIMAL128:
      return "数值型N";
    case v1::FIELD_TYPE_DATE32:
      return "日期型D";
    case v1::FIELD_TYPE_TIMESTAMP_UTC:
    case v1::FIELD_TYPE_TIMESTAMP_LOCAL:
      return "日期时间型T";
    case v1::FIELD_TYPE_UTF8:
      return "字符型C";
    case v1::FIELD_TYPE_BINARY:
      return "通用型G";
    default:
      return "";
  }
}

std::vector<TableColumn> Gbt21063Columns() {
  std::vector<TableColumn> columns;
  for (const char* title :
       {"信息资源分类(类)", "信息资源分类(项)", "信息资源分类(目)", "信息资源分类(细目)",
        "信息资源名称",     "信息资源代码",     "信息资源提供方",   "信息资源提供方代码",
        "信息资源摘要",     "信息资源格式",     "信息项名称",       "数据类型",
        "共享类型",         "共享条件",         "共享方式",         "不予共享依据",
        "是否向社会开放",   "更新周期",         "发布日期",         "关联资源代码",
        "数据分级",         "数据更新时间",     "是否超期"})
    columns.push_back({title});
  return columns;
}

// The cells that all items of an entry share, with two between for the item itself.
std::vector<std::string> EntryCells(const ExportedEntry& entry, const ExportContext& context) {
  const v1::Dataset& dataset = entry.dataset;
  const v1::EntryMetadata& metadata = dataset.metadata();
  std::vector<std::string> cells(metadata.category().begin(), metadata.category().end());
  cells.resize(4);
  const std::string agency = OwnerAgency(dataset);
  const auto known = context.agencies.find(agency);
  const std::string owner =
      known == context.agencies.end() ? "" : TitleOf(known->second, /*chinese=*/true);
  const std::string title = TitleOf(dataset.title(), true);
  std::vector<std::string> conditions;
  for (const v1::Text* text : {&metadata.sharing_scope(), &metadata.use_conditions()})
    if (std::string words = TitleOf(*text, true); !words.empty())
      conditions.push_back(std::move(words));
  const bool dated = entry.freshness && entry.freshness->has_data_as_of();
  cells.insert(
      cells.end(),
      {title.empty() ? dataset.name() : title,
       metadata.code().empty() ? dataset.name() : metadata.code(), owner.empty() ? agency : owner,
       metadata.provider_code(), TitleOf(dataset.description(), true), metadata.data_format(), "",
       "", SharingZh(dataset.sharing()), absl::StrJoin(conditions, "；"), MethodsZh(metadata),
       LawWords(dataset.withheld_by()), OpenZh(metadata.open()), CycleZh(dataset.update_cycle()),
       dataset.has_published() ? FormatDay(ToMicros(dataset.published()), context.zone) : "",
       absl::StrJoin(metadata.related(), "、"), EntryClass(dataset),
       dated ? FormatTime(ToMicros(entry.freshness->data_as_of()), context.zone) : "",
       !dated                       ? ""
       : entry.freshness->overdue() ? "是"
                                    : "否"});
  return cells;
}

constexpr size_t kItemName = 10;  // of the columns; its type stands behind it

}  // namespace

ExportJson DcatOf(const std::vector<ExportedEntry>& entries, const ExportContext& context) {
  ExportJson datasets = ExportJson::array();
  for (const ExportedEntry& entry : entries) datasets.push_back(DatasetJson(entry, context));
  return {{"@context",
           {{"adms", "http://www.w3.org/ns/adms#"},
            {"dcat", "http://www.w3.org/ns/dcat#"},
            {"dct", "http://purl.org/dc/terms/"},
            {"foaf", "http://xmlns.com/foaf/0.1/"},
            {"rdfs", "http://www.w3.org/2000/01/rdf-schema#"},
            {"skos", "http://www.w3.org/2004/02/skos/core#"},
            {"xsd", "http://www.w3.org/2001/XMLSchema#"}}},
          {"@id", absl::StrCat(context.base, "catalogue")},
          {"@type", "dcat:Catalog"},
          {"dct:title", absl::StrCat("Catalogue of ", context.endpoint)},
          {"dct:description", "Datasets that departments lend each other through this gateway."},
          {"dct:publisher",
           {{"@id", absl::StrCat(context.base, "gateway")},
            {"@type", "foaf:Agent"},
            {"foaf:name", context.endpoint}}},
          {"dcat:dataset", std::move(datasets)}};
}

std::string Gbt21063Of(const std::vector<ExportedEntry>& entries, const ExportContext& context) {
  std::vector<std::vector<std::string>> rows;
  for (const ExportedEntry& entry : entries) {
    const std::vector<std::string> shared = EntryCells(entry, context);
    for (const v1::DatasetField& field : entry.dataset.fields()) {
      const std::string title = TitleOf(field.title(), true);
      std::vector<std::string>& row = rows.emplace_back(shared);
      row[kItemName] = title.empty() ? field.name() : title;
      row[kItemName + 1] = TypeZh(field.type().type());
    }
  }
  return FormatCsv(Gbt21063Columns(), rows);
}

}  // namespace sluice::cli
