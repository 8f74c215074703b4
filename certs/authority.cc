#include "certs/authority.h"

#include <openssl/err.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "certs/authority_index.h"
#include "certs/builder.h"
#include "certs/openssl.h"
#include "gateway/base/error.h"

namespace sluice::certs {
namespace {

constexpr size_t kSerialBytes = 16;
// Clocks of gateways may be behind the authority's.
constexpr Micros kBackdated = 5 * kMinute;
constexpr Micros kLongestLeaf = 366 * kDay;
// A revoked certificate leaves the list this long after it has expired.
constexpr Micros kKeptAfterExpiry = 30 * kDay;
constexpr std::string_view kRestore = "restore it from the backup of the authority's folder";

Micros WholeSeconds(Micros time) { return time - time % kSecond; }

void CompareLists(std::string_view what, std::vector<std::string> asked,
                  std::vector<std::string> wanted, std::vector<std::string>& differences) {
  std::sort(asked.begin(), asked.end());
  std::sort(wanted.begin(), wanted.end());
  if (asked == wanted) return;
  const auto text = [](const std::vector<std::string>& names) {
    return names.empty() ? std::string("none") : absl::StrJoin(names, " ");
  };
  differences.push_back(absl::StrCat("the request asks for ", std::string(what), " ", text(asked),
                                     ", the operator says ", text(wanted)));
}

absl::Status CheckSame(const Names& asked, const Names& wanted) {
  std::vector<std::string> differences;
  CompareLists("URI", {asked.identity.Format()}, {wanted.identity.Format()}, differences);
  CompareLists("DNS names", asked.dns_names, wanted.dns_names, differences);
  CompareLists("IP addresses", asked.ip_addresses, wanted.ip_addresses, differences);
  if (differences.empty()) return absl::OkStatus();
  return Mistake("the request", absl::StrJoin(differences, "; "),
                 "sign it for what it asks, or have it made again with sluice certs request");
}

CertificateSpec AuthoritySpec(const AuthorityOptions& options, const PrivateKey& key,
                              RandomSource& random, Micros now) {
  return CertificateSpec{.common_name = options.common_name,
                         .public_key = key.native(),
                         .serial = random.Bytes(kSerialBytes),
                         .not_before = WholeSeconds(now - kBackdated),
                         .not_after = WholeSeconds(now + options.valid_for),
                         .is_authority = true,
                         .path_length = options.path_length,
                         .permitted_uri_host = options.trust_domain};
}

absl::Status CheckOptions(const AuthorityOptions& options) {
  constexpr std::string_view kPlace = "authority options";
  if (options.common_name.empty() || options.common_name.size() > 64)
    return Mistake(kPlace, "the common name is not of 1 to 64 bytes", "name the authority");
  if (options.valid_for < kDay || options.valid_for > 40 * 366 * kDay)
    return Mistake(kPlace, "valid for less than a day or more than 40 years", "say for how long");
  if (options.list_valid_for < kMinute || options.list_valid_for > 366 * kDay)
    return Mistake(kPlace, "lists valid for less than a minute or over a year", "say for how long");
  if (options.path_length.value_or(0) < 0)
    return Mistake(kPlace, "a negative path length", "write 0 or more");
  if (!options.trust_domain.empty() && !IsTrustDomain(options.trust_domain))
    return Mistake(kPlace, "no trust domain", "write it like gov.example");
  return absl::OkStatus();
}

// Name constraints of the authorities above, so that nothing is signed that no verifier takes.
absl::Status CheckConstraints(const Certificate& leaf, const std::vector<Certificate>& chain) {
  for (const Certificate& above : chain) {
    const Owned<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free> constraints(static_cast<NAME_CONSTRAINTS*>(
        X509_get_ext_d2i(above.native(), NID_name_constraints, nullptr, nullptr)));
    if (constraints != nullptr &&
        NAME_CONSTRAINTS_check(leaf.native(), constraints.get()) != X509_V_OK) {
      return Mistake(
          "the request",
          absl::StrCat(above.subject(), " may not name ", absl::StrJoin(leaf.uris(), " ")),
          "have it signed by the authority of that trust domain");
    }
  }
  return absl::OkStatus();
}

IssuedCertificate Entry(const Certificate& certificate) {
  return IssuedCertificate{
      .serial = certificate.serial(),
      .identity = certificate.uris().empty() ? certificate.subject() : certificate.uris().front(),
      .dns_names = certificate.dns_names(),
      .ip_addresses = certificate.ip_addresses(),
      .not_before = certificate.not_before(),
      .not_after = certificate.not_after(),
      .fingerprint = HexEncode(AsBytes(certificate.fingerprint()))};
}

absl::Status NotIssued(std::string_view serial, std::string_view folder) {
  return Error(
      v1::REASON_NOT_FOUND,
      absl::StrCat("certificate ", std::string(serial), " was not issued by the authority in ",
                   std::string(folder), "; sluice certs show lists what was"),
      {{"serial", serial}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<Authority>> Authority::NewFolder(FileSystem& files, Clock& clock,
                                                                RandomSource& random,
                                                                const std::string& folder) {
  SLUICE_RETURN_IF_ERROR(files.CreateDirectories(folder, 0700));
  std::unique_ptr<Authority> authority(new Authority(files, clock, random, folder));
  SLUICE_ASSIGN_OR_RETURN(authority->lock_, files.Lock(authority->Path("lock")));
  for (const char* name : {"ca.key", "ca.pem", "issued.jsonl", "crl.pem"}) {
    if (files.Stat(authority->Path(name)).ok()) {
      return Error(v1::REASON_ALREADY_EXISTS,
                   absl::StrCat(authority->Path(name),
                                ": there is an authority in this folder; "
                                "name another, or open this one"),
                   {{"place", folder}});
    }
  }
  return authority;
}

// The certificate comes last but for the list: a folder without it is no authority, and a crash
// before leaves nothing that was ever trusted.
absl::Status Authority::WriteNew(const AuthorityOptions& options) {
  SLUICE_RETURN_IF_ERROR(files_.WriteAtomically(Path("ca.key"), key_->ToPem(), 0600));
  SLUICE_RETURN_IF_ERROR(WriteIndex({}));
  SLUICE_RETURN_IF_ERROR(files_.WriteAtomically(Path("ca.pem"), ChainPem(), 0644));
  list_valid_for_ = options.list_valid_for;
  return WriteList().status();
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::CreateRoot(FileSystem& files, Clock& clock,
                                                                 RandomSource& random,
                                                                 const std::string& folder,
                                                                 const AuthorityOptions& options) {
  SLUICE_RETURN_IF_ERROR(CheckOptions(options));
  SLUICE_ASSIGN_OR_RETURN(auto authority, NewFolder(files, clock, random, folder));
  SLUICE_ASSIGN_OR_RETURN(authority->key_, PrivateKey::Generate(options.key_type));
  SLUICE_ASSIGN_OR_RETURN(
      const Certificate root,
      BuildCertificate(AuthoritySpec(options, *authority->key_, random, clock.Now()),
                       *authority->key_, nullptr));
  authority->chain_ = {root};
  SLUICE_RETURN_IF_ERROR(authority->WriteNew(options));
  return authority;
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::CreateIntermediate(
    const std::string& folder, const AuthorityOptions& options) {
  SLUICE_RETURN_IF_ERROR(CheckOptions(options));
  const long own_length = X509_get_pathlen(certificate().native());
  if (own_length >= 0 && options.path_length.value_or(1 << 20) >= own_length) {
    return Mistake(folder,
                   absl::StrCat("the authority above has path length ", own_length,
                                ", so this one must have less"),
                   "make the upper one with a greater path length");
  }
  SLUICE_ASSIGN_OR_RETURN(auto below, NewFolder(files_, clock_, random_, folder));
  SLUICE_ASSIGN_OR_RETURN(below->key_, PrivateKey::Generate(options.key_type));
  CertificateSpec spec = AuthoritySpec(options, *below->key_, random_, clock_.Now());
  spec.not_after = std::min(spec.not_after, certificate().not_after());
  SLUICE_ASSIGN_OR_RETURN(const Certificate made, BuildCertificate(spec, *key_, &certificate()));
  auto issued = issued_;
  issued.push_back(Entry(made));
  SLUICE_RETURN_IF_ERROR(WriteIndex(issued));
  below->chain_ = {made};
  below->chain_.insert(below->chain_.end(), chain_.begin(), chain_.end());
  SLUICE_RETURN_IF_ERROR(below->WriteNew(options));
  return below;
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::Open(FileSystem& files, Clock& clock,
                                                           RandomSource& random,
                                                           const std::string& folder) {
  std::unique_ptr<Authority> authority(new Authority(files, clock, random, folder));
  if (!files.Stat(authority->Path("ca.pem")).ok())
    return Mistake(folder, "no authority is here (no ca.pem)", "name the authority's folder");
  SLUICE_ASSIGN_OR_RETURN(authority->lock_, files.Lock(authority->Path("lock")));
  SLUICE_RETURN_IF_ERROR(authority->Load());
  return authority;
}

absl::Status Authority::Load() {
  SLUICE_ASSIGN_OR_RETURN(const std::string chain_pem, files_.ReadAll(Path("ca.pem"), 1 << 20));
  SLUICE_ASSIGN_OR_RETURN(chain_, Certificate::ChainFromPem(chain_pem, Path("ca.pem")));
  SLUICE_ASSIGN_OR_RETURN(const FileInfo info, files_.Stat(Path("ca.key")));
  if ((info.mode & 077) != 0) {
    return Mistake(Path("ca.key"), "can be read by others than its owner",
                   "chmod 600, and ask who has read it");
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string key_pem, files_.ReadAll(Path("ca.key"), 1 << 16));
  SLUICE_ASSIGN_OR_RETURN(key_, PrivateKey::FromPem(key_pem, Path("ca.key")));
  if (const absl::Status pair = CheckPair(*key_, certificate()); !pair.ok())
    return Annotate(pair, Path("ca.key"));
  if (!certificate().is_authority())
    return Mistake(Path("ca.pem"), "is no authority's certificate", kRestore);
  SLUICE_ASSIGN_OR_RETURN(const std::string index, files_.ReadAll(Path("issued.jsonl"), 1 << 30));
  SLUICE_ASSIGN_OR_RETURN(issued_, ReadIssued(index, Path("issued.jsonl")));
  if (!files_.Stat(Path("crl.pem")).ok()) return WriteList().status();
  SLUICE_ASSIGN_OR_RETURN(const std::string list_pem, files_.ReadAll(Path("crl.pem")));
  SLUICE_ASSIGN_OR_RETURN(list_, RevocationList::FromPem(list_pem, Path("crl.pem")));
  SLUICE_RETURN_IF_ERROR(list_->VerifyAgainst(certificate()));
  list_valid_for_ = list_->next_update() - list_->this_update();
  // A crash between a revocation and its list is mended here.
  const bool complete = std::all_of(issued_.begin(), issued_.end(), [&](const auto& one) {
    return !one.revocation || list_->Contains(one.serial) ||
           one.not_after + kKeptAfterExpiry < clock_.Now();
  });
  return complete ? absl::OkStatus() : WriteList().status();
}

absl::Status Authority::CheckTemplate(const Request& request, const LeafTemplate& leaf) const {
  SLUICE_RETURN_IF_ERROR(CheckNames(leaf.names));
  SLUICE_RETURN_IF_ERROR(CheckSame(request.names(), leaf.names));
  if (leaf.names.identity.kind == Kind::kGateway && leaf.names.dns_names.empty() &&
      leaf.names.ip_addresses.empty()) {
    return Mistake("the request", "a gateway needs a DNS name or IP address",
                   "name what clients call it by");
  }
  if (leaf.valid_for < kMinute || leaf.valid_for > kLongestLeaf)
    return Mistake("validity", "not between a minute and 366 days", "say for how long");
  for (const Certificate& above : chain_) {
    if (above.spki_hash() == request.spki_hash()) {
      return Mistake("the request", absl::StrCat("its key is that of ", above.subject()),
                     "make a key of its own with sluice certs request");
    }
  }
  const Micros now = clock_.Now();
  if (now < certificate().not_after() && now >= certificate().not_before()) return absl::OkStatus();
  return Mistake(Path("ca.pem"), "the authority itself is outside its validity", "make a new one");
}

absl::StatusOr<Certificate> Authority::Sign(const Request& request, const LeafTemplate& leaf) {
  SLUICE_RETURN_IF_ERROR(CheckTemplate(request, leaf));
  const SpiffeId& identity = leaf.names.identity;
  const Micros now = clock_.Now();
  // An adapter answers the gateway and a witness may be asked by it: both also serve.
  const bool serves = identity.kind == Kind::kGateway || identity.kind == Kind::kAdapter ||
                      identity.kind == Kind::kWitness;
  CertificateSpec spec{
      .organisation = identity.agency,
      .common_name = identity.name,
      .public_key = X509_REQ_get0_pubkey(request.native()),
      .serial = random_.Bytes(kSerialBytes),
      .not_before = WholeSeconds(std::max(now - kBackdated, certificate().not_before())),
      .not_after = WholeSeconds(std::min(now + leaf.valid_for, certificate().not_after())),
      .uris = {identity.Format()},
      .dns_names = leaf.names.dns_names,
      .ip_addresses = leaf.names.ip_addresses,
      .extended_usage = serves ? "clientAuth,serverAuth" : "clientAuth"};
  SLUICE_ASSIGN_OR_RETURN(Certificate made, BuildCertificate(spec, *key_, &certificate()));
  SLUICE_RETURN_IF_ERROR(CheckConstraints(made, chain_));
  auto issued = issued_;
  issued.push_back(Entry(made));
  SLUICE_RETURN_IF_ERROR(WriteIndex(issued));
  return made;
}

absl::StatusOr<Certificate> Authority::Renew(std::string_view serial, const Request& request,
                                             Micros valid_for) {
  const auto found = std::find_if(issued_.begin(), issued_.end(),
                                  [&](const auto& one) { return one.serial == serial; });
  if (found == issued_.end()) return NotIssued(serial, folder_);
  const std::string place = absl::StrCat("certificate ", found->serial);
  if (found->revocation)
    return Mistake(place, "was revoked", "sign a new request: sluice certs sign");
  if (clock_.Now() >= found->not_after)
    return Mistake(place, "has expired", "sign a new request: sluice certs sign");
  const auto identity = ParseSpiffeId(found->identity);
  if (!identity.ok())
    return Mistake(place, "is an authority's", "make a new one below this authority");
  return Sign(request, {{*identity, found->dns_names, found->ip_addresses}, valid_for});
}

absl::StatusOr<RevocationList> Authority::Revoke(std::string_view serial, RevocationReason reason) {
  auto issued = issued_;
  const auto found = std::find_if(issued.begin(), issued.end(),
                                  [&](const auto& one) { return one.serial == serial; });
  if (found == issued.end()) return NotIssued(serial, folder_);
  if (!found->revocation) {
    found->revocation = Revocation{WholeSeconds(clock_.Now()), reason};
    SLUICE_RETURN_IF_ERROR(WriteIndex(issued));
  }
  return WriteList();
}

absl::StatusOr<RevocationList> Authority::RenewList() { return WriteList(); }

std::string Authority::ChainPem() const {
  std::string pem;
  for (const Certificate& certificate : chain_) pem += certificate.ToPem();
  return pem;
}

absl::Status Authority::WriteIndex(const std::vector<IssuedCertificate>& issued) {
  SLUICE_RETURN_IF_ERROR(files_.WriteAtomically(Path("issued.jsonl"), WriteIssued(issued), 0600));
  issued_ = issued;
  return absl::OkStatus();
}

absl::StatusOr<RevocationList> Authority::WriteList() {
  const Micros now = WholeSeconds(clock_.Now());
  // Seconds since 1970, or one more than the last: numbers rise even after an old backup of the
  // folder was restored.
  ListSpec spec{.number = now / kSecond, .this_update = now, .next_update = now + list_valid_for_};
  if (list_) {
    spec.number = std::max(spec.number, list_->number() + 1);
    spec.this_update = std::max(now, list_->this_update());
    spec.next_update = spec.this_update + list_valid_for_;
  }
  for (const IssuedCertificate& one : issued_) {
    if (one.revocation && one.not_after + kKeptAfterExpiry >= now)
      spec.revoked.emplace_back(one.serial, *one.revocation);
  }
  SLUICE_ASSIGN_OR_RETURN(RevocationList list, BuildList(spec, *key_, certificate()));
  SLUICE_RETURN_IF_ERROR(files_.WriteAtomically(Path("crl.pem"), list.ToPem(), 0644));
  list_ = list;
  return list;
}

}  // namespace sluice::certs
