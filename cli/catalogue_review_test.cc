// An entry's way into the catalogue, its change log and its exports, as people run them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/methods.h"
#include "cli/tool_testing.h"
#include "gateway/base/error.h"
#include "nlohmann/json.hpp"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

v1::Dataset Vehicles() {
  v1::Dataset dataset;
  dataset.set_name("public-security/vehicles");
  dataset.set_revision(3);
  dataset.mutable_title()->set_zh("机动车");
  dataset.mutable_description()->set_zh("登记信息");
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_CONDITIONAL);
  dataset.set_update_cycle(v1::UPDATE_CYCLE_YEARLY);
  dataset.set_state(v1::DATASET_STATE_OFFERED);
  dataset.set_publication(v1::PUBLICATION_PUBLISHED);
  *dataset.mutable_published() = At("2026-11-09T12:00:00+08:00");
  *dataset.mutable_changed() = At("2026-11-20T12:00:00+08:00");
  v1::EntryMetadata& metadata = *dataset.mutable_metadata();
  metadata.set_code("307005/000013");
  metadata.set_provider_code("007482");
  metadata.add_category("公安");
  metadata.add_category("车辆, 驾驶");
  metadata.set_data_format("database table");
  metadata.add_methods(v1::SHARING_METHOD_INTERFACE);
  metadata.add_methods(v1::SHARING_METHOD_FILE);
  metadata.mutable_sharing_scope()->set_zh("民政部门");
  metadata.set_open(v1::OPEN_ATTRIBUTE_CLOSED);
  metadata.add_related("307005/000014");
  metadata.mutable_review()->set_approved_by("局长");
  metadata.mutable_review()->set_approved_on("2026-11-01");
  metadata.set_change_note("the plate's title");
  v1::DatasetField& plate = *dataset.add_fields();
  plate.set_name("plate");
  plate.mutable_type()->set_type(v1::FIELD_TYPE_UTF8);
  plate.mutable_title()->set_zh("号牌");
  plate.set_field_class(v1::FIELD_CLASS_L3_PERSONAL);
  v1::DatasetField& seats = *dataset.add_fields();
  seats.set_name("seats");
  seats.mutable_type()->set_type(v1::FIELD_TYPE_INT64);
  seats.set_field_class(v1::FIELD_CLASS_L2_INTERNAL);
  return dataset;
}

v1::ListDatasetsResponse Listed() {
  v1::ListDatasetsResponse answer;
  *answer.add_datasets() = Vehicles();
  v1::Dataset& withheld = *answer.add_datasets();
  withheld.set_name("public-security/watched");
  withheld.set_sharing(v1::SHARING_ATTRIBUTE_WITHHELD);
  withheld.mutable_withheld_by()->set_law("反恐怖主义法");
  withheld.mutable_withheld_by()->set_article("第四十八条");
  withheld.set_publication(v1::PUBLICATION_AWAITED);
  withheld.add_fields()->set_name("person");
  v1::Freshness& freshness = (*answer.mutable_freshness())["public-security/vehicles"];
  *freshness.mutable_data_as_of() = At("2025-01-01T00:00:00+08:00");
  freshness.set_overdue(true);
  return answer;
}

TEST(CatalogueReviewTest, TheAuthorityPublishesOrReturnsWithANote) {
  Tool tool;
  tool.gateway.On(kReviewDataset, [](const v1::ReviewDatasetRequest& request) {
    v1::ReviewDatasetResponse answer;
    *answer.mutable_dataset() = Vehicles();
    answer.mutable_dataset()->set_publication(request.publication());
    return answer;
  });
  const Ran published = tool.Run({"dataset", "publish", "a/b", "--etag", "0123456789abcdef"});
  EXPECT_EQ(published.code, 0) << published.err;
  EXPECT_THAT(published.out, HasSubstr("published: all agencies of its audience find it\n"));
  EXPECT_EQ(tool.Run({"catalogue", "return", "a/b"}).code, 2) << "needs its note";
  const Ran returned = tool.Run({"catalogue", "return", "a/b", "--note", "no scope"});
  EXPECT_EQ(returned.code, 0) << returned.err;
  EXPECT_THAT(returned.out, HasSubstr("no scope\n"));
  const auto asked = tool.gateway.Asked(kReviewDataset);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].publication(), v1::PUBLICATION_PUBLISHED);
  EXPECT_EQ(asked[0].etag(), "0123456789abcdef");
  EXPECT_EQ(asked[1].publication(), v1::PUBLICATION_RETURNED);
  EXPECT_EQ(asked[1].note(), "no scope");
}

TEST(CatalogueReviewTest, APageShowsWhatTheEntryStates) {
  Tool tool;
  v1::GetDatasetResponse answer;
  *answer.mutable_dataset() = Vehicles();
  tool.gateway.Answer(kGetDataset, answer);
  const Ran zh = tool.Run({"--lang", "zh", "dataset", "show", "public-security/vehicles"});
  EXPECT_EQ(zh.code, 0) << zh.err;
  for (const char* part :
       {"发布日期", "2026-11-09", "307005/000013", "公安 / 车辆, 驾驶", "共享范围", "民政部门",
        "interface, file", "局长, 2026-11-01", "数据分级", "L3", "更新说明"})
    EXPECT_THAT(zh.out, HasSubstr(part));
  answer.mutable_dataset()->set_publication(v1::PUBLICATION_RETURNED);
  answer.mutable_dataset()->set_publication_note("no scope");
  tool.gateway.Answer(kGetDataset, answer);
  EXPECT_THAT(tool.Run({"dataset", "show", "public-security/vehicles"}).out,
              HasSubstr("returned by the authority: no scope\n"));
}

