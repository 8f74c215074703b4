// What query, read and access check have in common: whose records, for what, by which filter.
#pragma once

#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "cli/failure.h"
#include "cli/parameters.h"
#include "cli/session.h"

namespace sluice::cli {

struct AccessOptions {
  std::string dataset, purpose, case_reference, end_user, on_behalf_of, grant, request_id, where;
  std::vector<std::string> parameters;
  std::string fields;
};

// Dataset, purpose and claims; and all of that with filter, parameters and fields.
void AddClaimOptions(CLI::App& command, AccessOptions& options);
void AddFilterOptions(CLI::App& command, AccessOptions& options);
void AddAccessOptions(CLI::App& command, AccessOptions& options);
// For calls that can be repeated.
void AddRequestIdOption(CLI::App& command, AccessOptions& options);

// Dataset, purpose and claims.
template <class Request>
void FillClaims(const AccessOptions& options, Request& request) {
  request.set_dataset(options.dataset);
  request.set_purpose(options.purpose);
  request.set_case_reference(options.case_reference);
  request.set_end_user(options.end_user);
  request.set_on_behalf_of(options.on_behalf_of);
  request.set_grant(options.grant);
}

// All but the request id. UsageError where a parameter cannot be read.
template <class Request>
absl::Status FillRequest(const AccessOptions& options, Session& session, Request& request) {
  FillClaims(options, request);
  request.set_filter(options.where);
  for (const auto field : absl::StrSplit(options.fields, ',', absl::SkipWhitespace()))
    request.add_fields(std::string(absl::StripAsciiWhitespace(field)));
  return ReadParameters(options.parameters, session.environment.files, session.environment.in,
                        *request.mutable_parameters());
}

// The command again, such as "sluice query public-security/persons --purpose relief": without
// values of parameters, which may be personal, and come from a file or the standard input instead.
std::string CommandAgain(const std::string& command, const AccessOptions& options);

// What a person is told of a refusal: with a mark under the position that the gateway named in the
// filter.
Failure DescribeRefusal(const absl::Status& status, const AccessOptions& options);

}  // namespace sluice::cli
