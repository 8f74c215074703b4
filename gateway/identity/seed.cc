#include "gateway/identity/seed.h"

#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"
#include "gateway/identity/caller.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/purpose_yaml.h"
#include "gateway/identity/registration.h"
#include "gateway/identity/submit.h"
#include "gateway/identity/yaml_file.h"

namespace sluice::identity {
namespace {

using store::Transaction;

// Reads seed files; mistakes are noted in the document.
class SeedReader {
 public:
  Seed Read(YamlMap root) {
    Seed seed;
    for (const auto& node : root.Required("agencies").AsList())
      seed.agencies.push_back(Agency(node));
    const YamlNode persons = root.Required("persons");
    for (const auto& node : persons.AsList()) seed.persons.push_back(Person(node));
    for (const auto& node : root.Optional("systems").AsList()) seed.systems.push_back(System(node));
    seed.purposes = ReadPurposes(root.Optional("purposes"));
    root.RefuseOthers();
    for (const v1::Role role : {v1::ROLE_AUTHORITY, v1::ROLE_OPERATOR})
      if (persons.present() && !roles_.contains(role))
        persons.Fail(absl::StrCat("one person needs the role ", RoleName(role)));
    return seed;
  }

 private:
  template <class Message>
  static void Title(YamlMap& map, Message& message) {
    const std::string en = map.Optional("en").AsString();
    const std::string zh = map.Optional("zh").AsString();
    if (!en.empty()) message.mutable_title()->set_en(en);
    if (!zh.empty()) message.mutable_title()->set_zh(zh);
  }

  // Notes what the rules say against it, at the place of its name.
  static void Check(const absl::Status& status, const YamlNode& place) {
    const auto request = BadRequestOf(status);
    if (status.ok() || !request || !place.present()) return;
    for (const auto& violation : request->field_violations())
      place.Fail(violation.field() == "id" || violation.field() == "name"
                     ? violation.description()
                     : absl::StrCat(violation.field(), ": ", violation.description()));
  }

  void CheckNew(const std::string& name, const YamlNode& place) {
    if (place.present() && !names_.insert(name).second) place.Fail("listed twice");
  }
  void CheckAgency(const std::string& name, const YamlNode& place) {
    const auto parts = SplitName(name);
    if (parts && !agencies_.contains(parts->agency))
      place.Fail(absl::StrCat("agency ", parts->agency, " is not in this file"));
  }

  v1::Agency Agency(const YamlNode& node) {
    YamlMap map = node.AsMap();
    const YamlNode place = map.Required("id");
    v1::Agency agency;
    agency.set_id(place.AsString());
    Title(map, agency);
    map.RefuseOthers();
    CheckNew(agency.id(), place);
    Check(PrepareAgency(agency), place);
    agencies_.insert(agency.id());
    return agency;
  }

  v1::Person Person(const YamlNode& node) {
    YamlMap map = node.AsMap();
    const YamlNode place = map.Required("person");
    v1::Person person;
    person.set_name(place.AsString());
    Title(map, person);
    const YamlNode roles = map.Optional("roles");
    std::set<v1::Role> held;
    for (const auto& role_node : roles.AsList()) {
      const v1::Role role = RoleFromName(role_node.AsString());
      if (role == v1::ROLE_UNSPECIFIED)
        role_node.Fail("one of owner, authority, auditor, operator");
      else
        held.insert(role);
    }
    for (const v1::Role role : held) person.add_roles(role);
    roles_.insert(held.begin(), held.end());
    map.RefuseOthers();
    CheckNew("person " + person.name(), place);
    Check(PreparePerson(person), place);
    CheckAgency(person.name(), place);
    return person;
  }

