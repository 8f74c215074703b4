#include "adapters/files/transfer.h"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"
#include "gateway/base/file_system.h"
#include "gateway/base/view.h"

namespace sluice::adapters::files {
namespace {

constexpr int kPollMs = 20;
constexpr size_t kMostSecretBytes = 4'096;

absl::Status CannotBeReadHere(const char* setting) {
  return Unavailable(absl::StrCat("the file of ", setting,
                                  " cannot be read: it must be there, and the gateway's account "
                                  "must be let read it"));
}

// A secret's file may be exchanged at any time: it is read for each connection.
absl::StatusOr<std::string> SecretOf(const std::string& path, const char* setting) {
  const auto text = MakePosixFileSystem()->ReadAll(path, kMostSecretBytes);
  if (!text.ok()) return CannotBeReadHere(setting);
  return std::string(absl::StripTrailingAsciiWhitespace(*text));
}

// A name is a name, whatever a URL makes of its letters.
std::string Escaped(std::string_view name) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const unsigned char c : name) {
    if (absl::ascii_isalnum(c) ||
        std::string_view("-_.~").find(static_cast<char>(c)) != std::string_view::npos) {
      escaped.push_back(static_cast<char>(c));
    } else {
      escaped.append({'%', kHex[c >> 4], kHex[c & 15]});
    }
  }
  return escaped;
}

std::string NotProven(const RemoteSettings& settings) {
  if (!settings.Is("sftp:"))
    return "the source's server shows a certificate that ca_file does not vouch for, or one of "
           "another name than the url's: ask its owner for the authority's certificate, and set it "
           "as ca_file";
  return absl::StrCat("the source's server shows another host key than ",
                      settings.host_key.empty() ? "known_hosts_file has for it" : "host_key says",
                      ": it is another machine, or its key was changed; ask its owner for the "
                      "fingerprint before you set it");
}

// The names of a key's kind stand open in its file, also behind a passphrase.
bool IsRsaKey(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string begin, line, body;
  if (!std::getline(file, begin)) return false;
  if (absl::StrContains(begin, "BEGIN RSA")) return true;
  while (body.size() < 1'024 && std::getline(file, line) && !absl::StartsWith(line, "-")) {
    absl::StripAsciiWhitespace(&line);
    body += line;
  }
  std::string bytes;
  return absl::Base64Unescape(body.substr(0, body.size() / 4 * 4), &bytes) &&
         absl::StrContains(bytes, "ssh-rsa");
}

std::string LoginRefused(const RemoteSettings& settings) {
  constexpr char kRefused[] =
      "the source's server refuses the gateway's login: see the url's user and ";
  if (settings.private_key_file.empty()) return absl::StrCat(kRefused, "password_file");
  if (!IsRsaKey(settings.private_key_file)) return absl::StrCat(kRefused, "private_key_file");
  return absl::StrCat(
      kRefused,
      "private_key_file; that is an RSA key, with which the SSH library signs by "
      "SHA-1 only, as OpenSSH since 8.8 refuses: make one by ssh-keygen -t ed25519");
}

std::string SentenceOf(CURLcode code, const RemoteSettings& settings) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return NotProven(settings);
    case CURLE_LOGIN_DENIED:
      return LoginRefused(settings);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return "the source's server cannot be reached: see the url's host and port, and whether it "
             "runs";
    case CURLE_OPERATION_TIMEDOUT:
      return "the source's server does not answer in time (connect_timeout, stall_timeout)";
    case CURLE_REMOTE_ACCESS_DENIED:
      return "the source's server does not let the gateway's user read there";
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return "the file of ca_file cannot be used: it must hold certificates in PEM";
    case CURLE_SSL_CERTPROBLEM:
      return "client_certificate_file and client_key_file cannot be used, or are no pair";
    case CURLE_SSL_CONNECT_ERROR:
      return "the source's server and the gateway find no way to speak: it must offer TLS 1.2 or "
             "later, and may want a client_certificate_file";
    default:
      return "the source's file cannot be fetched: the connection failed or ended early";
  }
}

// The operator's note has where it was tried, and libcurl's words; neither holds a secret.
absl::Status StatusOfCode(CURLcode code, const char* words, const std::string& url,
                          const RemoteSettings& settings) {
  if (code == CURLE_OK) return absl::OkStatus();
  if (code == CURLE_REMOTE_FILE_NOT_FOUND)
    return absl::NotFoundError("the source has no file of that name");
  absl::Status status = Unavailable(SentenceOf(code, settings));
  AddOperatorNote(status,
                  absl::StrCat(url, ": ", words[0] != '\0' ? words : curl_easy_strerror(code)));
  return status;
}

