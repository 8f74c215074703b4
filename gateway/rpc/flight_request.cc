#include "gateway/rpc/flight_request.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "gateway/base/nearest.h"
#include "gateway/catalogue/names.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/records/utf8.h"

namespace sluice::rpc {
namespace {

using arrow::flight::protocol::FlightDescriptor;

constexpr std::string_view kHeaderPrefix = "sluice-";
constexpr std::string_view kBinarySuffix = "-bin";
// What a header may give: these fields of a ReadRequest, with hyphens for underscores.
constexpr std::string_view kInHeaders[] = {"purpose", "case_reference", "end_user", "on_behalf_of",
                                           "grant",   "fields",         "filter",   "request_id"};
// A ticket holds the command and is a request of its own, of 1 MiB at most.
constexpr size_t kMostCommand = 256 << 10;

std::string HeaderOf(std::string_view field) {
  return absl::StrCat(std::string(kHeaderPrefix),
                      absl::StrReplaceAll(std::string(field), {{"_", "-"}}));
}

class DescriptorReader {
 public:
  absl::StatusOr<v1::ReadRequest> Run(const FlightDescriptor& descriptor,
                                      const CallHeaders& headers) {
    switch (descriptor.type()) {
      case FlightDescriptor::PATH:
        TakePath(descriptor);
        break;
      case FlightDescriptor::CMD:
        TakeCommand(descriptor);
        break;
      default:
        Refuse("flight_descriptor.type", "expected PATH or CMD");
    }
    // Of each header, in the order of names: what is given twice is found by its second.
    for (const auto& [name, value] : headers) {
      if (name.starts_with(kHeaderPrefix)) TakeHeader(name, value);
    }
    if (!status_.ok()) return std::move(status_);
    request_.set_media_type(std::string(records::kArrowStreamMediaType));
    return std::move(request_);
  }

 private:
  void TakePath(const FlightDescriptor& descriptor) {
    if (!descriptor.cmd().empty()) Refuse("flight_descriptor.cmd", "does not go with a path");
    const std::string name = descriptor.path_size() == 2
                                 ? absl::StrCat(descriptor.path(0), "/", descriptor.path(1))
                                 : std::string();
    if (!catalogue::IsDatasetName(name))
      return Refuse("flight_descriptor.path", "expected two parts, the agency and the dataset");
    request_.set_dataset(name);
  }

  void TakeCommand(const FlightDescriptor& descriptor) {
    if (descriptor.path_size() > 0) Refuse("flight_descriptor.path", "does not go with a command");
    const std::string& command = descriptor.cmd();
    if (command.size() > kMostCommand)
      return Refuse("flight_descriptor.cmd", "expected at most 262,144 bytes");
    // What the parser says of a mistake may repeat values.
    if (!records::ValidUtf8(command) ||
        !google::protobuf::util::JsonStringToMessage(command, &request_).ok()) {
      request_.Clear();
      return Refuse("flight_descriptor.cmd", "expected a sluice.v1.ReadRequest as proto3 JSON");
    }
    if (!request_.media_type().empty() && request_.media_type() != records::kArrowStreamMediaType)
      Refuse("flight_descriptor.cmd.media_type",
             absl::StrCat("leave it out, or say ", std::string(records::kArrowStreamMediaType)));
  }

  void TakeHeader(std::string_view name, std::string_view value) {
    const std::string path = absl::StrCat("headers.", std::string(name));
    std::string_view plain = name;
    if (plain.ends_with(kBinarySuffix)) plain.remove_suffix(kBinarySuffix.size());
    const auto* const field =
        std::find_if(std::begin(kInHeaders), std::end(kInHeaders),
                     [&](std::string_view known) { return HeaderOf(known) == plain; });
    if (field == std::end(kInHeaders)) return RefuseUnknown(plain);
    if (!records::ValidUtf8(value)) return Refuse(path, "expected UTF-8");
    if (*field == "fields") return TakeFields(path, value);
    const auto* const at = v1::ReadRequest::descriptor()->FindFieldByName(std::string(*field));
    const auto& reflection = *v1::ReadRequest::GetReflection();
    if (!reflection.GetString(request_, at).empty())
      return Refuse(path, "was given before, here or in the command");
    reflection.SetString(&request_, at, std::string(value));
  }

  void TakeFields(const std::string& path, std::string_view value) {
    if (request_.fields_size() > 0) return Refuse(path, "was given before, here or in the command");
    for (const absl::string_view part : absl::StrSplit(std::string(value), ',')) {
      const absl::string_view name = absl::StripAsciiWhitespace(part);
      if (name.empty()) return Refuse(path, "expected names with commas between them");
      request_.add_fields(std::string(name));
    }
  }

  // A claim that was misspelt would be lost unseen.
  void RefuseUnknown(std::string_view plain) {
    std::vector<std::string> known;
    for (const std::string_view field : kInHeaders) known.push_back(HeaderOf(field));
    Refuse("headers", absl::StrCat("one is unknown; there are ", absl::StrJoin(known, ", ")));
    status_ =
        WithNearest(std::move(status_),
                    NearestName(plain, std::vector<std::string_view>(known.begin(), known.end())));
  }

  void Refuse(std::string_view path, std::string_view mistake) {
    if (status_.ok()) status_ = Error(v1::REASON_REQUEST_INVALID, "the request has mistakes.");
    AddFieldViolation(status_, path, mistake);
  }

  v1::ReadRequest request_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<v1::ReadRequest> ReadRequestOf(const FlightDescriptor& descriptor,
                                              const CallHeaders& headers) {
  return DescriptorReader().Run(descriptor, headers);
}

}  // namespace sluice::rpc
