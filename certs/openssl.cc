#include "certs/openssl.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <time.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::certs {
namespace {

constexpr size_t kMaxPem = 1 << 20;

std::string TextOf(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

std::string AddressText(const ASN1_STRING* bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(bytes) == 4    ? AF_INET
                     : ASN1_STRING_length(bytes) == 16 ? AF_INET6
                                                       : AF_UNSPEC;
  if (family == AF_UNSPEC) return "malformed";
  inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof text);
  return text;
}

bool PushText(GENERAL_NAMES* names, int type, const std::string& text) {
  Owned<ASN1_IA5STRING, ASN1_IA5STRING_free> value(ASN1_IA5STRING_new());
  Owned<GENERAL_NAME, GENERAL_NAME_free> name(GENERAL_NAME_new());
  if (value == nullptr || name == nullptr) return false;
  const bool ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return c > 32 && c < 127; });
  if (!ascii || text.empty()) return false;
  if (ASN1_STRING_set(value.get(), text.data(), static_cast<int>(text.size())) != 1) return false;
  GENERAL_NAME_set0_value(name.get(), type, value.release());
  if (sk_GENERAL_NAME_push(names, name.get()) <= 0) return false;
  name.release();
  return true;
}

bool PushAddress(GENERAL_NAMES* names, const std::string& text) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str());
  if (address == nullptr) return false;
  Owned<GENERAL_NAME, GENERAL_NAME_free> name(GENERAL_NAME_new());
  SLUICE_CHECK(name != nullptr);
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, address);
  if (sk_GENERAL_NAME_push(names, name.get()) <= 0) return false;
  name.release();
  return true;
}

}  // namespace

std::string LastOpensslError() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown";
}

absl::Status OpensslFailed(std::string_view action) {
  return absl::InternalError(absl::StrCat(std::string(action), ": OpenSSL: ", LastOpensslError()));
}

absl::Status Mistake(std::string_view place, std::string_view mistake, std::string_view next) {
  return Error(
      v1::REASON_DEFINITION_INVALID,
      absl::StrCat(std::string(place), ": ", std::string(mistake), "; ", std::string(next)),
      {{"place", place}, {"next", next}});
}

absl::StatusOr<std::vector<std::string>> ReadPemBlocks(std::string_view pem, std::string_view label,
                                                       size_t most, std::string_view place,
                                                       v1::Reason reason) {
  const auto refuse = [&](std::string_view mistake) {
    ERR_clear_error();
    return Error(reason,
                 absl::StrCat(std::string(place), ": ", std::string(mistake), "; give \"",
                              std::string(label), "\" blocks in PEM"),
                 {{"place", place}});
  };
  if (pem.size() > kMaxPem) return refuse("larger than 1 MiB");
  OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return OpensslFailed("read PEM");
  std::vector<std::string> blocks;
  ERR_clear_error();
  while (true) {
    char *name = nullptr, *header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) {
      if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) break;
      return refuse("a damaged PEM block");
    }
    Owned<char, [](char*p) { OPENSSL_free(p); }> name_owner(name), header_owner(header);
    Owned<unsigned char, [](unsigned char* p) { OPENSSL_free(p); }> data_owner(data);
    if (name != label || *header != '\0')
      return refuse(absl::StrCat("holds something else than \"", std::string(label), "\" blocks"));
    if (blocks.size() == most)
      return refuse(absl::StrCat("more than ", most, " \"", std::string(label), "\" blocks"));
    blocks.emplace_back(reinterpret_cast<char*>(data), static_cast<size_t>(size));
  }
  ERR_clear_error();
  if (blocks.empty()) return refuse(absl::StrCat("no \"", std::string(label), "\" block"));
  return blocks;
}

std::string WritePem(std::string_view label, std::string_view der) {
  OwnedBio bio(BIO_new(BIO_s_mem()));
  SLUICE_CHECK(bio != nullptr);
  SLUICE_CHECK(PEM_write_bio(bio.get(), std::string(label).c_str(), "",
                             reinterpret_cast<const unsigned char*>(der.data()),
                             static_cast<long>(der.size())) > 0);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

std::string NameText(const X509_NAME* name) {
  OwnedBio bio(BIO_new(BIO_s_mem()));
  SLUICE_CHECK(bio != nullptr);
  constexpr unsigned long kFlags =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (X509_NAME_print_ex(bio.get(), name, 0, kFlags) < 0) {
    ERR_clear_error();
    return "unreadable";
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

std::optional<Micros> MicrosOf(const ASN1_TIME* time) {
  struct tm parts = {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  return static_cast<Micros>(timegm(&parts)) * kSecond;
}

OwnedTime TimeOf(Micros micros) {
  OwnedTime time(ASN1_TIME_adj(nullptr, static_cast<time_t>(micros / kSecond), 0, 0));
  SLUICE_CHECK(time != nullptr);
  return time;
}

std::optional<std::string> SerialText(const ASN1_INTEGER* serial) {
  if (serial == nullptr || ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER) return std::nullopt;
  std::string bytes = TextOf(serial);
  bytes.erase(0, std::min(bytes.find_first_not_of('\0'), bytes.size()));
  if (bytes.empty()) bytes.assign(1, '\0');
  if (bytes.size() > 20) return std::nullopt;
  return HexEncode(bytes);
}

Hash SpkiHash(EVP_PKEY* key) { return Sha256(DerOf(key, i2d_PUBKEY)); }

AlternativeNames SplitNames(const GENERAL_NAMES* names) {
  AlternativeNames split;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
    if (type == GEN_URI) {
      split.uris.push_back(TextOf(value));
    } else if (type == GEN_DNS) {
      split.dns_names.push_back(TextOf(value));
    } else if (type == GEN_IPADD) {
      split.ip_addresses.push_back(AddressText(value));
    } else {
      ++split.others;
    }
  }
  return split;
}

OwnedNames JoinNames(const std::vector<std::string>& uris,
                     const std::vector<std::string>& dns_names,
                     const std::vector<std::string>& ip_addresses) {
  OwnedNames names(sk_GENERAL_NAME_new_null());
  if (names == nullptr) return nullptr;
  for (const std::string& uri : uris)
    if (!PushText(names.get(), GEN_URI, uri)) return nullptr;
  for (const std::string& dns_name : dns_names)
    if (!PushText(names.get(), GEN_DNS, dns_name)) return nullptr;
  for (const std::string& address : ip_addresses)
    if (!PushAddress(names.get(), address)) return nullptr;
  return names;
}

const EVP_MD* SignatureDigest(EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
}

}  // namespace sluice::certs
