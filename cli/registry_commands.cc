// sluice agency|person|system add|list, suspend, resume; role grant|revoke.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct RegistryOptions {
  std::string name, en, zh, agency, reason, role;
  int32_t running_calls = 0;
};

std::string StateWord(v1::RegistrationState state) {
  const auto* value = v1::RegistrationState_descriptor()->FindValueByNumber(state);
  return value == nullptr ? "?" : absl::AsciiStrToLower(EnumWord(*value));
}

void SetTitle(const RegistryOptions& options, v1::Text& title) {
  title.set_en(options.en);
  title.set_zh(options.zh);
}

absl::Status AddAgency(Session& session, const RegistryOptions& options) {
  v1::AddAgencyRequest request;
  request.mutable_agency()->set_id(options.name);
  SetTitle(options, *request.mutable_agency()->mutable_title());
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kAddAgency, request));
  session.PrintOne({{"agency", response.agency().id()}, {"state", "active"}}, response.agency());
  return absl::OkStatus();
}

absl::Status ListAgencies(Session& session, const RegistryOptions&) {
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListAgencies, {}));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Agency& agency : response.agencies())
    rows.push_back(
        {agency.id(), TitleOf(agency.title(), session.chinese()), StateWord(agency.state())});
  session.PrintList({{"agency"}, {"title"}, {"state"}}, rows, response.agencies());
  return absl::OkStatus();
}

template <class Message>
void ShowRegistered(Session& session, const char* what, const Message& message) {
  FailureLines lines = {{what, message.name()}, {"state", StateWord(message.state())}};
  if (!message.state_reason().empty()) lines.emplace_back("reason", message.state_reason());
  if constexpr (std::is_same_v<Message, v1::Person>)
    lines.emplace_back("roles", RoleWords(message.roles()));
  session.PrintOne(lines, message);
}

absl::Status AddSystem(Session& session, const RegistryOptions& options) {
  v1::AddSystemRequest request;
  request.mutable_system()->set_name(options.name);
  request.mutable_system()->set_max_running_calls(options.running_calls);
  SetTitle(options, *request.mutable_system()->mutable_title());
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kAddSystem, request));
  ShowRegistered(session, "system", response.system());
  return absl::OkStatus();
}

absl::Status ListSystems(Session& session, const RegistryOptions& options) {
  v1::ListSystemsRequest request;
  request.set_agency(options.agency);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListSystems, request));
  std::vector<std::vector<std::string>> rows;
  for (const v1::ClientSystem& system : response.systems())
    rows.push_back({system.name(), TitleOf(system.title(), session.chinese()),
                    StateWord(system.state()), system.state_reason()});
  session.PrintList({{"system"}, {"title"}, {"state"}, {"reason"}}, rows, response.systems());
  return absl::OkStatus();
}

template <v1::RegistrationState kState>
absl::Status SetSystemState(Session& session, const RegistryOptions& options) {
  v1::SetSystemStateRequest request;
  request.set_name(options.name);
  request.set_state(kState);
  request.set_reason(options.reason);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kSetSystemState, request));
  ShowRegistered(session, "system", response.system());
  return absl::OkStatus();
}

absl::Status AddPerson(Session& session, const RegistryOptions& options) {
  v1::AddPersonRequest request;
  request.mutable_person()->set_name(options.name);
  SetTitle(options, *request.mutable_person()->mutable_title());
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kAddPerson, request));
  ShowRegistered(session, "person", response.person());
  return absl::OkStatus();
}

absl::Status ListPersons(Session& session, const RegistryOptions& options) {
  v1::ListPersonsRequest request;
  request.set_agency(options.agency);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListPersons, request));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Person& person : response.persons())
    rows.push_back({person.name(), TitleOf(person.title(), session.chinese()),
                    RoleWords(person.roles()), StateWord(person.state()), person.state_reason()});
  session.PrintList({{"person"}, {"title"}, {"roles"}, {"state"}, {"reason"}}, rows,
                    response.persons());
  return absl::OkStatus();
}

template <v1::RegistrationState kState>
absl::Status SetPersonState(Session& session, const RegistryOptions& options) {
  v1::SetPersonStateRequest request;
  request.set_name(options.name);
  request.set_state(kState);
  request.set_reason(options.reason);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kSetPersonState, request));
  ShowRegistered(session, "person", response.person());
  return absl::OkStatus();
}

