// Corrections and the like on a page, and what may be done with them, as it is typed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/clock_words.h"
#include "cli/page.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/sharing/matter_life.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

// A line a clock: its law, who has to act, how it stands.
void AddClocks(Page& page, const google::protobuf::RepeatedPtrField<v1::Clock>& clocks,
               const absl::TimeZone& zone);

// A line a step: what, when, by whom, as which, and what was said. `more` adds what a step has
// beside that.
template <class Matter, class More>
void AddMatterSteps(Page& page, const Matter& matter, const absl::TimeZone& zone,
                    const More& more) {
  std::string_view label = "History";
  for (const auto& step : matter.steps()) {
    std::string line =
        absl::StrCat(sharing::LifeOf(matter).ActionWord(step.action()), " ",
                     FormatTime(ToMicros(step.taken()), zone), " by ",
                     PrincipalWords(step.taken_by()), ", ", OfficeWords(step.office()));
    if (!step.reason().empty()) absl::StrAppend(&line, ": ", step.reason());
    page.Add(label, line);
    label = "";
    more(step);
  }
}

std::string FormatCorrection(const Session& session, const v1::GetCorrectionResponse& answer,
                             std::string_view next);
// What the caller would type next; empty where there is nothing to do.
std::string NextOfCorrection(const v1::GetCorrectionResponse& answer);

std::string FormatUpdate(const Session& session, const v1::GetCatalogueUpdateResponse& answer,
                         std::string_view next);
// "ask-extension": as it is typed.
std::string UpdateVerb(int action);
std::vector<std::string> UpdateVerbs(const google::protobuf::RepeatedField<int>& actions);

// "answer", "withdraw": the commands of those actions, each once.
std::vector<std::string> CorrectionVerbs(const google::protobuf::RepeatedField<int>& actions);

}  // namespace sluice::cli
