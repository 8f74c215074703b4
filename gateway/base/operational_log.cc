#include "gateway/base/operational_log.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace sluice {

void OperationalLog::Write(Severity severity, std::string_view event, std::string_view message,
                           Fields fields) {
  static constexpr std::string_view kNames[] = {"info", "warning", "error"};
  nlohmann::ordered_json line;
  line["time"] = FormatUtc(clock_.Now());
  line["severity"] = kNames[static_cast<int>(severity)];
  line["event"] = event;
  line["message"] = message;
  for (const auto& [key, value] : fields) line[std::string(key)] = value;
  // Bytes that are no UTF-8 are replaced: a message from a driver must not end the process.
  WriteLine(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void OperationalLog::WriteLine(const std::string& line) {
  // Where standard error is gone there is nobody left to tell.
  [[maybe_unused]] const ssize_t written = write(descriptor_, line.data(), line.size());
}

}  // namespace sluice