absl::Status StatusOfHttp(long code) {
  switch (code) {
    case 200:
    case 206:
      return absl::OkStatus();
    case 404:
    case 410:
      return absl::NotFoundError("the source has no file of that name");
    case 412:
    case 416:
      return Changed();
    case 400:
    case 401:
    case 403:
      return Unavailable(
          absl::StrCat("the source's server refuses the gateway (HTTP status ", code,
                       "): see the url's user, password_file and client_certificate_file"));
    default:
      return Unavailable(absl::StrCat("the source's server answers with HTTP status ", code));
  }
}

absl::Status StatusOfHttpAt(long code, const std::string& url) {
  absl::Status status = StatusOfHttp(code);
  AddOperatorNote(status, url);
  return status;
}

}  // namespace

struct Transfer::Handles {
  CURLM* multi = curl_multi_init();
  CURL* easy = curl_easy_init();
  ~Handles() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
};

struct Transfer::Question {
  std::string url;
  bool look = false;
  bool names = false;
  int64_t from = 0;
  std::string etag;
  std::function<absl::Status(std::string_view)> take;

  CURL* easy = nullptr;
  absl::Status taken;  // what ended it
  bool http_scheme = false;
  Remote told;
  long http = 0;
  curl_slist* headers = nullptr;
  char words[CURL_ERROR_SIZE] = "";
  ~Question() { curl_slist_free_all(headers); }

  // What the server said of the file, once it said it.
  void Hear() {
    curl_off_t size = -1, modified = -1;
    curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    curl_easy_getinfo(easy, CURLINFO_FILETIME_T, &modified);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http);
    told.size = size < 0 ? -1 : size + from;
    told.modified_s = modified;
    curl_header* header = nullptr;
    if (curl_easy_header(easy, "ETag", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
      told.etag = header->value;
  }
};

namespace {

template <class Asked>
size_t Hand(const char* data, size_t, size_t count, void* to) {
  auto& asked = *static_cast<Asked*>(to);
  long http = 0;
  curl_easy_getinfo(asked.easy, CURLINFO_RESPONSE_CODE, &http);
  if (http >= 300 && http < 600 && asked.http_scheme) return count;  // a page that nobody reads
  asked.taken = asked.take({data, count});
  return asked.taken.ok() ? count : CURL_WRITEFUNC_ERROR;
}

}  // namespace

Transfer::Transfer(const RemoteSettings& settings) : settings_(settings) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)initialised;
  handles_ = std::make_unique<Handles>();
}

Transfer::~Transfer() = default;

absl::Status Transfer::Prepare(Question& question) {
  CURL* const easy = handles_->easy;
  const auto text = [&](CURLoption option, const std::string& value) {
    if (!value.empty()) curl_easy_setopt(easy, option, value.c_str());
  };
  curl_easy_reset(easy);
  question.easy = easy;
  question.http_scheme = settings_.Is("https:");
  text(CURLOPT_URL, question.url);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "sftp,ftps,https");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FILETIME, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, std::max<long>(settings_.connect_timeout_s, 1));
  curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT,
                   std::max<long>(settings_.stall_timeout_s, 1));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, std::max<long>(settings_.stall_timeout_s, 1));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, question.words);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Hand<Question>);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &question);
  if (question.names) curl_easy_setopt(easy, CURLOPT_DIRLISTONLY, 1L);
  if (question.look) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (question.from > 0)
    curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, curl_off_t{question.from});
  if (!question.etag.empty() && !question.etag.starts_with("W/")) {
    question.headers =
        curl_slist_append(question.headers, absl::StrCat("If-Match: ", question.etag).c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, question.headers);
  }
  if (!settings_.password_file.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string password,
                            SecretOf(settings_.password_file, "password_file"));
    text(CURLOPT_PASSWORD, password);
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  }
  for (const auto& [setting, path] :
       {std::pair{"private_key_file", &settings_.private_key_file},
        std::pair{"known_hosts_file", &settings_.known_hosts_file},
        std::pair{"ca_file", &settings_.ca_file},
        std::pair{"client_certificate_file", &settings_.client_certificate_file},
        std::pair{"client_key_file", &settings_.client_key_file}})
    if (!path->empty() && access(path->c_str(), R_OK) != 0) return CannotBeReadHere(setting);
  if (settings_.Is("sftp:")) {
    curl_easy_setopt(easy, CURLOPT_SSH_AUTH_TYPES,
                     settings_.private_key_file.empty()
                         ? long{CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD}
                         : long{CURLSSH_AUTH_PUBLICKEY});
    text(CURLOPT_SSH_PRIVATE_KEYFILE, settings_.private_key_file);
    text(CURLOPT_SSH_HOST_PUBLIC_KEY_SHA256, settings_.host_key);
    text(CURLOPT_SSH_KNOWNHOSTS, settings_.known_hosts_file);
    if (!settings_.passphrase_file.empty()) {
      SLUICE_ASSIGN_OR_RETURN(const std::string passphrase,
                              SecretOf(settings_.passphrase_file, "passphrase_file"));
      text(CURLOPT_KEYPASSWD, passphrase);
    }
    return absl::OkStatus();
  }
  curl_easy_setopt(easy, CURLOPT_USE_SSL, long{CURLUSESSL_ALL});
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!settings_.ca_file.empty()) {
    text(CURLOPT_CAINFO, settings_.ca_file);
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  text(CURLOPT_SSLCERT, settings_.client_certificate_file);
  text(CURLOPT_SSLKEY, settings_.client_key_file);
  return absl::OkStatus();
}

