// How the log names data subjects: canonical forms of identifiers, and keyed pseudonyms of them.
// Pseudonym: first 16 bytes of HMAC-SHA256(HKDF(root key, "sluice/subject/v1/" year "/" id type),
// canonical id). A new key year each January (UTC); a search tries all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/base/file_system.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {

// The id types that have a canonical form: "CN-RID" (GB 11643 resident number, 18 characters with
// check character, or 15 which are turned into 18), "CN-USCC" (GB 32100), "CN-PASSPORT", "TEXT"
// (trimmed, NFKC, upper case). docs/formats/subjects.md has each, versioned.
const std::vector<std::string>& IdTypes();
bool IsIdType(std::string_view id_type);

struct CanonicalId {
  std::string text;
  bool valid = true;  // false: no checksum or form holds; then text is the "TEXT" form
};
// Never fails: what does not fit its type still gets one form, so that a search for it finds it.
CanonicalId Canonical(std::string_view id_type, std::string_view raw);

// The root of all pseudonyms and keyed digests: 32 bytes in a file of its own (0600), never in a
// backup of the log. Immutable; any thread. Derived keys are kept, so that naming costs one HMAC.
class Pseudonyms {
 public:
  // Refuses a file that is not exactly one line of 64 hex digits, or that others may read.
  static absl::StatusOr<std::unique_ptr<Pseudonyms>> FromFile(const std::string& path,
                                                              FileSystem& files);
  explicit Pseudonyms(std::string root_key);
  ~Pseudonyms();

  v1::SubjectPseudonym ForSubject(std::string_view id_type, std::string_view raw, Micros now) const;
  // 32 bytes: what makes pseudonyms of identifiers of that type in that year.
  std::string SubjectKey(std::string_view id_type, int64_t year) const;
  // 16 bytes that a consumer agency sees in place of a value: the same for the same value of the
  // same id type or field, another for each consumer. Label "sluice/mask/v1/<consumer>/<scope>".
  std::string ForMask(std::string_view consumer_agency, std::string_view scope,
                      std::string_view canonical_value) const;
  // 16 bytes standing for a parameter's value in the log.
  std::string ForParameter(std::string_view scope, std::string_view value) const;
  // 16 bytes standing for a request id or a whole request.
  std::string ForRequest(std::string_view bytes) const;
  // A 32-byte key for another use, such as page tokens; `label` must be unique to it.
  std::string DeriveKey(std::string_view label) const;
  // DeriveKey("sluice/order/v1"): what rows are shuffled by where the grant hides their key.
  const std::string& order_key() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::audit
