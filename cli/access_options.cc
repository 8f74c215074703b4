#include "cli/access_options.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/display.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

// "  a = 1 AND b = 2 OR c = 3" with a mark under the position that the gateway named.
void AddFilterMark(const absl::Status& status, const std::string& where, Failure& failure) {
  const auto request = BadRequestOf(status);
  if (!request || where.empty()) return;
  for (const auto& violation : request->field_violations()) {
    size_t position = 0;
    if (!violation.field().starts_with("filter:") ||
        !absl::SimpleAtoi(violation.field().substr(7), &position) || position == 0)
      continue;
    size_t bytes = 0;  // of the code points before it
    for (size_t points = 0; bytes < where.size(); ++bytes) {
      if ((where[bytes] & 0xC0) != 0x80 && ++points == position) break;
    }
    const std::string mark(DisplayWidth(Harmless(where.substr(0, bytes))), ' ');
    failure.lines.insert(failure.lines.begin(), {{"filter", Harmless(where)}, {"", mark + "^"}});
    return;
  }
}

}  // namespace

void AddClaimOptions(CLI::App& command, AccessOptions& options) {
  command.add_option("dataset", options.dataset, "AGENCY/DATASET")->required();
  command.add_option("--purpose", options.purpose, "a code of the authority's list")->required();
  command.add_option("--case", options.case_reference, "the case that you ask for");
  command.add_option("--user", options.end_user, "the end user on whose screen it will stand");
  command.add_option("--on-behalf-of", options.on_behalf_of, "whom you ask for");
  command.add_option("--grant", options.grant, "the grant to use, where several allow the call");
}

void AddFilterOptions(CLI::App& command, AccessOptions& options) {
  command.add_option("--where", options.where, "filter, such as 'id_number = $id'");
  command
      .add_option("--param", options.parameters,
                  "NAME=VALUE, NAME=@FILE or NAME=@- (a value a line); personal identifiers "
                  "belong in a file or on standard input")
      ->allow_extra_args(false);
}

void AddAccessOptions(CLI::App& command, AccessOptions& options) {
  AddClaimOptions(command, options);
  AddFilterOptions(command, options);
  command.add_option("--fields", options.fields, "a,b: only these, in this order");
}

void AddRequestIdOption(CLI::App& command, AccessOptions& options) {
  command.add_option("--request-id", options.request_id,
                     "the same id with the same request is the same access");
}

std::string CommandAgain(const std::string& command, const AccessOptions& options) {
  std::string line = absl::StrCat("sluice ", command, " ", ShellQuoted(options.dataset),
                                  " --purpose ", ShellQuoted(options.purpose));
  const auto add = [&line](const char* name, const std::string& value) {
    if (!value.empty()) absl::StrAppend(&line, " ", name, " ", ShellQuoted(value));
  };
  add("--case", options.case_reference);
  add("--user", options.end_user);
  add("--on-behalf-of", options.on_behalf_of);
  add("--grant", options.grant);
  add("--where", options.where);
  for (const std::string& parameter : options.parameters) {
    const size_t equals = parameter.find('=');
    const bool literal = equals == std::string::npos || parameter.substr(equals + 1, 1) != "@";
    add("--param", literal ? parameter.substr(0, equals) + "=@-" : parameter);
  }
  add("--fields", options.fields);
  return line;
}

Failure DescribeRefusal(const absl::Status& status, const AccessOptions& options) {
  Failure failure = DescribeFailure(status);
  AddFilterMark(status, options.where, failure);
  return failure;
}

}  // namespace sluice::cli