absl::Status Transfer::Ask(Question& question, const Watch& watch) {
  SLUICE_RETURN_IF_ERROR(watch.Check());
  SLUICE_RETURN_IF_ERROR(Prepare(question));
  curl_multi_add_handle(handles_->multi, question.easy);
  CURLcode code = CURLE_OK;
  absl::Status ended;
  for (int running = 1; running > 0;) {
    if (curl_multi_perform(handles_->multi, &running) != CURLM_OK) {
      code = CURLE_OUT_OF_MEMORY;
      break;
    }
    ended = watch.Check();
    if (!ended.ok()) break;
    if (running > 0) curl_multi_poll(handles_->multi, nullptr, 0, kPollMs, nullptr);
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(handles_->multi, &left))
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  if (ended.ok()) question.Hear();
  curl_multi_remove_handle(handles_->multi, question.easy);
  if (!ended.ok() || code != CURLE_OK) {
    // Nothing is known of the connection any more.
    handles_ = std::make_unique<Handles>();
  }
  SLUICE_RETURN_IF_ERROR(ended);
  SLUICE_RETURN_IF_ERROR(question.taken);
  if (settings_.Is("https:") && question.http >= 300)
    return StatusOfHttpAt(question.http, question.url);
  // A server that begins anew has another file by now, or none that can be resumed.
  if (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME) return Changed();
  return StatusOfCode(code, question.words, question.url, settings_);
}

absl::StatusOr<std::string> Transfer::List(size_t most, const Watch& watch) {
  std::string names;
  Question question;
  question.url = settings_.url;
  question.names = true;
  question.take = [&](std::string_view bytes) -> absl::Status {
    if (names.size() + bytes.size() > most)
      return Unavailable("the source's folder has more files than the gateway lists");
    names.append(bytes);
    return absl::OkStatus();
  };
  SLUICE_RETURN_IF_ERROR(Ask(question, watch));
  return names;
}

absl::StatusOr<Remote> Transfer::Look(const std::string& name, const Watch& watch) {
  Question question;
  question.url = settings_.url + Escaped(name);
  question.look = true;
  question.take = [](std::string_view) { return absl::OkStatus(); };
  SLUICE_RETURN_IF_ERROR(Ask(question, watch));
  // libcurl tells no size of an empty file over SFTP.
  if (settings_.Is("sftp:") && question.told.size < 0) question.told.size = 0;
  return question.told;
}

absl::StatusOr<Remote> Transfer::Fetch(const std::string& name, int64_t from,
                                       const std::string& etag,
                                       const std::function<absl::Status(std::string_view)>& take,
                                       const Watch& watch) {
  Question question;
  question.url = settings_.url + Escaped(name);
  question.from = from;
  question.etag = etag;
  question.take = take;
  SLUICE_RETURN_IF_ERROR(Ask(question, watch));
  return question.told;
}

}  // namespace sluice::adapters::files
