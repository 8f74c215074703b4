// What the catalogue shows, and to whom.
#include "gateway/catalogue/catalogue_testing.h"

namespace sluice::catalogue {
namespace {

using identity::Caller;
using identity::Violations;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(CatalogueTest, WhoIsNotInItsAudienceDoesNotKnowOfIt) {
  v1::Dataset dataset = Persons();
  dataset.add_audience("nowhere");
  EXPECT_THAT(Violations(Apply(owner_, dataset).status()),
              ElementsAre("dataset.audience[0]: there is no such agency"));
  dataset.set_audience(0, "ministry");
  ASSERT_TRUE(Apply(owner_, dataset).ok());
  v1::GetDatasetRequest request;
  request.set_name("police/persons");
  v1::GetDatasetRequest absent;
  absent.set_name("police/personz");
  EXPECT_EQ(ReasonOf(catalogue_.GetDataset(system_, request).status()), v1::REASON_DATASET_UNKNOWN);
  EXPECT_EQ(catalogue_.GetDataset(system_, request).status().message(),
            catalogue_.GetDataset(system_, absent).status().message());
  EXPECT_THAT(List(system_), IsEmpty());
  EXPECT_EQ(ReasonOf(SetState(other_owner_, v1::DATASET_STATE_SUSPENDED).status()),
            v1::REASON_DATASET_UNKNOWN);
  EXPECT_THAT(List(owner_), ElementsAre("police/persons"));
  EXPECT_THAT(List(operator_), ElementsAre("police/persons"));
  dataset.add_audience("welfare");
  ASSERT_TRUE(Apply(owner_, dataset).ok());
  EXPECT_THAT(List(system_), ElementsAre("police/persons"));
  // For whom else it is meant is not told.
  EXPECT_THAT(Get(system_).audience(), IsEmpty());
}

TEST_F(CatalogueTest, ASearchFindsWordsInBothLanguagesAndInFields) {
  v1::Dataset dataset = Persons();
  dataset.mutable_title()->set_en("Residents of the city");
  dataset.mutable_title()->set_zh("居民");
  dataset.mutable_fields(1)->mutable_title()->set_zh("出生日期");
  ASSERT_TRUE(Apply(owner_, dataset).ok());
  for (const char* words : {"residents", "RESIDENTS city", "居民", "出生", "income", "police"})
    EXPECT_THAT(List(system_, words), ElementsAre("police/persons")) << words;
  for (const char* words : {"residents tax", "邮编", "resident "})
    EXPECT_EQ(List(system_, words).size(), words == std::string("resident ") ? 1u : 0u) << words;
}

TEST_F(CatalogueTest, HowNewItsDataAreIsSaidBesideWhatIsPromised) {
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  v1::GetDatasetRequest request;
  request.set_name("police/persons");
  EXPECT_FALSE(catalogue_.GetDataset(owner_, request)->has_freshness()) << "before the first look";
  const int64_t now = world_.clock.Now() / kSecond;
  freshness_.emplace();
  freshness_->mutable_looked()->set_seconds(now);
  freshness_->mutable_data_as_of()->set_seconds(now - 35 * 3'600);
  freshness_->set_rows(12);
  freshness_->set_version("3f2a");
  freshness_->set_note("a drop is held back");
  auto shown = catalogue_.GetDataset(owner_, request)->freshness();
  EXPECT_FALSE(shown.overdue()) << "daily";
  EXPECT_EQ(shown.rows(), 12);
  EXPECT_EQ(shown.version(), "3f2a");
  EXPECT_EQ(shown.note(), "a drop is held back");
  freshness_->mutable_data_as_of()->set_seconds(now - 37 * 3'600);
  EXPECT_TRUE(catalogue_.GetDataset(owner_, request)->freshness().overdue());
  shown = catalogue_.GetDataset(system_, request)->freshness();
  EXPECT_TRUE(shown.overdue());
  EXPECT_FALSE(shown.has_rows());
  EXPECT_THAT(shown.version() + shown.note(), IsEmpty());
  const auto list = catalogue_.ListDatasets(system_, {});
  ASSERT_TRUE(list.ok());
  EXPECT_TRUE(list->freshness().at("police/persons").overdue());
  EXPECT_FALSE(list->freshness().at("police/persons").has_rows());
}

TEST(FreshnessTest, EachCycleHasItsAge) {
  constexpr Micros kDay = 86'400 * kSecond;
  for (const auto& [cycle, days] :
       std::vector<std::pair<v1::UpdateCycle, int>>{{v1::UPDATE_CYCLE_WEEKLY, 8},
                                                    {v1::UPDATE_CYCLE_MONTHLY, 32},
                                                    {v1::UPDATE_CYCLE_QUARTERLY, 93},
                                                    {v1::UPDATE_CYCLE_YEARLY, 367}}) {
    EXPECT_FALSE(IsOverdue(cycle, 0, days * kDay)) << days;
    EXPECT_TRUE(IsOverdue(cycle, 0, days * kDay + 1)) << days;
  }
  EXPECT_FALSE(IsOverdue(v1::UPDATE_CYCLE_REALTIME, 0, 10'000 * kDay));
  EXPECT_FALSE(IsOverdue(v1::UPDATE_CYCLE_IRREGULAR, 0, 10'000 * kDay));
}

TEST_F(CatalogueTest, ItsHistoryAndDriftAreTheOwnersToSee) {
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  v1::Dataset changed = Persons();
  changed.mutable_fields(1)->set_field_class(v1::FIELD_CLASS_L4_HIGHLY_SENSITIVE);
  ASSERT_TRUE(Apply(owner_, changed).ok());
  drift_ = {"dataset.fields[2].column: table resident has no column income"};
  v1::GetDatasetRequest request;
  request.set_name("police/persons");
  const auto told = catalogue_.GetDataset(owner_, request);
  ASSERT_TRUE(told.ok());
  ASSERT_EQ(told->history_size(), 2);
  EXPECT_THAT(told->history(1).differences(), ElementsAre(HasSubstr("fields.born.field_class: ")));
  EXPECT_THAT(told->drift(), ElementsAre(drift_[0]));
  const auto foreign = catalogue_.GetDataset(system_, request);
  EXPECT_THAT(foreign->history(), IsEmpty());
  EXPECT_THAT(foreign->drift(), IsEmpty());
  // An older revision can be read.
  request.set_revision(1);
  EXPECT_EQ(catalogue_.GetDataset(owner_, request)->dataset().fields(1).field_class(),
            v1::FIELD_CLASS_L3_PERSONAL);
  request.set_revision(7);
  EXPECT_EQ(ReasonOf(catalogue_.GetDataset(owner_, request).status()), v1::REASON_NOT_FOUND);
  request.set_revision(-1);
  EXPECT_EQ(ReasonOf(catalogue_.GetDataset(owner_, request).status()), v1::REASON_REQUEST_INVALID);
}

TEST_F(CatalogueTest, WhereItComesFromIsTheOwnersAndTheOperatorsToSee) {
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  for (const Caller* caller : {&owner_, &clerk_, &operator_}) {
    const v1::Dataset seen = Get(*caller);
    EXPECT_EQ(seen.source(), "ps");
    EXPECT_EQ(seen.table(), "resident");
    EXPECT_EQ(seen.fields(0).column(), "ID_NO");
  }
  for (const Caller* caller : {&other_owner_, &system_}) {
    const v1::Dataset seen = Get(*caller);
    EXPECT_EQ(seen.fields_size(), 3);
    EXPECT_EQ(seen.source() + seen.table() + seen.fields(0).column(), "");
    const auto list = catalogue_.ListDatasets(*caller, {});
    ASSERT_TRUE(list.ok());
    EXPECT_EQ(list->datasets(0).table(), "");
  }
}

TEST_F(CatalogueTest, ListsComeInPages) {
  for (const char* name : {"police/a", "police/b", "police/c"}) {
    v1::Dataset dataset = Persons();
    dataset.set_name(name);
    ASSERT_TRUE(Apply(owner_, dataset).ok());
  }
  std::vector<std::string> names;
  v1::ListDatasetsRequest request;
  request.set_page_size(2);
  do {
    const auto page = catalogue_.ListDatasets(system_, request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& dataset : page->datasets()) names.push_back(dataset.name());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ElementsAre("police/a", "police/b", "police/c"));
  request.set_page_token("zz");
  EXPECT_EQ(ReasonOf(catalogue_.ListDatasets(system_, request).status()),
            v1::REASON_PAGE_TOKEN_INVALID);
  request.clear_page_token();
  request.set_page_size(1001);
  EXPECT_EQ(ReasonOf(catalogue_.ListDatasets(system_, request).status()),
            v1::REASON_REQUEST_INVALID);
  request.set_page_size(0);
  request.set_agency("welfare");
  EXPECT_EQ(catalogue_.ListDatasets(system_, request)->datasets_size(), 0);
}

TEST_F(CatalogueTest, TheBestMatchStandsFirst) {
  const auto add = [this](const char* name, const char* title, const char* field_title,
                          const char* about) {
    v1::Dataset dataset = Persons();
    dataset.set_name(absl::StrCat("police/", name));
    dataset.mutable_title()->set_en(title);
    dataset.mutable_description()->set_zh(about);
    dataset.mutable_fields(2)->mutable_title()->set_en(field_title);
    ASSERT_TRUE(Apply(owner_, dataset).ok());
  };
  add("a", "", "", "vehicle, 车辆");
  add("b", "", "vehicle", "");
  add("c", "a vehicle", "", "");
  add("d", "vehicles", "", "");
  add("vehicle", "", "", "");
  add("z-vehicles", "", "", "");
  add("other", "", "", "");
  const auto ranked = ElementsAre("police/vehicle", "police/z-vehicles", "police/c", "police/d",
                                  "police/b", "police/a");
  EXPECT_THAT(List(system_, "Vehicle"), ranked);
  // Two words: the sum of their places.
  EXPECT_THAT(List(system_, "vehicle 车辆"), ElementsAre("police/a"));
  EXPECT_THAT(List(system_, "辆"), ElementsAre("police/a"));
  for (const int size : {1, 2, 3, 4, 5, 6}) {
    std::vector<std::string> names;
    v1::ListDatasetsRequest request;
    request.set_search("vehicle");
    request.set_page_size(size);
    do {
      const auto page = catalogue_.ListDatasets(system_, request);
      ASSERT_TRUE(page.ok()) << page.status();
      ASSERT_LE(page->datasets_size(), size);
      for (const auto& dataset : page->datasets()) names.push_back(dataset.name());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    EXPECT_THAT(names, ranked) << size;
  }
}

}  // namespace
}  // namespace sluice::catalogue
