#include "gateway/sharing/matter_life.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::sharing {
namespace {

constexpr auto kAnyAsker = v1::SHARING_OFFICE_REQUESTER;
constexpr auto kOwnerOffice = v1::SHARING_OFFICE_OWNER_OFFICE;
constexpr auto kOwnerPerson = v1::SHARING_OFFICE_OWNER;
constexpr auto kRuling = v1::SHARING_OFFICE_AUTHORITY;

// A step may name a hundred entries.
constexpr size_t kMostUpdateSteps = 16;

// A value's name without what all values of its enum begin with, in lower case.
std::string WordOf(const google::protobuf::EnumDescriptor* type, int number) {
  const auto* value = type->FindValueByNumber(number);
  const std::string& first = type->value(0)->name();  // "…_UNSPECIFIED"
  const size_t prefix = first.size() - (sizeof("UNSPECIFIED") - 1);
  return value == nullptr ? "" : absl::AsciiStrToLower(value->name().substr(prefix));
}

std::string OfficesInWords(const MatterRow& row) {
  return absl::StrJoin(row.offices, " or ", [](std::string* out, v1::SharingOffice office) {
    absl::StrAppend(out, OfficeWord(office));
  });
}

absl::Status NotAllowedNow(const MatterLife& life, const MatterStand& stand, int action,
                           std::string_view why) {
  absl::Status status =
      Error(v1::REASON_STEP_NOT_ALLOWED,
            absl::StrCat(stand.id.empty() ? "A new " : "The ", View(life.noun),
                         stand.id.empty() ? "" : " ", stand.id, " is ", life.StateWord(stand.state),
                         ": ", View(why), "."),
            {{"step", life.ActionWord(action)}, {"state", life.StateWord(stand.state)}});
  if (!stand.id.empty()) AddKey(status, std::string(life.kind), stand.id);
  return status;
}

// Of a step for which the caller has no office.
absl::Status NotHis(const MatterLife& life, const MatterStand& stand, const MatterRow& row,
                    const Hands& hands) {
  const std::string step = life.ActionWord(row.action);
  if (hands.own_authority &&
      std::find(row.offices.begin(), row.offices.end(), kRuling) != row.offices.end()) {
    absl::Status status =
        Error(v1::REASON_SAME_HANDS,
              "As the authority acts somebody of another agency than the one that it is about.",
              {{"step", step}});
    if (!stand.id.empty()) AddKey(status, std::string(life.kind), stand.id);
    return status;
  }
  return Error(v1::REASON_OFFICE_REQUIRED,
               absl::StrCat("This step is for: ", OfficesInWords(row), "."),
               {{"step", step}, {"office", OfficesInWords(row)}});
}

}  // namespace

const MatterRow* MatterLife::Find(int from, int action) const {
  for (const MatterRow& row : table)
    if (row.from == from && row.action == action) return &row;
  return nullptr;
}

bool MatterLife::IsOver(int state) const {
  return std::none_of(table.begin(), table.end(),
                      [state](const MatterRow& row) { return row.from == state; });
}

std::vector<v1::SharingOffice> MatterLife::WaitsFor(int state) const {
  for (const MatterWait& wait : waits)
    if (wait.state == state) return wait.offices;
  return {};
}

std::vector<int> MatterLife::OpenStates() const {
  std::vector<int> open;
  for (const MatterWait& wait : waits) open.push_back(wait.state);
  return open;
}

std::string MatterLife::StateWord(int state) const { return WordOf(states, state); }
std::string MatterLife::ActionWord(int action) const { return WordOf(actions, action); }

std::string MatterLife::Markdown() const {
  std::string text = "| from | step | who | to | clocks hear |\n|---|---|---|---|---|\n";
  for (const MatterRow& row : table)
    absl::StrAppend(&text, "| ", row.from == 0 ? "–" : StateWord(row.from), " | ",
                    ActionWord(row.action), row.once ? ", once" : "", " | ", OfficesInWords(row),
                    " | ", StateWord(row.to), " | ",
                    row.event == nullptr ? "–" : absl::StrCat("`", row.event, "`"), " |\n");
  return text;
}

const MatterLife& CorrectionLife() {
  static const auto* const life =
      new MatterLife{"correction",
                     "correction",
                     "c-",
                     v1::CorrectionState_descriptor(),
                     v1::CorrectionAction_descriptor(),
                     {
                         {0,
                          v1::CORRECTION_ACTION_RAISE,
                          {kAnyAsker},
                          v1::CORRECTION_STATE_RAISED,
                          "correction_file"},
                         {v1::CORRECTION_STATE_RAISED,
                          v1::CORRECTION_ACTION_CORRECT,
                          {kOwnerOffice, kOwnerPerson},
                          v1::CORRECTION_STATE_CORRECTED,
                          "correction_answer"},
                         {v1::CORRECTION_STATE_RAISED,
                          v1::CORRECTION_ACTION_CONFIRM,
                          {kOwnerOffice, kOwnerPerson},
                          v1::CORRECTION_STATE_CONFIRMED,
                          "correction_answer"},
                         {v1::CORRECTION_STATE_RAISED,
                          v1::CORRECTION_ACTION_WITHDRAW,
                          {kAnyAsker},
                          v1::CORRECTION_STATE_WITHDRAWN,
                          "correction_withdraw"},
                     },
                     {{v1::CORRECTION_STATE_RAISED, {kOwnerOffice, kOwnerPerson}}}};
  return *life;
}

