// The operational log: one JSON object a line, for the operator and for machines. Never personal
// identifiers, never secrets. Any thread; a line is written whole.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/clock.h"

namespace sluice {

enum class Severity { kInfo, kWarning, kError };

class OperationalLog {
 public:
  using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  // Lines go to this descriptor (2: standard error). The clock outlives the log.
  OperationalLog(int descriptor, const Clock& clock) : descriptor_(descriptor), clock_(clock) {}
  virtual ~OperationalLog() = default;
  // {"time":"…","severity":"info","event":"source_failed","message":"…","source":"ps"}
  void Write(Severity severity, std::string_view event, std::string_view message,
             Fields fields = {});

 protected:
  virtual void WriteLine(const std::string& line);

 private:
  const int descriptor_;
  const Clock& clock_;
};

}  // namespace sluice
