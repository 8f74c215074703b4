// sluiced.yaml as a struct: every setting, its default, its bounds. docs/configuration.md is the
// same list for people; `sluice init` writes it with comments.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/base/file_system.h"
#include "gateway/catalogue/entry_metadata.h"
#include "gateway/listener_keys.h"

namespace sluice {

struct AuthorityConfig {
  std::string certificate;            // PEM file: the authority, and intermediates if any
  std::vector<std::string> agencies;  // that it may name; "*" for all
  std::string revocation_list;        // PEM file; a published one that is newer wins
};

struct Config {
  std::string gateway;        // id: "gw1"; its certificate is spiffe://<trust domain>/gateway/gw1
  std::string trust_domain;   // "gov.example"
  std::string listen;         // "host:port"; port 0 lets the system choose (it is logged)
  std::string store;          // control store, a file
  std::string seed;           // registrations for an empty store; may be empty
  std::string run_directory;  // where checked key pairs are kept for the listener

  struct Tls {
    std::string certificate, key;
    std::vector<AuthorityConfig> authorities;
    Micros crl_grace = 0;
    Micros handshake = 10 * kSecond;
  } tls;

  struct Audit {
    std::string directory;              // the log itself
    std::string origin;                 // "gw1.gov.example/log"
    std::string signing_key;            // Ed25519 seed
    std::string kept_head;              // the last head, kept apart from the log
    std::vector<std::string> heads_at;  // files or URLs that hold heads of this log elsewhere
    bool start_without_heads = false;   // recorded
    std::string detail_keys;            // folder
    std::string subject_key;            // file
    std::string derived;                // tiles, index: rebuilt at will
    int64_t segment_bytes = 64 << 20;
    Micros head_interval = kSecond;
    std::string http_listen;       // heads and tiles for auditors, over HTTPS; empty: none
    int64_t disk_low = 256 << 20;  // free on the log's disk; below it nothing is released. 0: never
    int64_t scrub_rate = 4 << 20;  // bytes a second that are read again; 0: none
    Micros scrub_rest = kDay;      // between two passes

    struct Witnesses {
      std::string policy;       // file (tlog-policy); empty: nobody is asked
      std::string authorities;  // PEM file, of the witnesses' servers; empty: the system's
      Micros interval = 10 * kSecond;
      Micros timeout = 5 * kSecond;
      Micros releases_stop_after = 0;  // without a quorum's cosignatures; 0: never
    } witnesses;
  } audit;

  struct Sharing {
    std::vector<std::string> calendars;  // files of working days, before the shipped ones
    std::vector<std::string> clocks;     // files of profiles, before the shipped one
  } sharing;

  struct Catalogue {
    catalogue::PublicationRule publication = catalogue::PublicationRule::kOwner;
  } catalogue;

  struct Operations {
    std::string http_listen;  // health and metrics, over HTTP on a loopback address; empty: none
  } operations;

  struct Limits {
    int running_calls = 2048;
    int running_calls_per_system = 512;
    int max_page_rows = 1000;
    Micros default_deadline = 30 * kSecond;
    Micros max_deadline = 120 * kSecond;
    Micros max_read = 6 * kHour;  // of a stream; also where the caller names no deadline
    Micros stall = 30 * kSecond;  // a stream whose consumer takes nothing for this long is cut
    int streams = 64;             // open at once; each holds up to some 10 MiB
    Micros token_life = kHour;
    int connections = 4096;  // open files are checked against it at start
    int streams_per_connection = 512;
    Micros connection_age = 30 * kMinute;
    Micros drain = 20 * kSecond;
    Micros drain_notice = 2 * kSecond;  // between turning unready and refusing calls
  } limits;
};

// Parses and checks text; paths are made absolute, relative to the file's folder. INVALID_ARGUMENT
// with all mistakes, "file:line: path: mistake" a line each.
absl::StatusOr<Config> ParseConfig(std::string_view text, const std::string& file);

// Reads the file. Also whether the files that it names exist and can be read, and that secret ones
// are closed to others.
absl::StatusOr<Config> LoadConfig(const std::string& file, FileSystem& files, std::string* text);

// What the listener shows.
ListenerPair ListenerPairOf(const Config& config);

}  // namespace sluice
