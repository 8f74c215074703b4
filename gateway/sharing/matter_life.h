// The lives of matters beside access requests: corrections (Decree 809, Art. 26) and updates of a
// catalogue (Art. 17). One machine, and a table for each kind; docs/procedure.md shows the same
// tables, and a test holds them against each other.
//
// A matter is a message with `id`, `state`, `etag` and `steps`; states and actions are the numbers
// of its own enums. Who has taken a step for one side takes none for another in the same matter, as
// with requests (request_life.h). Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/sharing/clock_profile.h"
#include "gateway/sharing/request_life.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

struct MatterRow {
  int from;  // 0 is before there is a matter
  int action;
  std::vector<v1::SharingOffice> offices;  // any of them
  int to;
  const char* event = nullptr;  // what clocks hear of it
  bool once = false;            // in a matter's life
};

// For whom a matter in that state waits.
struct MatterWait {
  int state;
  std::vector<v1::SharingOffice> offices;
};

struct MatterLife {
  std::string_view kind;       // of its records and rows: "correction"
  std::string_view noun;       // in errors: "correction"
  std::string_view id_prefix;  // "c-"
  const google::protobuf::EnumDescriptor* states;
  const google::protobuf::EnumDescriptor* actions;
  std::vector<MatterRow> table;
  std::vector<MatterWait> waits;
  // As the authority acts somebody of another agency than the one that it is about.
  bool ruled_from_outside = false;
  // Then it can be ended and nothing else: a record, which holds all of them, has an end.
  size_t most_steps = 64;

  // Null where the table has no such row.
  const MatterRow* Find(int from, int action) const;
  // Nobody has to act any more.
  bool IsOver(int state) const;
  // None where it is over.
  std::vector<v1::SharingOffice> WaitsFor(int state) const;
  std::vector<int> OpenStates() const;
  // "raised", "confirm".
  std::string StateWord(int state) const;
  std::string ActionWord(int action) const;
  // The table as docs/procedure.md shows it.
  std::string Markdown() const;
};

const MatterLife& CorrectionLife();
const MatterLife& CatalogueUpdateLife();
// The life of a message's kind.
inline const MatterLife& LifeOf(const v1::Correction&) { return CorrectionLife(); }
inline const MatterLife& LifeOf(const v1::CatalogueUpdate&) { return CatalogueUpdateLife(); }

// What a move is decided by.
struct MatterStand {
  struct Step {
    int action;
    v1::SharingOffice office;
    std::string taken_by;
    Micros taken;
  };
  std::string id;
  int state = 0;
  std::vector<Step> steps;
};
template <class Matter>
MatterStand StandOf(const Matter& matter) {
  MatterStand stand{matter.id(), matter.state(), {}};
  for (const auto& step : matter.steps())
    stand.steps.push_back({step.action(), step.office(), step.taken_by(),
                           step.taken().seconds() * kSecond + step.taken().nanos() / 1000});
  return stand;
}

struct MatterMove {
  v1::SharingOffice office;  // as which the step is taken
  int to;
};
// STEP_NOT_ALLOWED, STEP_TAKEN_BEFORE, OFFICE_REQUIRED (naming the offices; SAME_HANDS in its place
// where it is the authority's and the caller's agency alone is in the way), SAME_HANDS: the first
// that applies, in this order.
absl::StatusOr<MatterMove> DecideMove(const MatterLife& life, const MatterStand& stand, int action,
                                      const Hands& hands);
// What DecideMove would allow now, in the order of the enum.
std::vector<int> OpenMoves(const MatterLife& life, const MatterStand& stand, const Hands& hands);
// What its clocks are computed from.
std::vector<ClockEvent> EventsOf(const MatterLife& life, const MatterStand& stand);

}  // namespace sluice::sharing
