#include "cli/parameters.h"

#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/failure.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kMostParameter = 1 << 20;
constexpr int kMostValues = 1000;

absl::Status Add(const std::string& option, std::string_view name, std::string_view text,
                 v1::ParameterValues& values) {
  values.add_values()->set_string_value(std::string(text));
  if (values.values_size() <= kMostValues) return absl::OkStatus();
  return UsageError(absl::StrCat(option, " ", std::string(name), ": more than 1,000 values."),
                    "ask in parts");
}

absl::Status AddLines(const std::string& option, std::string_view name, std::string_view text,
                      v1::ParameterValues& values) {
  std::vector<std::string> lines =
      absl::StrSplit(absl::string_view(text.data(), text.size()), '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  for (std::string& line : lines) {
    if (line.ends_with('\r')) line.pop_back();
    SLUICE_RETURN_IF_ERROR(Add(option, name, line, values));
  }
  if (!lines.empty()) return absl::OkStatus();
  return UsageError(absl::StrCat(option, " ", std::string(name), ": no value came."),
                    "write a value a line");
}

}  // namespace

absl::Status ReadParameters(const std::vector<std::string>& arguments, FileSystem& files,
                            std::istream& in,
                            google::protobuf::Map<std::string, v1::ParameterValues>& parameters,
                            const std::string& option) {
  bool input_read = false;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0)
      return UsageError(absl::StrCat(option, " takes NAME=VALUE, NAME=@FILE or NAME=@-."),
                        absl::StrCat(option, " id=@-"));
    const std::string name = argument.substr(0, equals);
    const std::string value = argument.substr(equals + 1);
    v1::ParameterValues& values = parameters[name];
    if (value == "@-") {
      if (input_read)
        return UsageError("only one parameter can come from the standard input.",
                          absl::StrCat(option, " ", name, "=@FILE"));
      input_read = true;
      std::ostringstream text;
      text << in.rdbuf();
      SLUICE_RETURN_IF_ERROR(AddLines(option, name, text.str(), values));
    } else if (value.starts_with('@')) {
      const auto text = files.ReadAll(value.substr(1), kMostParameter);
      if (!text.ok())
        return UsageError(
            absl::StrCat(option, " ", name, ": ", std::string(text.status().message())),
            absl::StrCat(option, " ", name, "=@FILE"));
      SLUICE_RETURN_IF_ERROR(AddLines(option, name, *text, values));
    } else {
      SLUICE_RETURN_IF_ERROR(Add(option, name, value, values));
    }
  }
  return absl::OkStatus();
}

}  // namespace sluice::cli
