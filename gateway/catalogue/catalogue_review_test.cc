// The way of an entry into the catalogue where the authority publishes it.
#include "gateway/catalogue/catalogue_testing.h"

namespace sluice::catalogue {
namespace {

using identity::Caller;
using identity::Violations;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ReviewTest : public CatalogueTest {
 protected:
  ReviewTest() : CatalogueTest(PublicationRule::kAuthority) {
    authority_ = world_.AddPerson("ministry", "rules", {v1::ROLE_AUTHORITY});
    own_authority_ = world_.AddPerson("police", "rules", {v1::ROLE_AUTHORITY});
  }

  static v1::Dataset Examined() {
    v1::Dataset dataset = Persons();
    v1::EntryMetadata& metadata = *dataset.mutable_metadata();
    metadata.mutable_sharing_scope()->set_zh("民政部门");
    metadata.mutable_review()->set_secrecy_review("BM-2026-7");
    metadata.mutable_review()->set_impact_assessment("PIA-2026-3");
    metadata.mutable_review()->set_approved_by("局长");
    return dataset;
  }

  absl::StatusOr<v1::ReviewDatasetResponse> Review(const Caller& caller, v1::Publication to,
                                                   const std::string& note = "",
                                                   const std::string& etag = "") {
    v1::ReviewDatasetRequest request;
    request.set_name("police/persons");
    request.set_publication(to);
    request.set_note(note);
    request.set_etag(etag);
    return identity::Answer<v1::ReviewDatasetResponse>(
        [&](auto done) { catalogue_.ReviewDataset(caller, request, done); });
  }
  v1::Reason Refused(const Caller& caller, v1::Publication to, const std::string& note = "",
                     const std::string& etag = "") {
    return ReasonOf(Review(caller, to, note, etag).status());
  }
  // Who finds it.
  std::vector<std::string> Finders() {
    const std::vector<std::pair<std::string, const Caller*>> all = {
        {"owner", &owner_},     {"clerk", &clerk_},       {"operator", &operator_},
        {"consumer", &system_}, {"other", &other_owner_}, {"authority", &authority_}};
    std::vector<std::string> found;
    v1::GetDatasetRequest request;
    request.set_name("police/persons");
    for (const auto& [name, caller] : all) {
      const bool got = catalogue_.GetDataset(*caller, request).ok();
      EXPECT_EQ(got, !List(*caller).empty()) << name;
      if (got) found.push_back(name);
    }
    return found;
  }

  Caller authority_, own_authority_;
};

TEST_F(ReviewTest, AnEntryIsKnownToOthersOnceTheAuthorityHasPublishedIt) {
  const auto applied = Apply(owner_, Examined());
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ(applied->dataset().publication(), v1::PUBLICATION_AWAITED);
  EXPECT_FALSE(applied->dataset().has_published());
  EXPECT_THAT(Finders(), UnorderedElementsAre("owner", "clerk", "operator", "authority"));
  const auto published = Review(authority_, v1::PUBLICATION_PUBLISHED, "fine");
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->dataset().revision(), 2);
  EXPECT_EQ(published->dataset().source(), "") << "the authority sees no more than before";
  EXPECT_THAT(Finders(),
              UnorderedElementsAre("owner", "clerk", "operator", "authority", "consumer", "other"));
  const v1::Dataset seen = Get(owner_);
  EXPECT_EQ(seen.source(), "ps") << "the revision itself has all";
  EXPECT_TRUE(seen.has_published());
  EXPECT_EQ(seen.publication_note(), "fine");
  const auto outcome = world_.changes->last().outcome;
  EXPECT_EQ(world_.changes->last().effect, audit::Changes::Effect::kAfterRecord);
  EXPECT_EQ(outcome.action, "publish");
  EXPECT_EQ(outcome.resource_revision, 2);
  EXPECT_EQ(outcome.owner_agency, "police");
  EXPECT_THAT(outcome.before_json, HasSubstr("AWAITED"));
  // What it was before is not for those who did not know of it.
  v1::GetDatasetRequest first;
  first.set_name("police/persons");
  first.set_revision(1);
  EXPECT_TRUE(catalogue_.GetDataset(owner_, first).ok());
  EXPECT_EQ(ReasonOf(catalogue_.GetDataset(system_, first).status()), v1::REASON_NOT_FOUND);
}

TEST_F(ReviewTest, WhatWasPublishedStaysSoThroughLaterRevisions) {
  ASSERT_TRUE(Apply(owner_, Examined()).ok());
  ASSERT_TRUE(Review(authority_, v1::PUBLICATION_PUBLISHED, "fine").ok());
  const v1::Dataset published = Get(owner_);
  v1::Dataset next = Examined();
  next.mutable_metadata()->set_change_note("a clearer title");
  next.mutable_title()->set_en("Persons");
  world_.clock.Advance(kDay);
  const auto applied = Apply(owner_, next);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ(applied->dataset().publication(), v1::PUBLICATION_PUBLISHED);
  EXPECT_EQ(applied->dataset().published().seconds(), published.published().seconds());
  EXPECT_THAT(Finders(), Contains("consumer"));
  EXPECT_EQ(Refused(authority_, v1::PUBLICATION_RETURNED, "no"), v1::REASON_REQUEST_INVALID);
  const size_t recorded = world_.changes->made().size();
  EXPECT_TRUE(Review(authority_, v1::PUBLICATION_PUBLISHED).ok());
  EXPECT_EQ(world_.changes->made().size(), recorded) << "published already: nothing to record";
}

TEST_F(ReviewTest, WhatIsReturnedAwaitsReviewAgainOnceItIsApplied) {
  ASSERT_TRUE(Apply(owner_, Examined()).ok());
  EXPECT_EQ(Refused(authority_, v1::PUBLICATION_RETURNED), v1::REASON_REQUEST_INVALID);
  ASSERT_TRUE(Review(authority_, v1::PUBLICATION_RETURNED, "say who may have it").ok());
  EXPECT_EQ(Get(owner_).publication_note(), "say who may have it");
  EXPECT_THAT(Finders(), UnorderedElementsAre("owner", "clerk", "operator", "authority"));
  const auto again = Apply(owner_, Examined());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->dataset().publication(), v1::PUBLICATION_AWAITED);
  EXPECT_EQ(again->dataset().publication_note(), "");
  EXPECT_THAT(again->differences(), Contains("publication: returned -> awaited"));
  EXPECT_THAT(Apply(owner_, Examined())->differences(), IsEmpty());
}

