// The text files that `sluice init` writes. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/clock.h"

namespace sluice::cli {

// What a new deployment is called and where it listens.
struct Deployment {
  std::string folder;        // absolute, where it will stand
  std::string gateway;       // "gw1"
  std::string trust_domain;  // "gov.example"
  std::string host;          // of --listen: what callers dial
  std::string port;
  std::string listen;  // what the daemon binds
  std::string bureau;  // agency of the first authority and operator
  bool sample = false;
  Micros now = 0;
  Micros list_until = 0;  // when the first revocation list runs out

  std::string Origin() const { return gateway + "." + trust_domain + "/log"; }
};

// Who gets a profile and a key from init.
struct FirstParty {
  std::string profile;  // "relief"
  std::string agency;
  std::string name;
  bool is_system = false;
};
std::vector<FirstParty> FirstParties(const Deployment& deployment);

// Every setting with its default and a comment; tests/documents holds it against gateway/config.cc.
std::string ConfigText(const Deployment& deployment);
std::string SeedText(const Deployment& deployment);
std::string ProfileText(const Deployment& deployment, const FirstParty& party);

struct SampleFile {
  std::string path;  // below the folder
  std::string text;
};
std::vector<SampleFile> SampleFiles(const Deployment& deployment);

}  // namespace sluice::cli
