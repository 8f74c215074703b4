// One run of a command: the options that all commands share, and what follows from them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "cli/display.h"
#include "cli/environment.h"
#include "cli/failure.h"
#include "google/protobuf/message.h"

namespace sluice::cli {

enum class Format { kTable, kJson, kCsv };

struct SharedOptions {
  std::string profile;
  std::string format;  // empty: a table to a terminal, JSON lines elsewhere
  std::string language = "en";
  std::string timeout;  // empty: 30 s, and for a stream the gateway's maximum
};

// Not for two threads.
class Session {
 public:
  Session(Environment& environment, const SharedOptions& options)
      : environment(environment), options_(options) {}

  // Loaded once, when first asked for.
  absl::StatusOr<const Profile*> GetProfile();
  absl::StatusOr<cli::Gateway*> GetGateway();

  // Of a stream, from now on; 0 where none was asked for.
  absl::StatusOr<Micros> StreamDeadline() const;

  Format format() const;
  // The format asked for by name; empty where none was.
  const std::string& format_named() const { return options_.format; }
  bool markdown() const { return options_.format == "markdown"; }  // for explain alone
  bool chinese() const { return options_.language == "zh"; }
  // The Chinese word where the person asked for Chinese. Reasons are never translated.
  std::string Label(std::string_view english) const;

  // A list to stdout in the format asked for: cells for tables and CSV, messages for JSON.
  template <class Messages>
  void PrintList(const std::vector<TableColumn>& columns,
                 const std::vector<std::vector<std::string>>& rows, const Messages& messages) {
    std::vector<const google::protobuf::Message*> pointers;
    for (const auto& message : messages) pointers.push_back(&message);
    PrintAll(columns, rows, pointers);
  }
  // One message: `lines` of label and value for people, else an object.
  void PrintOne(const FailureLines& lines, const google::protobuf::Message& message);

  Environment& environment;

 private:
  void PrintAll(const std::vector<TableColumn>& columns,
                const std::vector<std::vector<std::string>>& rows,
                const std::vector<const google::protobuf::Message*>& messages);

  const SharedOptions& options_;
  std::optional<Profile> profile_;
  std::unique_ptr<cli::Gateway> gateway_;
};

using Command = std::function<absl::Status(Session&)>;

// What the arguments name; set by the callbacks of CLI11.
struct Invocation {
  SharedOptions options;
  Command command;
};

// Asks the profile's gateway.
template <class M>
absl::StatusOr<typename M::Response> Ask(Session& session, const M& method,
                                         const typename M::Request& request) {
  auto gateway = session.GetGateway();
  if (!gateway.ok()) return gateway.status();
  return Call(**gateway, method, request);
}

}  // namespace sluice::cli
