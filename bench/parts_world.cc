#include "bench/parts_world.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "bench/permits.h"
#include "gateway/catalogue/dataset_yaml.h"
#include "gateway/sharing/grant_yaml.h"

namespace sluice::bench {
namespace {

std::string ReadPermitsFile(const std::string& name) {
  std::ifstream file(std::string(SLUICE_BENCH_FOLDER) + "/permits/" + name);
  if (!file) MustBeOk(absl::NotFoundError(name));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

template <class T>
T Must(absl::StatusOr<T> result) {
  MustBeOk(result.status());
  return *std::move(result);
}

policy::SnapshotPtr MakeSnapshot() {
  auto snapshot = std::make_shared<policy::Snapshot>();
  auto directory = std::make_shared<identity::Directory>();
  directory->purposes["relief"].set_code("relief");
  directory->sources["permits"].set_id("permits");
  snapshot->directory = std::move(directory);
  v1::Dataset dataset =
      Must(catalogue::ParseDatasetYaml(ReadPermitsFile("dataset.yaml"), "dataset.yaml")).dataset;
  dataset.set_revision(1);
  const auto compiled = Must(catalogue::Compile(dataset));
  snapshot->datasets[dataset.name()] = compiled;
  v1::Grant grant =
      Must(sharing::ParseGrantYaml(ReadPermitsFile("grant.yaml"), "grant.yaml")).grant;
  grant.set_id("abc234");
  grant.set_revision(1);
  grant.set_state(v1::GRANT_STATE_IN_FORCE);
  const policy::GrantPtr in_force = Must(policy::Compile(grant, compiled));
  snapshot->grants[grant.id()] = in_force;
  snapshot->by_consumer[absl::StrCat(grant.consumer_agency(), "\n", grant.dataset())].push_back(
      in_force);
  return snapshot;
}

}  // namespace

PartsWorld::PartsWorld() : snapshot(MakeSnapshot()) {
  caller.kind = identity::PrincipalKind::kSystem;
  caller.agency = "civil-affairs";
  caller.name = "relief";
  caller.path = "agency/civil-affairs/system/relief";
}

v1::QueryRequest PartsWorld::Request(const std::string& filter) const {
  v1::QueryRequest request;
  request.set_dataset("public-security/permits");
  request.set_purpose("relief");
  request.set_case_reference("R-0118");
  request.set_filter(filter);
  return request;
}

policy::Plan PartsWorld::Decided(const v1::QueryRequest& request, v1::Mode mode) const {
  policy::Decision decision = policy::Decide(caller, request, snapshot, now, limits, mode);
  if (decision.denial) MustBeOk(decision.denial->status);
  return *std::move(decision.plan);
}

records::RecordBatch PartsWorld::Scanned(const policy::Plan& plan) const {
  static const auto& permits = *new Permits(1);
  const records::RecordBatch table = permits.Batch(0);
  std::vector<records::Field> fields;
  std::vector<records::Column> columns;
  for (const int field : plan.scan_fields) {
    fields.push_back(plan.dataset->schema->field(static_cast<size_t>(field)));
    columns.push_back(table.column(static_cast<size_t>(field)));
  }
  return records::RecordBatch(std::make_shared<const records::Schema>(std::move(fields)),
                              std::move(columns), table.rows());
}

const PartsWorld& World() {
  static const auto& world = *new PartsWorld;
  return world;
}

PartsFolder::PartsFolder(const std::string& name)
    : path_(absl::StrCat(SLUICE_BENCH_RUN_FOLDER, "/parts-", name, "-", getpid())) {
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
}

PartsFolder::~PartsFolder() { std::filesystem::remove_all(path_); }

void MustBeOk(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << "bench_parts: " << status.ToString() << "\n";
  std::_Exit(1);
}

}  // namespace sluice::bench