TEST(CatalogueReviewTest, AChangeLogTellsEachNoteOnce) {
  Tool tool;
  tool.gateway.On(
      kGetDataset,
      [](const v1::GetDatasetRequest& request) -> absl::StatusOr<v1::GetDatasetResponse> {
        if (request.revision() == 1) return Error(v1::REASON_NOT_FOUND, "no such revision");
        v1::GetDatasetResponse answer;
        *answer.mutable_dataset() = Vehicles();
        if (request.revision() == 2) {
          answer.mutable_dataset()->set_revision(2);
          answer.mutable_dataset()->mutable_metadata()->set_change_note("first");
          answer.mutable_dataset()->set_publication_note("well examined");
        }
        answer.mutable_dataset()->set_publication_note("well examined");
        return answer;
      });
  const Ran ran = tool.Run({"dataset", "log", "public-security/vehicles"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("│ the plate's title    │"));
  EXPECT_THAT(ran.out, HasSubstr("│ first; well examined │"));
  EXPECT_LT(ran.out.find("the plate's title"), ran.out.find("first"));
  const Ran one = tool.Run({"dataset", "log", "public-security/vehicles", "--most", "1"});
  EXPECT_THAT(one.out, Not(HasSubstr("first")));
}

TEST(CatalogueReviewTest, AListTellsWhatIsOverdueAndWhatAwaitsReview) {
  Tool tool;
  tool.gateway.Answer(kListDatasets, Listed());
  const Ran all = tool.Run({"dataset", "list"});
  EXPECT_THAT(all.out, HasSubstr("OVERDUE"));
  EXPECT_THAT(all.err, HasSubstr("older than promised: public-security/vehicles\n"));
  const Ran awaited = tool.Run({"dataset", "list", "--awaited"});
  EXPECT_THAT(awaited.out, HasSubstr("public-security/watched"));
  EXPECT_THAT(awaited.out, HasSubstr("unpublished"));
  EXPECT_THAT(awaited.out, Not(HasSubstr("vehicles")));
  EXPECT_THAT(awaited.err, Not(HasSubstr("older")));
}

TEST(CatalogueExportTest, DcatHasTheVocabulariesOfTheEu) {
  Tool tool;
  tool.gateway.Answer(kListDatasets, Listed());
  tool.gateway.Refuse(kListAgencies, Error(v1::REASON_ROLE_REQUIRED, "not for you"));
  const Ran ran = tool.Run({"dataset", "export", "--as", "dcat", "--base", "https://d.example/"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_EQ(json["@type"], "dcat:Catalog");
  ASSERT_EQ(json["dcat:dataset"].size(), 2u);
  const auto& vehicles = json["dcat:dataset"][0];
  EXPECT_EQ(vehicles["@id"], "https://d.example/dataset/public-security/vehicles");
  EXPECT_EQ(vehicles["dct:accrualPeriodicity"]["@id"],
            "http://publications.europa.eu/resource/authority/frequency/ANNUAL");
  EXPECT_EQ(vehicles["dct:title"][0]["@value"], "机动车");
  EXPECT_EQ(vehicles["dct:title"][0]["@language"], "zh");
  EXPECT_EQ(vehicles["dct:publisher"]["foaf:name"], "public-security");
  EXPECT_EQ(vehicles["dct:issued"]["@value"], "2026-11-09T04:00:00Z");
  EXPECT_EQ(vehicles["dct:modified"]["@value"], "2024-12-31T16:00:00Z") << "of the data";
  EXPECT_EQ(vehicles["dct:accessRights"]["@id"],
            "http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC");
  EXPECT_EQ(vehicles["adms:identifier"]["skos:notation"], "307005/000013");
  EXPECT_EQ(vehicles["dcat:distribution"].size(), 2u);
  EXPECT_THAT(vehicles["dcat:keyword"], ElementsAre("公安", "车辆, 驾驶"));
  const auto& watched = json["dcat:dataset"][1];
  EXPECT_FALSE(watched.contains("dcat:distribution")) << "nothing of it is lent";
  EXPECT_EQ(watched["dct:rights"][0]["rdfs:label"], "反恐怖主义法 第四十八条");
  EXPECT_EQ(watched["dct:accrualPeriodicity"]["@id"],
            "http://publications.europa.eu/resource/authority/frequency/UNKNOWN");
}

TEST(CatalogueExportTest, CoreMetadataHaveARowForEachItem) {
  Tool tool;
  v1::GetDatasetResponse answer;
  *answer.mutable_dataset() = Vehicles();
  *answer.mutable_freshness() = Listed().freshness().at("public-security/vehicles");
  tool.gateway.Answer(kGetDataset, answer);
  v1::ListAgenciesResponse agencies;
  agencies.add_agencies()->set_id("public-security");
  agencies.mutable_agencies(0)->mutable_title()->set_zh("公安局");
  tool.gateway.Answer(kListAgencies, agencies);
  const Ran ran = tool.Run({"dataset", "export", "public-security/vehicles", "--as", "gbt21063"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("信息资源分类(类),信息资源分类(项),"));
  const std::string before =
      "公安,\"车辆, 驾驶\",,,机动车,307005/000013,公安局,007482,登记信息,database table,";
  const std::string after =
      ",有条件共享,民政部门,服务接口、文件下载,,否,每年,2026-11-09,307005/000014,L3,"
      "2025-01-01 00:00:00 +08:00,是\r\n";
  EXPECT_THAT(ran.out, HasSubstr(before + "号牌,字符型C" + after));
  EXPECT_THAT(ran.out, HasSubstr(before + "seats,整型I" + after));
  EXPECT_EQ(tool.Run({"dataset", "export", "--as", "xml"}).code, 2);
}

}  // namespace
}  // namespace sluice::cli
