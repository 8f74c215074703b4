// Child processes of a test: what they print is kept in files, and none outlives the test.
//
//   Finished who = Execute({"sluice", "whoami"}, {.folder = path});
//   EXPECT_EQ(who.code, 0) << who.errors;
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sluice::system_test {

struct Surroundings {
  std::string folder;                              // where it runs
  std::string input;                               // its standard input
  std::map<std::string, std::string> environment;  // beside the test's own
  int file_limit = 0;                              // most open files; 0 leaves it as it is
};

struct Finished {
  int code = -1;  // exit code; 128 + the signal's number where one ended it
  std::string output, errors;
  std::string all() const { return output + errors; }
};

class Process {
 public:
  // The first argument is looked for beside the test's own binary, then in PATH.
  Process(std::vector<std::string> arguments, Surroundings surroundings);
  // Kills what still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool Running();
  void Signal(int signal) const;
  // Until it ends. A process that takes longer than this many seconds is killed, which fails the
  // test.
  Finished Wait(int seconds = 60);
  // So far.
  std::string Output() const;
  std::string Errors() const;
  // Until standard error holds the text. False where the process ends or the time is over first.
  bool WaitForError(const std::string& text, int seconds = 30);

 private:
  class Files;
  std::unique_ptr<Files> files_;
  pid_t pid_ = -1;
  int code_ = -1;
};

Finished Execute(std::vector<std::string> arguments, Surroundings surroundings = {});

// Waits until `condition` holds; false where it does not within that time.
template <class Condition>
bool Eventually(Condition condition, int milliseconds = 10'000);

void Nap(int milliseconds);

template <class Condition>
bool Eventually(Condition condition, int milliseconds) {
  for (int waited = 0; !condition(); waited += 10) {
    if (waited >= milliseconds) return false;
    Nap(10);
  }
  return true;
}

}  // namespace sluice::system_test
