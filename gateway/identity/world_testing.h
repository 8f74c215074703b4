// A small registered world for tests of the control rooms: a store in a folder of its own, changes
// that run at once, a clock, and callers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/audit/fake_changes.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gateway/identity/caller.h"
#include "gateway/identity/submit.h"
#include "gateway/store/store.h"

namespace sluice::identity {

class World {
 public:
  // With identity's tables and `rooms`' behind them.
  explicit World(const std::vector<store::Migrations>& rooms = {});
  ~World();

  // Registered directly, without a change.
  void AddAgency(const std::string& id);
  Caller AddPerson(const std::string& agency, const std::string& name,
                   const std::vector<v1::Role>& roles);
  Caller AddSystem(const std::string& agency, const std::string& name);
  void AddPurpose(const std::string& code, bool withdrawn = false);
  // Of the kind sqlite, with a file's name.
  v1::Source AddSource(const std::string& id, const std::string& owner);

  // The body must not fail.
  void Read(const std::function<absl::Status(store::Reader&)>& body);
  void Write(const std::function<absl::Status(store::Transaction&)>& body);

  FakeClock clock;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<audit::FakeChanges> changes;

 private:
  std::string folder_;
};

// What a method answers, where it answers at once.
template <class Response, class Call>
absl::StatusOr<Response> Answer(Call call) {
  std::optional<absl::StatusOr<Response>> answer;
  call([&answer](absl::StatusOr<Response> given) { answer = std::move(given); });
  if (!answer) return absl::InternalError("no answer came");
  return *std::move(answer);
}

// "path: mistake" of each field violation.
std::vector<std::string> Violations(const absl::Status& status);

}  // namespace sluice::identity
