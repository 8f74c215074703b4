// A whole gateway for a test, made as a user makes one: `sluice init --sample` in a folder of its
// own, the daemon as a process on a free port, the sample's parties each with their certificate.
//
//   Deployment gateway;
//   gateway.Start();
//   gateway.OfferSample();
//   auto reply = Call(gateway.As("relief"), cli::kQuery, gateway.PersonsQuery());
//
// Parties: authority, operator, relief (a system of civil-affairs), residents-owner
// (public-security), regions-owner (civil-affairs), auditor. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "certs/authority.h"
#include "cli/gateway.h"
#include "cli/methods.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/base/file_system.h"
#include "nlohmann/json.hpp"
#include "tests/system/process.h"

namespace sluice::system_test {

class Deployment {
 public:
  // Two seconds' notice before draining would make every test two seconds longer.
  Deployment();
  ~Deployment();

  std::string Path(std::string_view name) const;
  std::string Read(std::string_view name) const;
  void Write(std::string_view name, std::string_view text) const;
  // In a file of the deployment; the first text must stand there.
  void Replace(std::string_view name, const std::string& from, const std::string& to) const;

  // Until it says that it is ready. Profiles then hold its address.
  void Start(Surroundings surroundings = {});
  Process& daemon() { return *daemon_; }
  const std::string& address() const { return address_; }  // "127.0.0.1:41733"
  std::string port() const { return address_.substr(address_.rfind(':') + 1); }
  // SIGTERM, and how it ended.
  Finished Stop();
  // SIGKILL, and waits until it is gone.
  void Kill();
  // Lines of the operational log with this event, so far.
  std::vector<nlohmann::json> Events(std::string_view event) const;

  // The source, the dataset and the grant of the residents (synthetic), of whom there are twelve.
  void OfferSample();
  // The dataset of regions, with this many rows, and its grant to systems of public-security: all
  // fields as they are, in the order of the key. Adds the system public-security/planning.
  void OfferRegions(int rows);
  // Makes a key and a certificate, registers the system, and gives it the profile NAME.
  void AddSystem(const std::string& agency, const std::string& name);
  // `sluice --profile profiles/PARTY.yaml ARGUMENTS`, in the deployment's folder.
  Finished Sluice(const std::string& party, std::vector<std::string> arguments,
                  std::string input = "") const;
  // The same, which must succeed.
  std::string Done(const std::string& party, std::vector<std::string> arguments,
                   std::string input = "") const;
  // `sluice ARGUMENTS`, without a profile.
  Finished Local(std::vector<std::string> arguments) const;
  std::string Verify() const;  // `sluice audit verify` of the log, which must hold

  // Calls as that party; kept open until the gateway starts again.
  cli::Gateway& As(const std::string& party);
  // A connection of its own.
  std::unique_ptr<cli::Gateway> Connect(const std::string& party,
                                        Micros deadline = 20 * kSecond) const;
  std::vector<v1::Grant> GrantsInForce();
  // What the relief system may ask.
  static v1::QueryRequest PersonsQuery();
  static v1::QueryRequest PersonsQuery(const std::string& id_number);
  // What the planning system may ask.
  static v1::QueryRequest RegionsQuery();

  // The authority that signed everybody here.
  std::unique_ptr<certs::Authority> OpenAuthority();
  // Records of the log, oldest first, as the auditor sees them; with details where asked for.
  std::vector<v1::Record> Records(v1::RecordKind kind = v1::RECORD_KIND_UNSPECIFIED);
  v1::Record RecordAt(int64_t index);

 private:
  Surroundings Around(std::string input) const;

  std::string folder_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<RandomSource> random_;
  std::unique_ptr<Process> daemon_;
  std::string address_;
  std::map<std::string, std::unique_ptr<cli::Gateway>> gateways_;
};

// The id numbers and names of the sample's residents.
const std::vector<std::string>& SampleIds();
const std::vector<std::string>& SampleNames();

}  // namespace sluice::system_test
