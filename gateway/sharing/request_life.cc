#include "gateway/sharing/request_life.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"
#include "gateway/sharing/clock_profile.h"

namespace sluice::sharing {
namespace {

constexpr auto kNone = v1::ACCESS_REQUEST_STATE_UNSPECIFIED;
constexpr auto kDrafted = v1::ACCESS_REQUEST_STATE_DRAFTED;
constexpr auto kSubmitted = v1::ACCESS_REQUEST_STATE_SUBMITTED;
constexpr auto kReturned = v1::ACCESS_REQUEST_STATE_RETURNED;
constexpr auto kExtensionAsked = v1::ACCESS_REQUEST_STATE_EXTENSION_ASKED;
constexpr auto kExtended = v1::ACCESS_REQUEST_STATE_EXTENDED;
constexpr auto kAgreed = v1::ACCESS_REQUEST_STATE_AGREED;
constexpr auto kRefused = v1::ACCESS_REQUEST_STATE_REFUSED;
constexpr auto kGranted = v1::ACCESS_REQUEST_STATE_GRANTED;
constexpr auto kProvided = v1::ACCESS_REQUEST_STATE_PROVIDED;
constexpr auto kSuspended = v1::ACCESS_REQUEST_STATE_SUSPENDED;
constexpr auto kEnded = v1::ACCESS_REQUEST_STATE_ENDED;
constexpr auto kDisputed = v1::ACCESS_REQUEST_STATE_DISPUTED;
constexpr auto kWithdrawn = v1::ACCESS_REQUEST_STATE_WITHDRAWN;

constexpr auto kAsker = v1::SHARING_OFFICE_REQUESTER;
constexpr auto kAskersOffice = v1::SHARING_OFFICE_REQUESTER_OFFICE;
constexpr auto kOwnersOffice = v1::SHARING_OFFICE_OWNER_OFFICE;
constexpr auto kOwner = v1::SHARING_OFFICE_OWNER;
constexpr auto kAuthority = v1::SHARING_OFFICE_AUTHORITY;

// Suspensions and disputes could go on for ever; a record has an end.
constexpr int kMostSteps = 64;

std::vector<LifeRow> MakeLifeTable() {
  std::vector<LifeRow> rows = {
      {kNone, v1::ACCESS_ACTION_DRAFT, {kAsker}, kDrafted},
      {kDrafted, v1::ACCESS_ACTION_DRAFT, {kAsker}, kDrafted},
      {kDrafted, v1::ACCESS_ACTION_SUBMIT, {kAskersOffice}, kSubmitted},
      {kDrafted, v1::ACCESS_ACTION_WITHDRAW, {kAsker}, kWithdrawn},
      {kReturned, v1::ACCESS_ACTION_DRAFT, {kAsker}, kReturned},
      {kReturned, v1::ACCESS_ACTION_SUBMIT, {kAskersOffice}, kSubmitted},
      {kReturned, v1::ACCESS_ACTION_WITHDRAW, {kAsker}, kWithdrawn},
  };
  // As long as the owner has not decided.
  for (const auto from : {kSubmitted, kExtensionAsked, kExtended}) {
    rows.push_back({from, v1::ACCESS_ACTION_RETURN, {kOwnersOffice}, kReturned, true});
    if (from == kSubmitted)
      rows.push_back(
          {from, v1::ACCESS_ACTION_ASK_EXTENSION, {kOwnersOffice}, kExtensionAsked, true});
    if (from == kExtensionAsked) {
      rows.push_back({from, v1::ACCESS_ACTION_CONSENT_EXTENSION, {kAuthority}, kExtended});
      rows.push_back({from, v1::ACCESS_ACTION_DECLINE_EXTENSION, {kAuthority}, kSubmitted});
    }
    rows.push_back({from, v1::ACCESS_ACTION_AGREE, {kOwnersOffice}, kAgreed});
    rows.push_back({from, v1::ACCESS_ACTION_REFUSE, {kOwnersOffice}, kRefused});
    rows.push_back({from, v1::ACCESS_ACTION_GRANT, {kOwnersOffice}, kGranted});
    rows.push_back({from, v1::ACCESS_ACTION_WITHDRAW, {kAsker}, kWithdrawn});
  }
  const std::vector<LifeRow> rest = {
      {kAgreed, v1::ACCESS_ACTION_GRANT, {kOwnersOffice, kOwner}, kGranted},
      {kAgreed, v1::ACCESS_ACTION_WITHDRAW, {kAsker}, kWithdrawn},
      {kRefused, v1::ACCESS_ACTION_DISPUTE, {kAskersOffice}, kDisputed},
      {kGranted, v1::ACCESS_ACTION_PROVIDE, {kOwnersOffice, kOwner}, kProvided},
      {kGranted, v1::ACCESS_ACTION_SUSPEND, {kOwnersOffice, kOwner}, kSuspended},
      {kGranted, v1::ACCESS_ACTION_END, {kOwnersOffice, kOwner, kAskersOffice}, kEnded},
      {kGranted, v1::ACCESS_ACTION_DISPUTE, {kAskersOffice}, kDisputed},
      {kProvided, v1::ACCESS_ACTION_SUSPEND, {kOwnersOffice, kOwner}, kSuspended},
      {kProvided, v1::ACCESS_ACTION_END, {kOwnersOffice, kOwner, kAskersOffice}, kEnded},
      {kProvided, v1::ACCESS_ACTION_DISPUTE, {kAskersOffice}, kDisputed},
      {kSuspended, v1::ACCESS_ACTION_RESUME, {kOwnersOffice, kOwner}, kNone},
      {kSuspended, v1::ACCESS_ACTION_END, {kOwnersOffice, kOwner, kAskersOffice}, kEnded},
      {kSuspended, v1::ACCESS_ACTION_DISPUTE, {kAskersOffice}, kDisputed},
      {kEnded, v1::ACCESS_ACTION_DISPUTE, {kAskersOffice}, kDisputed},
      // What takes away a grant waits for nobody, nor does what gives it back.
      {kDisputed, v1::ACCESS_ACTION_SUSPEND, {kOwnersOffice, kOwner}, kDisputed},
      {kDisputed, v1::ACCESS_ACTION_RESUME, {kOwnersOffice, kOwner}, kDisputed},
      {kDisputed, v1::ACCESS_ACTION_END, {kOwnersOffice, kOwner}, kDisputed},
      {kDisputed, v1::ACCESS_ACTION_UPHOLD, {kAuthority}, kNone},
      {kDisputed, v1::ACCESS_ACTION_REOPEN, {kAuthority}, kSubmitted},
      {kDisputed, v1::ACCESS_ACTION_DROP_DISPUTE, {kAskersOffice}, kNone},
  };
  rows.insert(rows.end(), rest.begin(), rest.end());
  return rows;
}

bool WasTaken(const v1::AccessRequest& request, v1::AccessAction action) {
  return std::any_of(request.steps().begin(), request.steps().end(),
                     [&](const v1::AccessStep& step) { return step.action() == action; });
}

// Where a suspended grant goes on: its data were provided before, or not yet.
v1::AccessRequestState StateOfGrant(const v1::AccessRequest& request) {
  v1::AccessRequestState state = kGranted;
  for (const v1::AccessStep& step : request.steps()) {
    if (step.action() == v1::ACCESS_ACTION_GRANT) state = kGranted;
    if (step.action() == v1::ACCESS_ACTION_PROVIDE) state = kProvided;
  }
  return state;
}

std::string OfficeList(const LifeRow& row) {
  return absl::StrJoin(row.offices, " or ", [](std::string* out, v1::SharingOffice office) {
    absl::StrAppend(out, OfficeWord(office));
  });
}

absl::Status StepNotAllowed(const v1::AccessRequest& request, v1::AccessAction action,
                            std::string_view why) {
  absl::Status status =
      Error(v1::REASON_STEP_NOT_ALLOWED,
            absl::StrCat(request.id().empty() ? "A request" : "Access request ", request.id(),
                         " is ", AccessStateWord(request.state()), ": ", std::string(why), "."),
            {{"step", ActionWord(action)}, {"state", AccessStateWord(request.state())}});
  if (!request.id().empty()) AddKey(status, "access_request", request.id());
  return status;
}

// While it is disputed: what is behind may move as if it were not.
absl::Status MoveBehind(const v1::AccessRequest& request, v1::AccessAction action, LifeMove& move) {
  const v1::AccessRequestState behind = request.behind();
  if (action == v1::ACCESS_ACTION_REOPEN) {
    if (behind == kRefused || behind == kEnded) return absl::OkStatus();
    return StepNotAllowed(request, action, "its grant stands, so that there is nothing to reopen");
  }
  const LifeRow* row = FindLifeRow(behind, action);
  if (row == nullptr)
    return StepNotAllowed(
        request, action,
        absl::StrCat("its grant does not allow this step while it is ", AccessStateWord(behind)));
  move.behind = row->to == kNone ? StateOfGrant(request) : row->to;
  return absl::OkStatus();
}

}  // namespace

std::span<const LifeRow> LifeTable() {
  static const auto* const table = new std::vector<LifeRow>(MakeLifeTable());
  return *table;
}

int SideOf(v1::SharingOffice office) {
  switch (office) {
    case kAsker:
    case kAskersOffice:
      return 1;
    case kOwnersOffice:
    case kOwner:
      return 2;
    default:
      return 3;
  }
}

const LifeRow* FindLifeRow(v1::AccessRequestState from, v1::AccessAction action) {
  for (const LifeRow& row : LifeTable())
    if (row.from == from && row.action == action) return &row;
  return nullptr;
}

absl::StatusOr<LifeMove> DecideStep(const v1::AccessRequest& request, v1::AccessAction action,
                                    const Hands& hands) {
  const LifeRow* row = FindLifeRow(request.state(), action);
  if (row == nullptr) return StepNotAllowed(request, action, "this step cannot be taken now");
  // What ends it is never kept from whoever may.
  if (request.steps_size() >= kMostSteps && action != v1::ACCESS_ACTION_END &&
      action != v1::ACCESS_ACTION_SUSPEND)
    return StepNotAllowed(request, action,
                          "it has had as many steps as a request may have; end it and ask anew");
  LifeMove move{v1::SHARING_OFFICE_UNSPECIFIED, row->to, kNone};
  if (request.state() == kDisputed && (row->to == kDisputed || row->to == kSubmitted))
    SLUICE_RETURN_IF_ERROR(MoveBehind(request, action, move));
  if (row->to == kNone)
    move.to = request.state() == kDisputed ? request.behind() : StateOfGrant(request);
  if (row->to == kDisputed && request.state() != kDisputed) move.behind = request.state();
  if (row->once && WasTaken(request, action))
    return Error(v1::REASON_STEP_TAKEN_BEFORE,
                 absl::StrCat("Access request ", request.id(),
                              action == v1::ACCESS_ACTION_RETURN
                                  ? " was returned before; all that is missing is told once."
                                  : " was extended, or its extension declined, before."),
                 {{"access_request", request.id()}, {"step", ActionWord(action)}});
  for (const v1::SharingOffice office : row->offices)
    if (std::find(hands.offices.begin(), hands.offices.end(), office) != hands.offices.end()) {
      move.office = office;
      break;
    }
  if (move.office == v1::SHARING_OFFICE_UNSPECIFIED)
    return Error(v1::REASON_OFFICE_REQUIRED,
                 absl::StrCat("This step is for: ", OfficeList(*row), "."),
                 {{"step", ActionWord(action)}, {"office", OfficeList(*row)}});
  for (const v1::AccessStep& step : request.steps())
    if (step.taken_by() == hands.principal && SideOf(step.office()) != SideOf(move.office))
      return Error(v1::REASON_SAME_HANDS,
                   absl::StrCat("You took a step of this request as ", OfficeWord(step.office()),
                                "; as ", OfficeWord(move.office), " somebody else takes it."),
                   {{"step", ActionWord(action)}, {"access_request", request.id()}});
  return move;
}

std::vector<v1::AccessAction> OpenActions(const v1::AccessRequest& request, const Hands& hands) {
  std::vector<v1::AccessAction> open;
  const auto* type = v1::AccessAction_descriptor();
  for (int i = 1; i < type->value_count(); ++i) {
    const auto action = static_cast<v1::AccessAction>(type->value(i)->number());
    if (DecideStep(request, action, hands).ok()) open.push_back(action);
  }
  return open;
}

void AddStep(v1::AccessRequest& request, const LifeMove& move, v1::AccessStep step) {
  step.set_office(move.office);
  step.set_state(move.to);
  request.set_state(move.to);
  request.set_behind(move.behind);
  *request.add_steps() = std::move(step);
}

std::vector<v1::SharingOffice> WaitsFor(v1::AccessRequestState state) {
  switch (state) {
    case kDrafted:
      return {kAskersOffice};
    case kReturned:
      return {kAskersOffice, kAsker};
    case kSubmitted:
    case kExtended:
      return {kOwnersOffice};
    case kExtensionAsked:
      return {kAuthority, kOwnersOffice};
    case kAgreed:
    case kGranted:
    case kSuspended:
      return {kOwnersOffice, kOwner};
    case kDisputed:
      return {kAuthority};
    default:
      return {};
  }
}

bool IsUndecided(v1::AccessRequestState state) {
  return state == kDrafted || state == kSubmitted || state == kReturned ||
         state == kExtensionAsked || state == kExtended;
}

std::string LifeTableMarkdown() {
  std::string text = "| from | step | who | to |\n|---|---|---|---|\n";
  for (const LifeRow& row : LifeTable())
    absl::StrAppend(&text, "| ", row.from == kNone ? "–" : AccessStateWord(row.from), " | ",
                    ActionWord(row.action), row.once ? ", once" : "", " | ", OfficeList(row), " | ",
                    row.to == kNone ? "where it was before" : AccessStateWord(row.to), " |\n");
  return text;
}

}  // namespace sluice::sharing