const MatterLife& CatalogueUpdateLife() {
  constexpr auto kDeclared = v1::CATALOGUE_UPDATE_STATE_DECLARED;
  constexpr auto kAsked = v1::CATALOGUE_UPDATE_STATE_EXTENSION_ASKED;
  constexpr auto kLonger = v1::CATALOGUE_UPDATE_STATE_EXTENDED;
  constexpr auto kUpdated = v1::CATALOGUE_UPDATE_STATE_UPDATED;
  constexpr auto kSentBack = v1::CATALOGUE_UPDATE_STATE_RETURNED;
  static const auto* const life = [] {
    auto* made = new MatterLife{"catalogue_update",
                                "catalogue update",
                                "u-",
                                v1::CatalogueUpdateState_descriptor(),
                                v1::CatalogueUpdateAction_descriptor(),
                                {},
                                {{kDeclared, {kOwnerOffice}},
                                 {kAsked, {kRuling, kOwnerOffice}},
                                 {kLonger, {kOwnerOffice}},
                                 {kUpdated, {kRuling}},
                                 {kSentBack, {kOwnerOffice}}},
                                true,
                                kMostUpdateSteps};
    std::vector<MatterRow>& rows = made->table;
    rows = {
        {0, v1::CATALOGUE_UPDATE_ACTION_DECLARE, {kOwnerOffice, kRuling}, kDeclared, "duty_change"},
        {kDeclared,
         v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION,
         {kOwnerOffice},
         kAsked,
         nullptr,
         true},
        {kAsked,
         v1::CATALOGUE_UPDATE_ACTION_CONSENT_EXTENSION,
         {kRuling},
         kLonger,
         "consent_catalogue_extension"},
        {kAsked, v1::CATALOGUE_UPDATE_ACTION_DECLINE_EXTENSION, {kRuling}, kDeclared}};
    // As long as the owner has not done it.
    for (const int from : {static_cast<int>(kDeclared), static_cast<int>(kAsked),
                           static_cast<int>(kLonger), static_cast<int>(kSentBack)}) {
      rows.push_back({from,
                      v1::CATALOGUE_UPDATE_ACTION_COMPLETE,
                      {kOwnerOffice},
                      kUpdated,
                      "catalogue_update"});
      rows.push_back({from,
                      v1::CATALOGUE_UPDATE_ACTION_WITHDRAW,
                      {kRuling},
                      v1::CATALOGUE_UPDATE_STATE_WITHDRAWN,
                      "duty_change_withdraw"});
    }
    rows.push_back({kUpdated,
                    v1::CATALOGUE_UPDATE_ACTION_ACCEPT,
                    {kRuling},
                    v1::CATALOGUE_UPDATE_STATE_ACCEPTED,
                    "catalogue_publish"});
    rows.push_back(
        {kUpdated, v1::CATALOGUE_UPDATE_ACTION_RETURN, {kRuling}, kSentBack, "update_return"});
    return made;
  }();
  return *life;
}

absl::StatusOr<MatterMove> DecideMove(const MatterLife& life, const MatterStand& stand, int action,
                                      const Hands& hands) {
  const MatterRow* row = life.Find(stand.state, action);
  if (row == nullptr) return NotAllowedNow(life, stand, action, "this step cannot be taken now");
  // What ends it is never kept from whoever may.
  if (stand.steps.size() >= life.most_steps && !life.IsOver(row->to))
    return NotAllowedNow(life, stand, action, "it has had as many steps as there may be; end it");
  if (row->once && std::any_of(stand.steps.begin(), stand.steps.end(),
                               [&](const auto& step) { return step.action == action; }))
    return Error(v1::REASON_STEP_TAKEN_BEFORE,
                 absl::StrCat("The ", View(life.noun), " ", stand.id, " has had this step before."),
                 {{std::string(life.kind), stand.id}, {"step", life.ActionWord(action)}});
  MatterMove move{v1::SHARING_OFFICE_UNSPECIFIED, row->to};
  for (const v1::SharingOffice office : row->offices)
    if (std::find(hands.offices.begin(), hands.offices.end(), office) != hands.offices.end()) {
      move.office = office;
      break;
    }
  if (move.office == v1::SHARING_OFFICE_UNSPECIFIED) return NotHis(life, stand, *row, hands);
  for (const auto& step : stand.steps)
    if (step.taken_by == hands.principal && SideOf(step.office) != SideOf(move.office))
      return Error(v1::REASON_SAME_HANDS,
                   absl::StrCat("You took a step of ", stand.id, " as ", OfficeWord(step.office),
                                "; as ", OfficeWord(move.office), " somebody else takes it."),
                   {{"step", life.ActionWord(action)}, {std::string(life.kind), stand.id}});
  return move;
}

std::vector<int> OpenMoves(const MatterLife& life, const MatterStand& stand, const Hands& hands) {
  std::vector<int> open;
  for (int i = 1; i < life.actions->value_count(); ++i)
    if (const int action = life.actions->value(i)->number();
        DecideMove(life, stand, action, hands).ok())
      open.push_back(action);
  return open;
}

std::vector<ClockEvent> EventsOf(const MatterLife& life, const MatterStand& stand) {
  std::vector<ClockEvent> events;
  // An action has one event, wherever it is taken from.
  for (const auto& step : stand.steps)
    for (const MatterRow& row : life.table)
      if (row.action == step.action && row.event != nullptr) {
        events.push_back({row.event, step.taken});
        break;
      }
  return events;
}

}  // namespace sluice::sharing
