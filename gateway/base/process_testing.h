// What tests see of other processes, by Linux's /proc: whether their threads run, wait or stand.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

namespace sluice {

// Whether each thread is in one of these states, such as "S" (waits) or "T" (stopped): proc(5).
inline bool ThreadsAre(pid_t process, std::string_view states) {
  std::error_code gone;
  const std::string tasks = "/proc/" + std::to_string(process) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
    std::ifstream file(task.path() / "stat");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const size_t name_ends = text.rfind(") ");
    if (name_ends == text.npos || name_ends + 2 >= text.size()) continue;  // it has just ended
    if (states.find(text[name_ends + 2]) == states.npos) return false;
  }
  return true;
}

// Whether they came to be so within ten seconds.
inline bool ThreadsBecome(pid_t process, std::string_view states) {
  for (int i = 0; i < 10'000; ++i) {
    if (ThreadsAre(process, states)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

// Sends a signal. One that stops takes a moment until the last thread stands: that is awaited.
inline void SendSignal(pid_t process, int signal) {
  kill(process, signal);
  if (signal == SIGSTOP) ThreadsBecome(process, "TZX");
}

}  // namespace sluice
