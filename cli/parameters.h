// --param N=V, N=@FILE or N=@-: values bound to the parameters of a filter. Personal identifiers
// need not stand on a command line, where other users of the machine see them.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/base/file_system.h"
#include "google/protobuf/map.h"
#include "sluice/v1/values.pb.h"

namespace sluice::cli {

// All values are sent as text: the gateway reads it as the type of the field that the filter
// compares it with. A file or the standard input holds a value a line; several lines, or the same
// name several times, make a list. UsageError where one cannot be read; no value is ever repeated
// in an error, which names `option`.
absl::Status ReadParameters(const std::vector<std::string>& arguments, FileSystem& files,
                            std::istream& in,
                            google::protobuf::Map<std::string, v1::ParameterValues>& parameters,
                            const std::string& option = "--param");

}  // namespace sluice::cli
