// What tests of the catalogue share: an owner's dataset over a source whose description a test
// sets, grants that say what a test set, and callers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/catalogue/catalogue.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/catalogue/dataset_yaml.h"
#include "gateway/identity/registration.h"
#include "gateway/identity/world_testing.h"

namespace sluice::catalogue {

inline constexpr char kPersons[] = R"yaml(
dataset: police/persons
sharing: conditional
purposes: [relief]
update_cycle: daily
source: ps
from: {table: resident}
key: [id]
fields:
  - {name: id, column: ID_NO, type: utf8, class: L4}
  - {name: born, type: date32, class: L3}
  - {name: income, type: "decimal128(12,2)", class: L3}
)yaml";

// Says what the test set, and keeps what it is asked to revoke.
class FakeGrants : public GrantsOnDatasets {
 public:
  absl::StatusOr<std::vector<v1::TouchedGrant>> TouchedBy(store::Reader&, const DatasetPtr&,
                                                          const DatasetPtr&) override {
    return touched;
  }
  absl::StatusOr<std::vector<audit::ChangeOutcome>> Revoke(store::Transaction&,
                                                           const identity::Caller&,
                                                           const std::vector<std::string>& ids,
                                                           const std::string& reason) override {
    std::vector<audit::ChangeOutcome> outcomes;
    for (const std::string& id : ids) {
      revoked.push_back(id + ": " + reason);
      outcomes.emplace_back().resource_name = id;
    }
    return outcomes;
  }
  void Touch(const std::string& id, const std::string& effect, bool broken, bool ends) {
    v1::TouchedGrant& grant = touched.emplace_back();
    grant.set_grant(id);
    grant.add_effects(effect);
    grant.set_broken(broken);
    grant.set_ends(ends);
  }
  std::vector<v1::TouchedGrant> touched;
  std::vector<std::string> revoked;
};

class CatalogueTest : public ::testing::Test {
 protected:
  explicit CatalogueTest(PublicationRule publication = PublicationRule::kOwner)
      : catalogue_(
            *world_.store, *world_.changes, world_.clock,
            [this](const v1::Source& source, const std::string& table) {
              described_.push_back(source.id() + "." + table);
              if (while_describing_) while_describing_();
              return description_;
            },
            grants_,
            {[this](const std::string&) { return drift_; },
             [this](const std::string&) { return freshness_; }},
            publication) {
    for (const char* id : {"ministry", "police", "welfare"}) world_.AddAgency(id);
    owner_ = world_.AddPerson("police", "owner", {v1::ROLE_OWNER});
    clerk_ = world_.AddPerson("police", "clerk", {});
    other_owner_ = world_.AddPerson("welfare", "owner", {v1::ROLE_OWNER});
    operator_ = world_.AddPerson("ministry", "op", {v1::ROLE_OPERATOR});
    system_ = world_.AddSystem("welfare", "relief");
    world_.AddPurpose("relief");
    world_.AddPurpose("tax", true);
    world_.AddSource("ps", "police");
    world_.AddSource("ws", "welfare");
    adapters::TableDescription table;
    table.table = "resident";
    table.columns = {{"ID_NO", {records::TypeId::kUtf8}, false, "TEXT"},
                     {"BORN", {records::TypeId::kUtf8}, true, "TEXT"},
                     {"income", {records::TypeId::kInt64}, true, "INTEGER"}};
    table.unique_keys = {{"id_no"}};
    description_ = table;
  }

  static v1::Dataset Persons() {
    const auto parsed = ParseDatasetYaml(kPersons, "persons.yaml");
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    return parsed->dataset;
  }
  absl::StatusOr<v1::ApplyDatasetResponse> Apply(const identity::Caller& caller,
                                                 const v1::Dataset& dataset, bool dry_run = false,
                                                 bool break_grants = false) {
    v1::ApplyDatasetRequest request;
    *request.mutable_dataset() = dataset;
    request.set_dry_run(dry_run);
    request.set_break_grants(break_grants);
    return identity::Answer<v1::ApplyDatasetResponse>(
        [&](auto done) { catalogue_.ApplyDataset(caller, request, done); });
  }
  v1::Reason Refusal(const identity::Caller& caller, const v1::Dataset& dataset) {
    return ReasonOf(Apply(caller, dataset).status());
  }
  absl::StatusOr<v1::SetDatasetStateResponse> SetState(const identity::Caller& caller,
                                                       v1::DatasetState state,
                                                       const std::string& reason = "an inquiry",
                                                       bool break_grants = false,
                                                       const std::string& etag = "") {
    v1::SetDatasetStateRequest request;
    request.set_name("police/persons");
    request.set_state(state);
    request.set_reason(reason);
    request.set_break_grants(break_grants);
    request.set_etag(etag);
    return identity::Answer<v1::SetDatasetStateResponse>(
        [&](auto done) { catalogue_.SetDatasetState(caller, request, done); });
  }
  std::vector<std::string> List(const identity::Caller& caller, const std::string& search = "",
                                bool retired = false) {
    v1::ListDatasetsRequest request;
    request.set_search(search);
    request.set_include_retired(retired);
    const auto response = catalogue_.ListDatasets(caller, request);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> names;
    for (const auto& dataset : response->datasets()) names.push_back(dataset.name());
    return names;
  }
  v1::Dataset Get(const identity::Caller& caller) {
    v1::GetDatasetRequest request;
    request.set_name("police/persons");
    const auto response = catalogue_.GetDataset(caller, request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->dataset() : v1::Dataset();
  }

  identity::World world_{{CatalogueMigrations()}};
  absl::StatusOr<adapters::TableDescription> description_;
  FakeGrants grants_;
  std::vector<std::string> drift_;
  std::optional<v1::Freshness> freshness_;
  std::vector<std::string> described_;
  std::function<void()> while_describing_;
  Catalogue catalogue_;
  identity::Caller owner_, clerk_, other_owner_, operator_, system_;
};

}  // namespace sluice::catalogue
