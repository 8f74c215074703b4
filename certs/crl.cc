#include "certs/crl.h"

#include <openssl/err.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "certs/openssl.h"
#include "gateway/base/error.h"

namespace sluice::certs {
namespace {

constexpr std::string_view kListLabel = "X509 CRL";
constexpr size_t kMaxLists = 16;
constexpr std::string_view kListNext = "bring a full list as sluice certs revoke writes it";

constexpr std::array<std::pair<RevocationReason, std::string_view>, 6> kReasons = {{
    {RevocationReason::kUnspecified, "unspecified"},
    {RevocationReason::kKeyCompromise, "key-compromise"},
    {RevocationReason::kAuthorityCompromise, "authority-compromise"},
    {RevocationReason::kAffiliationChanged, "affiliation-changed"},
    {RevocationReason::kSuperseded, "superseded"},
    {RevocationReason::kCessationOfOperation, "cessation-of-operation"},
}};

// Critical extensions change what a list means (delta, indirect, partial): none is understood here.
bool HasCritical(const STACK_OF(X509_EXTENSION) * extensions) {
  return X509v3_get_ext_by_critical(extensions, 1, -1) >= 0;
}

// Reasons that we do not name are kept as unspecified: revoked is revoked.
RevocationReason ReasonOfEntry(const X509_REVOKED* entry) {
  int critical = 0;
  const Owned<ASN1_ENUMERATED, ASN1_ENUMERATED_free> code(static_cast<ASN1_ENUMERATED*>(
      X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, nullptr)));
  const long value = code == nullptr ? 0 : ASN1_ENUMERATED_get(code.get());
  return value >= 0 && value <= 5 ? static_cast<RevocationReason>(value)
                                  : RevocationReason::kUnspecified;
}

std::optional<int64_t> NumberOf(const X509_CRL* list) {
  int critical = 0;
  const OwnedInteger number(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list, NID_crl_number, &critical, nullptr)));
  int64_t value = 0;
  const bool good = number != nullptr && ASN1_INTEGER_get_int64(&value, number.get()) == 1;
  ERR_clear_error();
  return good && value >= 0 ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string_view RevocationReasonName(RevocationReason reason) {
  for (const auto& [value, name] : kReasons)
    if (value == reason) return name;
  return "unspecified";
}

std::optional<RevocationReason> RevocationReasonFromName(std::string_view name) {
  for (const auto& [value, known] : kReasons)
    if (known == name) return value;
  return std::nullopt;
}

absl::StatusOr<RevocationList> RevocationList::FromDer(std::string_view der,
                                                       std::string_view place) {
  auto owned = FromExactDer<X509_CRL, X509_CRL_free>(der, d2i_X509_CRL);
  ERR_clear_error();
  if (owned == nullptr) return Mistake(place, "no revocation list, or cut short", kListNext);
  X509_CRL* native = owned.get();
  auto contents = std::make_shared<Contents>();
  contents->native = std::shared_ptr<X509_CRL>(owned.release(), X509_CRL_free);
  contents->place = std::string(place);
  contents->der = std::string(der);
  contents->issuer = NameText(X509_CRL_get_issuer(native));
  if (HasCritical(X509_CRL_get0_extensions(native)))
    return Mistake(place, "a delta, indirect or partial list (a critical extension)", kListNext);
  const auto number = NumberOf(native);
  const auto this_update = MicrosOf(X509_CRL_get0_lastUpdate(native));
  const auto next_update = MicrosOf(X509_CRL_get0_nextUpdate(native));
  if (!number) return Mistake(place, "has no number", kListNext);
  if (!this_update || !next_update || *next_update <= *this_update)
    return Mistake(place, "has no next update, or one before its this update", kListNext);
  contents->number = *number;
  contents->this_update = *this_update;
  contents->next_update = *next_update;
  STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(native);
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
    const auto serial = SerialText(X509_REVOKED_get0_serialNumber(entry));
    const auto revoked_at = MicrosOf(X509_REVOKED_get0_revocationDate(entry));
    if (!serial || !revoked_at || HasCritical(X509_REVOKED_get0_extensions(entry)))
      return Mistake(place, absl::StrCat("entry ", i + 1, " is malformed"), kListNext);
    contents->revoked.try_emplace(*serial, Revocation{*revoked_at, ReasonOfEntry(entry)});
  }
  ERR_clear_error();
  return RevocationList(std::move(contents));
}

absl::StatusOr<RevocationList> RevocationList::FromPem(std::string_view pem,
                                                       std::string_view place) {
  SLUICE_ASSIGN_OR_RETURN(const auto blocks,
                          ReadPemBlocks(pem, kListLabel, 1, place, v1::REASON_DEFINITION_INVALID));
  return FromDer(blocks.front(), place);
}

absl::StatusOr<std::vector<RevocationList>> RevocationList::AllFromPem(std::string_view pem,
                                                                       std::string_view place) {
  SLUICE_ASSIGN_OR_RETURN(const auto blocks, ReadPemBlocks(pem, kListLabel, kMaxLists, place,
                                                           v1::REASON_DEFINITION_INVALID));
  std::vector<RevocationList> lists;
  for (size_t i = 0; i < blocks.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(
        auto list, FromDer(blocks[i], blocks.size() == 1
                                          ? std::string(place)
                                          : absl::StrCat(std::string(place), ", list ", i + 1)));
    lists.push_back(std::move(list));
  }
  return lists;
}

bool RevocationList::Contains(std::string_view serial) const {
  return contents_->revoked.contains(absl::string_view(serial.data(), serial.size()));
}

std::optional<Revocation> RevocationList::Find(std::string_view serial) const {
  const auto found = contents_->revoked.find(absl::string_view(serial.data(), serial.size()));
  if (found == contents_->revoked.end()) return std::nullopt;
  return found->second;
}

absl::Status RevocationList::VerifyAgainst(const Certificate& authority) const {
  X509* native = authority.native();
  if (!authority.is_authority() || (X509_get_key_usage(native) & KU_CRL_SIGN) == 0) {
    return Mistake(contents_->place, absl::StrCat(authority.subject(), " may not sign lists"),
                   "bring a list of an authority");
  }
  const bool named = X509_NAME_cmp(X509_CRL_get_issuer(contents_->native.get()),
                                   X509_get_subject_name(native)) == 0;
  const bool is_signed =
      named && X509_CRL_verify(contents_->native.get(), X509_get0_pubkey(native)) == 1;
  ERR_clear_error();
  if (is_signed) return absl::OkStatus();
  return Mistake(contents_->place, absl::StrCat("is not signed by ", authority.subject()),
                 "bring the list of that authority, unaltered");
}

absl::Status RevocationList::CheckReplaces(const RevocationList& current) const {
  if (der() == current.der()) return absl::OkStatus();
  if (number() > current.number() && this_update() >= current.this_update())
    return absl::OkStatus();
  return Mistake(
      contents_->place,
      absl::StrCat("is list ", number(), " of ", FormatUtc(this_update()), ", not newer than list ",
                   current.number(), " of ", FormatUtc(current.this_update()), " that serves now"),
      "bring the newest list of the authority: sluice certs show there names it");
}

std::string RevocationList::ToPem() const { return WritePem(kListLabel, der()); }

}  // namespace sluice::certs
