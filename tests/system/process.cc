#include "tests/system/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gateway/base/process_testing.h"
#include "gtest/gtest.h"

namespace sluice::system_test {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Binaries stand beside the test's own.
std::string Locate(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
  return std::filesystem::exists(here) ? here.string() : name;
}

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

void Nap(int milliseconds) { usleep(static_cast<useconds_t>(milliseconds) * 1000); }

// Input, output and errors in a folder of their own.
class Process::Files {
 public:
  Files() {
    std::string path = (std::filesystem::temp_directory_path() / "sluice-process-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) abort();
    folder_ = path;
  }
  ~Files() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string input() const { return folder_ + "/input"; }
  std::string output() const { return folder_ + "/output"; }
  std::string errors() const { return folder_ + "/errors"; }

 private:
  std::string folder_;
};

Process::Process(std::vector<std::string> arguments, Surroundings surroundings)
    : files_(std::make_unique<Files>()) {
  std::ofstream(files_->input(), std::ios::binary) << surroundings.input;
  arguments[0] = Locate(arguments[0]);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::map<std::string, std::string> variables = surroundings.environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const size_t equals = text.find('=');
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  std::vector<std::string> texts;
  for (const auto& [name, value] : variables) texts.push_back(name + "=" + value);
  std::vector<char*> environment;
  for (std::string& text : texts) environment.push_back(text.data());
  environment.push_back(nullptr);

  const std::string input = files_->input(), output = files_->output(), errors = files_->errors();
  pid_ = fork();
  if (pid_ != 0) return;
  // Only what is safe between fork and exec.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!surroundings.folder.empty() && chdir(surroundings.folder.c_str()) != 0) _exit(126);
  dup2(open(input.c_str(), O_RDONLY), 0);
  dup2(open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
  dup2(open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
  for (int descriptor = 3; descriptor < 256; ++descriptor) close(descriptor);
  if (surroundings.file_limit > 0) {
    const rlimit limit{static_cast<rlim_t>(surroundings.file_limit),
                       static_cast<rlim_t>(surroundings.file_limit)};
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  execvpe(argv[0], argv.data(), environment.data());
  _exit(127);
}

Process::~Process() {
  if (!Running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool Process::Running() {
  if (pid_ <= 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  code_ = ExitCode(status);
  pid_ = -1;
  return false;
}

void Process::Signal(int signal) const {
  if (pid_ > 0) SendSignal(pid_, signal);
}

Finished Process::Wait(int seconds) {
  if (!Eventually([this] { return !Running(); }, seconds * 1000)) {
    ADD_FAILURE() << "still runs after " << seconds << " s; it said\n" << Errors();
    kill(pid_, SIGKILL);
    Eventually([this] { return !Running(); });
  }
  return {code_, Output(), Errors()};
}

std::string Process::Output() const { return ReadFile(files_->output()); }
std::string Process::Errors() const { return ReadFile(files_->errors()); }

bool Process::WaitForError(const std::string& text, int seconds) {
  bool found = false;
  Eventually(
      [&] {
        found = Errors().find(text) != std::string::npos;
        return found || !Running();
      },
      seconds * 1000);
  return found;
}

Finished Execute(std::vector<std::string> arguments, Surroundings surroundings) {
  Process process(std::move(arguments), std::move(surroundings));
  return process.Wait();
}

}  // namespace sluice::system_test
