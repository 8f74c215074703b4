#include "cli/client/diagnosis.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "certs/certificate.h"
#include "cli/failure.h"
#include "gateway/base/clock.h"

namespace sluice::cli {
namespace {

constexpr int kStepMs = 3000;

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Freed<SSL_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using X509Pointer = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

class Socket {
 public:
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

  // "" or what went wrong.
  std::string Open(const addrinfo& address) {
    fd_ = socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ < 0) return std::strerror(errno);
    if (connect(fd_, address.ai_addr, address.ai_addrlen) == 0) return "";
    if (errno != EINPROGRESS) return std::strerror(errno);
    pollfd wait{fd_, POLLOUT, 0};
    if (poll(&wait, 1, kStepMs) <= 0) return "no answer within 3 s";
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return std::strerror(error);
    timeval limit{kStepMs / 1000, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    // The handshake below is a plain conversation: blocking, within those limits.
    return fcntl(fd_, F_SETFL, 0) == 0 ? "" : std::strerror(errno);
  }

 private:
  int fd_ = -1;
};

absl::Status Unreachable(const Profile& profile, const std::string& why) {
  return LocalError(
      "GATEWAY_UNREACHABLE", absl::StrCat("no connection to ", profile.gateway, ": ", why, "."),
      {{"profile", profile.place}},
      "check the profile's gateway, and with its operator whether sluiced runs", kTryLater);
}

Context MakeContext(const Credentials& credentials) {
  Context context(SSL_CTX_new(TLS_client_method()));
  Bio roots(BIO_new_mem_buf(credentials.authorities_pem.data(),
                            static_cast<int>(credentials.authorities_pem.size())));
  while (X509Pointer root{PEM_read_bio_X509(roots.get(), nullptr, nullptr, nullptr)})
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get());
  Bio certificate(BIO_new_mem_buf(credentials.certificate_pem.data(),
                                  static_cast<int>(credentials.certificate_pem.size())));
  if (X509Pointer leaf{PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr)})
    SSL_CTX_use_certificate(context.get(), leaf.get());
  Bio key_text(
      BIO_new_mem_buf(credentials.key_pem.data(), static_cast<int>(credentials.key_pem.size())));
  if (KeyPointer key{PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr)})
    SSL_CTX_use_PrivateKey(context.get(), key.get());
  // The result is asked for afterwards; the conversation goes on for the sake of the words.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  ERR_clear_error();
  return context;
}

std::string PemOf(X509* certificate) {
  Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

absl::Status BadServerCertificate(const Profile& profile, X509* leaf, long result) {
  const auto certificate = certs::Certificate::FromPem(PemOf(leaf), "the server's certificate");
  FailureLines lines;
  if (certificate.ok())
    lines = {{"issuer", certificate->issuer()},
             {"valid", absl::StrCat(FormatUtc(certificate->not_before()), " to ",
                                    FormatUtc(certificate->not_after()))}};
  if (result == X509_V_ERR_CERT_HAS_EXPIRED || result == X509_V_ERR_CERT_NOT_YET_VALID)
    return LocalError(
        "SERVER_CERTIFICATE_EXPIRED", "the gateway's certificate is outside its validity period.",
        lines, "its operator renews it (sluice certs renew); check this machine's clock too");
  return LocalError("SERVER_NOT_TRUSTED",
                    absl::StrCat("the gateway's certificate does not lead to ", profile.authorities,
                                 " (", X509_verify_cert_error_string(result), ")."),
                    lines, "do not send it anything; ask the operator for the authority's ca.pem");
}

// After the handshake the server may still refuse our certificate (TLS 1.3 says so in the first
// bytes that follow), or hang up without a word, as gRPC does.
absl::Status Refused(const Profile& profile, const std::string& grpc_message) {
  const char* alert = ERR_reason_error_string(ERR_peek_last_error());
  return LocalError(
      "CERTIFICATE_REFUSED",
      absl::StrCat("the gateway refused the certificate of ", profile.place, "."),
      {{"certificate", profile.certificate}, {"said", alert != nullptr ? alert : grpc_message}},
      "sluice certs show " + profile.certificate +
          "; its operator knows who is registered (sluice system list), its auditors why"
          " (sluice audit list)",
      kDenied);
}

absl::Status Handshake(const Profile& profile, const Credentials& credentials, int fd,
                       const std::string& grpc_message) {
  const Context context = MakeContext(credentials);
  const Connection ssl(SSL_new(context.get()));
  const unsigned char alpn[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl.get(), alpn, sizeof(alpn));
  SSL_set_tlsext_host_name(ssl.get(), profile.server_name.c_str());
  SSL_set_fd(ssl.get(), fd);
  const bool shaken = SSL_connect(ssl.get()) == 1;
  const X509Pointer leaf(SSL_get1_peer_certificate(ssl.get()));
  if (leaf == nullptr)
    return LocalError("NOT_A_GATEWAY", absl::StrCat(profile.gateway, " does not speak TLS."), {},
                      "check host and port in " + profile.place);
  if (const long result = SSL_get_verify_result(ssl.get()); result != X509_V_OK)
    return BadServerCertificate(profile, leaf.get(), result);
  const absl::Status server =
      CheckServer(PemOf(leaf.get()), {profile.server_name, profile.trust_domain});
  if (!server.ok()) return server;
  char byte = 0;
  const int got = shaken ? SSL_read(ssl.get(), &byte, 1) : -1;
  // A gateway that takes us speaks first: HTTP/2 settings.
  if (got != 1) return Refused(profile, grpc_message);
  return LocalError("GATEWAY_UNAVAILABLE",
                    absl::StrCat("the connection to ", profile.gateway, " broke: ", grpc_message),
                    {}, "try again; then ask its operator", kTryLater);
}

}  // namespace

absl::Status Diagnose(const Profile& profile, const Credentials& credentials,
                      const std::string& grpc_message) {
  const size_t colon = profile.gateway.rfind(':');
  std::string host = profile.gateway.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const addrinfo wanted{.ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(host.c_str(), profile.gateway.substr(colon + 1).c_str(), &wanted, &found);
      error != 0)
    return Unreachable(profile, gai_strerror(error));
  const std::unique_ptr<addrinfo, Freed<freeaddrinfo>> addresses(found);
  std::string why;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    Socket socket;
    why = socket.Open(*address);
    if (why.empty()) return Handshake(profile, credentials, socket.fd(), grpc_message);
  }
  return Unreachable(profile, why);
}

}  // namespace sluice::cli
