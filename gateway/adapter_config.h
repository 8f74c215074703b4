// What `sluiced --adapter FILE` reads: sources of this machine that gateways elsewhere may read
// through it. docs/adapters/remote.md is the same list for people.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/registry.h"
#include "certs/file_verifier.h"
#include "gateway/base/clock.h"
#include "gateway/base/file_system.h"
#include "gateway/listener_keys.h"
#include "sluice/v1/registry.pb.h"

namespace sluice {

struct AdapterConfig {
  std::string listen;  // "host:port"; port 0 lets the system choose (it is logged)
  ListenerPair pair;   // its certificate is spiffe://<trust domain>/agency/<A>/adapter/<N>
  certs::FileVerifierOptions authorities;  // of the gateways that call
  std::set<std::string> gateways;          // who may call, by name
  std::map<std::string, v1::Source, std::less<>> sources;

  struct Limits {
    Micros default_deadline = 30 * kSecond;
    Micros max_scan = 6 * kHour;
    int streams_per_connection = 512;
    Micros connection_age = 30 * kMinute;
    Micros drain = 20 * kSecond;
    Micros drain_notice = 2 * kSecond;
  } limits;
};

// Parses and checks text, settings of sources too; paths are made absolute, relative to the file's
// folder, but for those in settings, which are the kind's to read. INVALID_ARGUMENT with all
// mistakes, "file:line: path: mistake" a line each.
absl::StatusOr<AdapterConfig> ParseAdapterConfig(std::string_view text, const std::string& file,
                                                 const std::vector<adapters::Kind>& kinds);

// Reads the file. Also whether the files that it names exist and can be read, and that the key is
// closed to others.
absl::StatusOr<AdapterConfig> LoadAdapterConfig(const std::string& file, FileSystem& files,
                                                const std::vector<adapters::Kind>& kinds);

}  // namespace sluice
