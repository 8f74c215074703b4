#include "certs/request.h"

#include <arpa/inet.h>
#include <openssl/err.h>

#include "absl/strings/str_cat.h"
#include "certs/openssl.h"
#include "gateway/base/error.h"

namespace sluice::certs {
namespace {

constexpr std::string_view kRequestLabel = "CERTIFICATE REQUEST";
constexpr std::string_view kRequestNext = "make it with sluice certs request";
constexpr int kLeastSecurityBits = 112;  // RSA 2048

struct Extensions {
  STACK_OF(X509_EXTENSION) * stack;
  ~Extensions() { sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free); }
};

// The names that the request asks for.
absl::StatusOr<Names> NamesOf(X509_REQ* native, std::string_view place) {
  const Extensions extensions{X509_REQ_get_extensions(native)};
  int critical = 0;
  const OwnedNames names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions.stack, NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr)
    return Mistake(place, "asks for no names, or they are malformed", kRequestNext);
  const AlternativeNames split = SplitNames(names.get());
  if (split.uris.size() != 1 || split.others != 0)
    return Mistake(place, "must ask for exactly one URI name and no e-mail or other names",
                   kRequestNext);
  const auto identity = ParseSpiffeId(split.uris.front());
  if (!identity.ok()) return Mistake(place, std::string(identity.status().message()), kRequestNext);
  const Owned<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free> constraints(
      static_cast<BASIC_CONSTRAINTS*>(
          X509V3_get_d2i(extensions.stack, NID_basic_constraints, &critical, nullptr)));
  if (constraints != nullptr && constraints->ca != 0)
    return Mistake(place, "asks to be an authority", kRequestNext);
  return Names{*identity, split.dns_names, split.ip_addresses};
}

bool IsHostName(std::string_view text) { return IsTrustDomain(text); }

bool IsAddress(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

}  // namespace

absl::Status CheckNames(const Names& names) {
  constexpr std::string_view kPlace = "names";
  const SpiffeId& id = names.identity;
  if (const auto made = MakeSpiffeId(id.trust_domain, id.kind, id.agency, id.name); !made.ok())
    return Mistake(kPlace, std::string(made.status().message()), "mend the identity");
  const bool is_called_by_name = id.kind == Kind::kGateway || id.kind == Kind::kWitness;
  if (!is_called_by_name && !(names.dns_names.empty() && names.ip_addresses.empty())) {
    return Mistake(kPlace,
                   absl::StrCat("a ", std::string(KindName(id.kind)), " has no DNS or IP names"),
                   "leave them out: only gateways and witnesses are called by name");
  }
  for (const std::string& name : names.dns_names) {
    if (!IsHostName(name))
      return Mistake(kPlace, absl::StrCat("\"", name, "\" is no lower-case DNS name"), "mend it");
  }
  for (const std::string& address : names.ip_addresses) {
    if (!IsAddress(address))
      return Mistake(kPlace, absl::StrCat("\"", address, "\" is no IP address"), "mend it");
  }
  return absl::OkStatus();
}

absl::StatusOr<Request> Request::FromPem(std::string_view pem, std::string_view place) {
  SLUICE_ASSIGN_OR_RETURN(const auto blocks, ReadPemBlocks(pem, kRequestLabel, 1, place,
                                                           v1::REASON_DEFINITION_INVALID));
  auto owned = FromExactDer<X509_REQ, X509_REQ_free>(blocks.front(), d2i_X509_REQ);
  if (owned == nullptr) {
    ERR_clear_error();
    return Mistake(place, "no certificate request, or cut short", kRequestNext);
  }
  Request request;
  request.native_ = std::shared_ptr<X509_REQ>(owned.release(), X509_REQ_free);
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.native());
  const bool signed_by_key = key != nullptr && X509_REQ_verify(request.native(), key) == 1;
  ERR_clear_error();
  if (!signed_by_key)
    return Mistake(place, "not signed by its own key: whoever made it has not shown the key",
                   kRequestNext);
  if (EVP_PKEY_get_security_bits(key) < kLeastSecurityBits)
    return Mistake(place, "its key is weaker than RSA with 2048 bits", kRequestNext);
  SLUICE_ASSIGN_OR_RETURN(request.names_, NamesOf(request.native(), place));
  if (const absl::Status status = CheckNames(request.names_); !status.ok())
    return Annotate(status, place);
  request.spki_hash_ = SpkiHash(key);
  return request;
}