  v1::ClientSystem System(const YamlNode& node) {
    YamlMap map = node.AsMap();
    const YamlNode place = map.Required("system");
    v1::ClientSystem system;
    system.set_name(place.AsString());
    Title(map, system);
    system.set_max_running_calls(
        static_cast<int32_t>(map.Optional("max_running_calls").AsInt(0, 0, 10'000)));
    map.RefuseOthers();
    CheckNew("system " + system.name(), place);
    Check(PrepareSystem(system), place);
    CheckAgency(system.name(), place);
    return system;
  }

  std::set<std::string> agencies_;
  std::set<std::string> names_;
  std::set<v1::Role> roles_;
};

// One change with the gateway as its actor, waited for.
absl::Status Make(audit::Changes& changes, audit::Changes::Mutation mutation) {
  Mutex mutex;
  Condition finished;
  std::optional<absl::Status> result;
  audit::ChangeActor actor;
  actor.method = "seed";
  changes.Submit(std::move(actor), audit::Changes::Effect::kAfterRecord, std::move(mutation),
                 [&](absl::Status status) {
                   MutexLock lock(mutex);
                   result = std::move(status);
                   finished.NotifyAll();
                 });
  MutexLock lock(mutex);
  while (!result) finished.Wait(mutex);
  return *result;
}

// Adds `message` where `known` says that it is not there.
template <class Message>
absl::StatusOr<audit::ChangeOutcome> AddNew(Transaction& transaction, const char* kind,
                                            const std::string& name,
                                            const absl::StatusOr<std::optional<Message>>& known,
                                            Message message,
                                            absl::Status (*put)(Transaction&, Message&)) {
  SLUICE_RETURN_IF_ERROR(known.status());
  if (*known) return Unchanged();
  SLUICE_RETURN_IF_ERROR(put(transaction, message));
  return OutcomeOf(kind, name, "create", nullptr, &message);
}

absl::StatusOr<audit::ChangeOutcome> AddPurposes(Transaction& transaction,
                                                 const std::vector<v1::Purpose>& purposes) {
  SLUICE_ASSIGN_OR_RETURN(const auto known, LoadPurposes(transaction));
  if (!known.empty() || purposes.empty()) return Unchanged();
  v1::ListPurposesResponse list;
  for (const auto& purpose : purposes) {
    SLUICE_RETURN_IF_ERROR(PutPurpose(transaction, purpose));
    *list.add_purposes() = purpose;
  }
  return OutcomeOf("purpose", "purposes", "apply", nullptr, &list);
}

}  // namespace

absl::StatusOr<Seed> ParseSeed(std::string_view yaml, std::string_view file) {
  const YamlDocument document = YamlDocument::Parse(yaml, file);
  Seed seed = SeedReader().Read(document.root().AsMap());
  SLUICE_RETURN_IF_ERROR(YamlStatus(document));
  return seed;
}

absl::StatusOr<bool> IsSeeded(store::Reader& reader) {
  SLUICE_ASSIGN_OR_RETURN(const auto rows, reader.Query("SELECT count(*) FROM seeded"));
  return rows.at(0).Int(0) > 0;
}

absl::Status ApplySeed(store::Store& store, audit::Changes& changes, const Seed& seed) {
  bool seeded = false;
  SLUICE_RETURN_IF_ERROR(store.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(seeded, IsSeeded(reader));
    return absl::OkStatus();
  }));
  if (seeded) return absl::OkStatus();
  for (const auto& agency : seed.agencies)
    SLUICE_RETURN_IF_ERROR(Make(changes, [&](Transaction& t) {
      return AddNew(t, "agency", agency.id(), FindAgency(t, agency.id()), agency, &PutAgency);
    }));
  for (const auto& person : seed.persons)
    SLUICE_RETURN_IF_ERROR(Make(changes, [&](Transaction& t) {
      return AddNew(t, "person", person.name(), FindPerson(t, person.name()), person, &PutPerson);
    }));
  for (const auto& system : seed.systems)
    SLUICE_RETURN_IF_ERROR(Make(changes, [&](Transaction& t) {
      return AddNew(t, "system", system.name(), FindSystem(t, system.name()), system, &PutSystem);
    }));
  SLUICE_RETURN_IF_ERROR(
      Make(changes, [&](Transaction& t) { return AddPurposes(t, seed.purposes); }));
  return Make(changes, [](Transaction& t) -> absl::StatusOr<audit::ChangeOutcome> {
    SLUICE_RETURN_IF_ERROR(t.Execute("INSERT INTO seeded VALUES (1)"));
    return OutcomeOf("seed", "seed", "finish", nullptr, nullptr);
  });
}

}  // namespace sluice::identity
