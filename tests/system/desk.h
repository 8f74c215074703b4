// One person's desk: a folder with that person's files and certificate and nobody else's, where
// `sluice` is typed as at a terminal. What one desk gives to another the test carries there.
//
//   Desk engineer;
//   engineer.Done({"certs", "request", "agency/civil-affairs/system/relief", …});
//   operators_desk.Take(engineer.Path("request.pem"), "incoming.pem");
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/system/deployment.h"
#include "tests/system/process.h"

namespace sluice::system_test {

class Desk {
 public:
  Desk();
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  std::string Path(std::string_view name) const;
  void Write(std::string_view name, std::string_view text) const;
  // A copy of that file or folder, under this name.
  void Take(const std::string& from, std::string_view name) const;
  // Key, certificate and authority are files of these names here; the gateway's address and the
  // log's key are words that were told.
  void WriteProfile(const Deployment& gateway) const;

  // `sluice ARGUMENTS`, as whoever sits here.
  Finished Type(std::vector<std::string> arguments, std::string input = "");
  // The same, which must succeed; what it printed.
  std::string Done(std::vector<std::string> arguments, std::string input = "");
  // Commands so far.
  int typed() const { return typed_; }

 private:
  std::string folder_;
  int typed_ = 0;
};

}  // namespace sluice::system_test
