// What an owner gives where it is not what was asked for. Only the parts that are said go to the
// gateway; but a list of fields and a quota go whole, so what is not said of them comes from what
// the gateway proposes.
//
//   --mask 'name=partial(1..0)' --filter id_number=exact --until 2027-04-01
#pragma once

#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "cli/share_options.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

struct TermsOptions {
  std::string file;
  ShareOptions share;
  std::vector<std::string> masks, filters;  // FIELD=WORD
  std::vector<std::string> require;

  bool names_fields() const { return !share.fields.empty() || !masks.empty() || !filters.empty(); }
};
void AddTermsOptions(CLI::App& command, TermsOptions& options);

// `file` is what the terms file says, `asked` what the gateway says of the request. UsageError for
// a field that is not there, a mask or a time that is none. LocalError STEP_NOT_ALLOWED or
// NOT_OWNER where terms need what the gateway proposes, and it proposes nothing.
absl::StatusOr<v1::Grant> BuildTerms(const TermsOptions& options, const v1::Grant& file,
                                     const v1::GetAccessRequestResponse& asked, Micros now,
                                     const absl::TimeZone& zone);

}  // namespace sluice::cli