// GrantRole and RevokeRole have requests of the same form.
template <const auto& kMethod>
absl::Status ChangeRole(Session& session, const RegistryOptions& options) {
  typename std::remove_cvref_t<decltype(kMethod)>::Request request;
  request.set_person(options.name);
  request.set_role(RoleFromWord(options.role));
  if (request.role() == v1::ROLE_UNSPECIFIED)
    return UsageError(absl::StrCat("\"", options.role, "\" is no role."),
                      "owner, sharing_office, authority, auditor or operator");
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kMethod, request));
  ShowRegistered(session, "person", response.person());
  return absl::OkStatus();
}

// Adds commands of one group that share one set of options.
class Group {
 public:
  Group(CLI::App& app, Invocation& invocation, const char* name, const char* help)
      : invocation_(invocation), group_(app.add_subcommand(name, help)) {
    group_->require_subcommand(1);
  }
  CLI::App* Add(const char* name, const char* help,
                absl::Status (*run)(Session&, const RegistryOptions&)) {
    CLI::App* command = group_->add_subcommand(name, help);
    command->callback([&invocation = invocation_, options = options_, run] {
      invocation.command = [options, run](Session& session) { return run(session, *options); };
    });
    return command;
  }
  CLI::App* AddNamed(const char* name, const char* help, const char* form,
                     absl::Status (*run)(Session&, const RegistryOptions&)) {
    CLI::App* command = Add(name, help, run);
    command->add_option("name", options_->name, form)->required();
    return command;
  }
  void AddTitles(CLI::App* command) {
    command->add_option("--en", options_->en, "title in English");
    command->add_option("--zh", options_->zh, "title in Chinese");
  }
  void AddStates(const char* form, absl::Status (*suspend)(Session&, const RegistryOptions&),
                 absl::Status (*resume)(Session&, const RegistryOptions&)) {
    for (CLI::App* command :
         {AddNamed("suspend", "stop its calls at once, running ones too", form, suspend),
          AddNamed("resume", "let it call again", form, resume)})
      command->add_option("--reason", options_->reason, "recorded")->required();
  }
  void AddList(absl::Status (*run)(Session&, const RegistryOptions&)) {
    Add("list", "all, or those of one agency", run)
        ->add_option("--agency", options_->agency, "only this agency's");
  }
  RegistryOptions& options() { return *options_; }

 private:
  Invocation& invocation_;
  CLI::App* group_;
  std::shared_ptr<RegistryOptions> options_ = std::make_shared<RegistryOptions>();
};

}  // namespace

void AddRegistryCommands(CLI::App& app, Invocation& invocation) {
  Group agency(app, invocation, "agency", "departments");
  agency.AddTitles(agency.AddNamed("add", "register one", "AGENCY", AddAgency));
  agency.Add("list", "all", ListAgencies);

  Group person(app, invocation, "person", "registered officials");
  person.AddTitles(person.AddNamed("add", "register one", "AGENCY/PERSON", AddPerson));
  person.AddList(ListPersons);
  person.AddStates("AGENCY/PERSON", SetPersonState<v1::REGISTRATION_STATE_SUSPENDED>,
                   SetPersonState<v1::REGISTRATION_STATE_ACTIVE>);

  Group system(app, invocation, "system", "registered client systems");
  CLI::App* add = system.AddNamed("add", "register one", "AGENCY/SYSTEM", AddSystem);
  system.AddTitles(add);
  add->add_option("--running-calls", system.options().running_calls,
                  "that it may have at once (the gateway's limit)");
  system.AddList(ListSystems);
  system.AddStates("AGENCY/SYSTEM", SetSystemState<v1::REGISTRATION_STATE_SUSPENDED>,
                   SetSystemState<v1::REGISTRATION_STATE_ACTIVE>);

  Group role(app, invocation, "role",
             "what a person may do: owner, sharing_office, authority, auditor, operator");
  for (CLI::App* command :
       {role.AddNamed("grant", "give a role", "AGENCY/PERSON", ChangeRole<kGrantRole>),
        role.AddNamed("revoke", "take a role away", "AGENCY/PERSON", ChangeRole<kRevokeRole>)})
    command
        ->add_option("role", role.options().role,
                     "owner, sharing_office, authority, auditor or operator")
        ->required();
}

}  // namespace sluice::cli
