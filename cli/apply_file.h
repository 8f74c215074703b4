// What the apply commands have in common: a YAML file becomes a request; what the gateway finds
// wrong with it is told by the file's own lines.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cli/session.h"
#include "gateway/identity/yaml_file.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace sluice::cli {

struct ApplyOptions {
  std::string file;
  bool dry_run = false;
  std::string etag;  // empty: whatever was there before
};
void AddApplyOptions(CLI::App* command, const std::shared_ptr<ApplyOptions>& options);
// --etag, for what an owner changes and another owner might as well.
void AddEtagOption(CLI::App* command, const std::shared_ptr<ApplyOptions>& options);

absl::StatusOr<std::string> ReadDefinition(Session& session, const ApplyOptions& options);

// DEFINITION_INVALID with many mistakes as a failure that lists them, a line each.
absl::Status Listed(const absl::Status& status);
// The gateway's answer with its field violations as lines of the file.
absl::Status Placed(const absl::Status& status, const YamlDocument& document,
                    const ApplyOptions& options, std::string_view message,
                    const identity::YamlNames& names);

// What changed, or would: "changed  fields.name.mask: none -> partial(1..0)". Of what is new, all
// is told in a dry run only. `more` follows, for people; `next` is what a dry run leads to.
void PrintDifferences(Session& session, const ApplyOptions& options, std::string_view what,
                      const google::protobuf::RepeatedPtrField<std::string>& differences,
                      const google::protobuf::Message& response, std::string_view more = "",
                      std::string_view next = "the same without --dry-run");

}  // namespace sluice::cli