TEST_F(ReviewTest, NobodyReviewsOfHisOwnAgencyOrWithoutTheRole) {
  ASSERT_TRUE(Apply(owner_, Examined()).ok());
  for (const Caller* caller : {&owner_, &clerk_, &operator_, &other_owner_, &system_})
    EXPECT_EQ(Refused(*caller, v1::PUBLICATION_PUBLISHED), v1::REASON_ROLE_REQUIRED);
  EXPECT_EQ(Refused(own_authority_, v1::PUBLICATION_PUBLISHED), v1::REASON_SAME_HANDS);
  EXPECT_EQ(Refused(authority_, v1::PUBLICATION_AWAITED), v1::REASON_REQUEST_INVALID);
  EXPECT_EQ(Refused(authority_, v1::PUBLICATION_PUBLISHED, "", "0123456789abcdef"),
            v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(Get(owner_).publication(), v1::PUBLICATION_AWAITED);
  EXPECT_TRUE(Review(authority_, v1::PUBLICATION_PUBLISHED, "", Get(owner_).etag()).ok());
}

TEST_F(ReviewTest, WhatHasToBeExaminedFirstIsNamedPartByPart) {
  EXPECT_THAT(Violations(Apply(owner_, Persons()).status()),
              ElementsAre(HasSubstr("dataset.metadata.sharing_scope: "),
                          HasSubstr("dataset.metadata.review.secrecy_review: "),
                          HasSubstr("dataset.metadata.review.approved_by: "),
                          HasSubstr("dataset.metadata.review.impact_assessment: ")));
  v1::Dataset open = Persons();
  open.set_sharing(v1::SHARING_ATTRIBUTE_UNCONDITIONAL);
  for (auto& field : *open.mutable_fields()) field.set_field_class(v1::FIELD_CLASS_L2_INTERNAL);
  open.mutable_metadata()->mutable_review()->set_secrecy_review("BM-2026-7");
  open.mutable_metadata()->mutable_review()->set_approved_by("局长");
  EXPECT_TRUE(Apply(owner_, open).ok());
}

TEST_F(ReviewTest, WhatWasOfferedBeforeThereWasAReviewGoesOn) {
  world_.Write([](store::Transaction& transaction) {
    v1::Dataset old = Persons();
    old.set_revision(1);
    old.set_state(v1::DATASET_STATE_OFFERED);
    return AddRevision(transaction, old);
  });
  EXPECT_THAT(Finders(), Contains("consumer"));
  const auto applied = Apply(owner_, Examined());
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(Finders(), Contains("consumer"));
  EXPECT_EQ(Refused(authority_, v1::PUBLICATION_RETURNED, "no"), v1::REASON_REQUEST_INVALID);
}

TEST_F(CatalogueTest, WithoutAReviewAnEntryIsPublishedByItsOwner) {
  const auto applied = Apply(owner_, Persons());
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ(applied->dataset().publication(), v1::PUBLICATION_PUBLISHED);
  EXPECT_EQ(applied->dataset().published().seconds(), world_.clock.Now() / kSecond);
  EXPECT_THAT(List(system_), ElementsAre("police/persons"));
  world_.clock.Advance(kDay);
  EXPECT_THAT(Apply(owner_, Persons())->differences(), IsEmpty());
}

TEST(EntryMetadata, EachMistakeIsNamedByItsPath) {
  v1::EntryMetadata metadata;
  const auto mistakes = [&metadata] {
    std::vector<std::string> paths;
    CheckMetadata(metadata,
                  [&paths](std::string_view path, std::string_view) { paths.emplace_back(path); });
    return paths;
  };
  for (int i = 0; i < 4; ++i) metadata.add_category("class");
  metadata.add_methods(v1::SHARING_METHOD_BULK);
  metadata.mutable_review()->set_approved_on("2026-02-28");
  EXPECT_THAT(mistakes(), IsEmpty());
  metadata.add_category(" ");
  metadata.add_methods(v1::SHARING_METHOD_BULK);
  metadata.set_code(std::string(257, 'x'));
  metadata.mutable_sharing_scope()->set_zh(std::string(4097, 'x'));
  metadata.mutable_review()->set_approved_on("2026-02-30");
  metadata.set_change_note("\xff");
  EXPECT_THAT(mistakes(),
              UnorderedElementsAre("metadata.code", "metadata.category", "metadata.category[4]",
                                   "metadata.methods[1]", "metadata.sharing_scope",
                                   "metadata.review.approved_on", "metadata.change_note"));
}

}  // namespace
}  // namespace sluice::catalogue
