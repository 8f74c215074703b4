// The conditions of a search in the audit log, as options of a command.
#pragma once

#include <memory>
#include <string>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "cli/session.h"
#include "sluice/v1/audit.pb.h"

namespace sluice::cli {

struct FilterOptions {
  std::string since, until, agency, system, person, owner, dataset, grant, purpose, law, article;
  std::string case_reference, user, on_behalf_of, subject, outcome, reason, kind;
  bool certain = false;
};

void AddFilterOptions(CLI::App& command, FilterOptions& options);
// UsageError for words that mean nothing. An identifier that is to come from the standard input is
// read here; none is ever part of an error.
absl::StatusOr<v1::RecordFilter> MakeFilter(const Environment& environment,
                                            const FilterOptions& options);

}  // namespace sluice::cli
