// A witness for a test, made as a user makes one: `sluice witness init`, then `serve` as a process
// on a free port. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/system/process.h"

namespace sluice::system_test {

class WitnessProcess {
 public:
  // `logs`: files with verifier keys. The folder is new, and somewhere of its own.
  WitnessProcess(const std::string& name, const std::vector<std::string>& logs);
  ~WitnessProcess();

  std::string Path(const std::string& name) const;
  std::string Read(const std::string& name) const;
  void Write(const std::string& name, const std::string& text) const;
  std::string vkey() const;                          // its text
  const std::string& told() const { return told_; }  // by init

  // Until it says that it is ready; on the port that it had before, where it had one.
  void Start();
  Finished Stop();
  void Kill();
  void Signal(int signal) const { process_->Signal(signal); }
  const std::string& address() const { return address_; }
  // Lines of its operational log with that event.
  std::vector<nlohmann::json> Events(const std::string& event) const;

 private:
  std::string folder_, address_, told_;
  std::unique_ptr<Process> process_;
};

}  // namespace sluice::system_test