absl::StatusOr<Request> Request::Make(const PrivateKey& key, const Names& names) {
  SLUICE_RETURN_IF_ERROR(CheckNames(names));
  const OwnedRequest native(X509_REQ_new());
  const OwnedName subject(X509_NAME_new());
  const OwnedNames alternative =
      JoinNames({names.identity.Format()}, names.dns_names, names.ip_addresses);
  if (native == nullptr || subject == nullptr || alternative == nullptr)
    return OpensslFailed("make a request");
  // For people who look at the request; no decision reads it.
  const auto* common_name = reinterpret_cast<const unsigned char*>(names.identity.name.c_str());
  OwnedExtension extension(X509V3_EXT_i2d(NID_subject_alt_name, 0, alternative.get()));
  Extensions extensions{sk_X509_EXTENSION_new_null()};
  if (extension == nullptr || extensions.stack == nullptr ||
      sk_X509_EXTENSION_push(extensions.stack, extension.get()) <= 0)
    return OpensslFailed("make a request");
  extension.release();
  if (X509_NAME_add_entry_by_txt(subject.get(), "CN", MBSTRING_UTF8, common_name, -1, -1, 0) != 1 ||
      X509_REQ_set_version(native.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_subject_name(native.get(), subject.get()) != 1 ||
      X509_REQ_set_pubkey(native.get(), key.native()) != 1 ||
      X509_REQ_add_extensions(native.get(), extensions.stack) != 1 ||
      X509_REQ_sign(native.get(), key.native(), SignatureDigest(key.native())) <= 0)
    return OpensslFailed("make a request");
  return FromPem(WritePem(kRequestLabel, DerOf(native.get(), i2d_X509_REQ)), "the new request");
}

std::string Request::ToPem() const {
  return WritePem(kRequestLabel, DerOf(native(), i2d_X509_REQ));
}

absl::StatusOr<Request> CreateRequest(FileSystem& files, const std::string& key_path,
                                      const std::string& request_path, const Names& names,
                                      KeyType type) {
  SLUICE_ASSIGN_OR_RETURN(const PrivateKey key, PrivateKey::Generate(type));
  SLUICE_ASSIGN_OR_RETURN(const Request request, Request::Make(key, names));
  SLUICE_RETURN_IF_ERROR(files.CreateDirectories(DirectoryOf(key_path), 0700));
  SLUICE_RETURN_IF_ERROR(files.CreateDirectories(DirectoryOf(request_path), 0700));
  // Exclusively, and not by rename: two requests at once must not replace each other's key.
  auto file = files.CreateNew(key_path, 0600);
  if (absl::IsAlreadyExists(file.status())) {
    return Error(v1::REASON_ALREADY_EXISTS,
                 absl::StrCat(key_path,
                              ": there is a key; a key is never overwritten. Move it "
                              "away, or name another place"),
                 {{"place", key_path}});
  }
  SLUICE_RETURN_IF_ERROR(file.status());
  SLUICE_RETURN_IF_ERROR((*file)->WriteAt(0, key.ToPem()));
  SLUICE_RETURN_IF_ERROR((*file)->Sync());
  SLUICE_RETURN_IF_ERROR((*file)->Close());
  SLUICE_RETURN_IF_ERROR(files.SyncDirectory(DirectoryOf(key_path)));
  SLUICE_RETURN_IF_ERROR(files.WriteAtomically(request_path, request.ToPem(), 0644));
  return request;
}

}  // namespace sluice::certs
