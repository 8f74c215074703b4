#include "adapters/files/place_settings.h"

#include <curl/curl.h>

#include <map>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/crypto.h"
#include "gateway/base/view.h"

namespace sluice::adapters::files {
namespace {

constexpr int64_t kSettleNs = 3'000'000'000;

using Taker = Mistake (*)(const std::string& value, PlaceSettings& place);

Mistake TakeSuffix(const std::string& value, PlaceSettings& place) {
  place.drops.suffix = value;
  const bool plain = value.size() >= 2 && value[0] == '.' && value.find('/') == value.npos &&
                     value.find('\0') == value.npos;
  return plain ? "" : "must be how files' names end, such as .csv";
}

// The name of a file beside a drop.
Mistake TakeBeside(const std::string& value, std::string& out) {
  out = value;
  const size_t name = value.find("{name}");
  const bool plain = name != value.npos && value.size() > 6 && value.find('/') == value.npos &&
                     value.find('{', name + 1) == value.npos && value[0] != '.';
  return plain ? "" : "must be how the file beside a drop is called, such as {name}.done";
}

// "my%20file.csv" is called so on its server; names are escaped again when they are asked for.
std::string Unescaped(const std::string& part) {
  int length = 0;
  char* const text =
      curl_easy_unescape(nullptr, part.c_str(), static_cast<int>(part.size()), &length);
  const std::string name = text == nullptr ? "" : std::string(text, static_cast<size_t>(length));
  curl_free(text);
  return name;
}

Mistake TakeUrl(const std::string& value, PlaceSettings& place) {
  place.remote.url = value;
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  constexpr char kForm[] =
      "must be such as sftp://user@host/folder/, ftps://user@host/folder/ or https://host/file.csv";
  if (curl_url_set(url.get(), CURLUPART_URL, value.c_str(), 0) != CURLUE_OK) return kForm;
  const auto part = [&](CURLUPart what) {
    char* text = nullptr;
    const bool any = curl_url_get(url.get(), what, &text, 0) == CURLUE_OK;
    std::string copy = any ? text : "";
    curl_free(text);
    return copy;
  };
  const std::string scheme = part(CURLUPART_SCHEME), path = part(CURLUPART_PATH);
  if (scheme != "sftp" && scheme != "ftps" && scheme != "https") return kForm;
  if (!value.starts_with(scheme + "://")) return kForm;
  if (!part(CURLUPART_PASSWORD).empty()) return "must hold no password: password_file names it";
  if (!part(CURLUPART_QUERY).empty() || !part(CURLUPART_FRAGMENT).empty())
    return "must hold no query: no ? and no #";
  if (path.empty() || absl::StrContains(path + "/", "/../")) return "must be a path without ..";
  if (part(CURLUPART_USER).empty() && scheme != "https")
    return absl::StrCat("must name the user: ", scheme, "://user@host/…");
  return "";
}

Mistake TakeHostKey(const std::string& value, PlaceSettings& place) {
  constexpr std::string_view kStart = "SHA256:";
  std::string_view digest = value;
  if (digest.starts_with(kStart)) digest.remove_prefix(kStart.size());
  while (digest.ends_with('=')) digest.remove_suffix(1);
  place.remote.host_key = std::string(digest);
  const auto bytes = Base64Decode(std::string(digest) + "=");
  return value.starts_with(kStart) && bytes.ok() && bytes->size() == kHashSize
             ? ""
             : "must be as ssh-keygen -l prints it: SHA256:…";
}

Mistake TakeAccept(const std::string& value, PlaceSettings& place) {
  const auto list = ParseList(value);
  if (!list.ok()) return std::string(list.status().message());
  for (const std::string& one : *list) {
    const auto bytes = HexDecode(one);
    if (!bytes.ok() || bytes->size() != kHashSize)
      return "must be a drop's SHA-256, as sha256sum prints it";
    place.drops.accept.push_back(absl::AsciiStrToLower(one));
  }
  return "";
}

Mistake TakeCompression(const std::string& value, PlaceSettings& place) {
  static const std::map<std::string, Compression> kNames = {{"none", Compression::kNone},
                                                            {"gzip", Compression::kGzip},
                                                            {"zstd", Compression::kZstd},
                                                            {"by_name", Compression::kByName}};
  const auto name = kNames.find(value);
  if (name == kNames.end()) return "must be none, gzip, zstd or by_name";
  place.unpack.compression = name->second;
  return "";
}

template <std::string RemoteSettings::*Member>
Mistake TakeRemoteFile(const std::string& value, PlaceSettings& place) {
  place.remote.*Member = value;
  return TakePath(value);
}

template <int64_t RemoteSettings::*Member, int64_t kMost>
Mistake TakeRemoteTime(const std::string& value, PlaceSettings& place) {
  return TakeDuration(value, kMost, place.remote.*Member);
}

constexpr int64_t kMostSaidBytes = int64_t{1} << 50;

const std::map<std::string, Taker, std::less<>>& PlaceTakers() {
  static const auto* const takers = new std::map<std::string, Taker, std::less<>>{
      {"file",
       [](const std::string& value, PlaceSettings& place) {
         const size_t slash = value.rfind('/');
         place.folder = slash == 0 ? "/" : value.substr(0, slash);
         place.drops.file = value.substr(slash + 1);
         return TakePath(value);
       }},
      {"folder",
       [](const std::string& value, PlaceSettings& place) {
         place.folder = value;
         return TakePath(value);
       }},
      {"url", TakeUrl},
      {"suffix", TakeSuffix},
      {"pattern",
       [](const std::string& value, PlaceSettings& place) -> Mistake {
         auto pattern = DropPattern::Parse(value);
         if (!pattern.ok()) return absl::StrCat("must ", pattern.status().message());
         place.drops.pattern = *std::move(pattern);
         return "";
       }},
      {"pick",
       [](const std::string& value, PlaceSettings& place) {
         return TakeChoice(value, "newest", "all", place.drops.all);
       }},
      {"file_name_column",
       [](const std::string& value, PlaceSettings& place) -> Mistake {
         place.drops.file_name_column = value;
         return value.empty() ? "must be a column's name" : "";
       }},
      {"settle",
       [](const std::string& value, PlaceSettings& place) {
         int64_t seconds = 0;
         Mistake mistake = TakeDuration(value, 7 * 86'400, seconds);
         place.drops.settle_ns = seconds * 1'000'000'000;
         return mistake;
       }},
      {"marker", [](const std::string& value,
                    PlaceSettings& place) { return TakeBeside(value, place.drops.marker); }},
      {"checksum", [](const std::string& value,
                      PlaceSettings& place) { return TakeBeside(value, place.drops.checksum); }},
      {"least_share",
       [](const std::string& value, PlaceSettings& place) {
         return TakeNumber(value, 1, 100, place.drops.least_share);
       }},
      {"most_share",
       [](const std::string& value, PlaceSettings& place) {
         return TakeNumber(value, 100, 1'000'000, place.drops.most_share);
       }},
      {"accept", TakeAccept},
      {"state_folder",
       [](const std::string& value, PlaceSettings& place) {
         place.drops.state_folder = value;
         return TakePath(value);
       }},
      {"compression", TakeCompression},
      {"most_unpacked_bytes",
       [](const std::string& value, PlaceSettings& place) {
         return TakeNumber(value, 1, kMostSaidBytes, place.unpack.most_unpacked_bytes);
       }},
      {"list",
       [](const std::string& value, PlaceSettings& place) -> Mistake {
         place.remote.list = value;
         return IsFileName(value) ? "" : "must be the name of a file in the folder";
       }},
      {"password_file", TakeRemoteFile<&RemoteSettings::password_file>},
      {"private_key_file", TakeRemoteFile<&RemoteSettings::private_key_file>},
      {"passphrase_file", TakeRemoteFile<&RemoteSettings::passphrase_file>},
      {"client_certificate_file", TakeRemoteFile<&RemoteSettings::client_certificate_file>},
      {"client_key_file", TakeRemoteFile<&RemoteSettings::client_key_file>},
      {"ca_file", TakeRemoteFile<&RemoteSettings::ca_file>},
      {"host_key", TakeHostKey},
      {"known_hosts_file", TakeRemoteFile<&RemoteSettings::known_hosts_file>},
      {"connect_timeout", TakeRemoteTime<&RemoteSettings::connect_timeout_s, 300>},
      {"stall_timeout", TakeRemoteTime<&RemoteSettings::stall_timeout_s, 3'600>},
      {"check_every", TakeRemoteTime<&RemoteSettings::check_every_s, 86'400>},
      {"most_fetched_bytes",
       [](const std::string& value, PlaceSettings& place) {
         return TakeNumber(value, 1, kMostSaidBytes, place.remote.most_fetched_bytes);
       }},
  };
  return *takers;
}

// Settings that mean nothing without another.
void NeedsOther(const Settings& settings, bool there, std::initializer_list<const char*> names,
                std::string_view why, Mistakes& mistakes) {
  for (const char* name : names)
    if (!there && settings.contains(name)) mistakes.Add(name, Mistake(why));
}

void CheckOnePlace(const Settings& settings, Mistakes& mistakes) {
  const char* first = nullptr;
  for (const char* name : {"file", "folder", "url"}) {
    if (!settings.contains(name)) continue;
    if (first != nullptr)
      mistakes.Add(name, absl::StrCat("must not stand beside ", first));
    else
      first = name;
  }
  if (first == nullptr)
    mistakes.Add("file", "is missing: the file's path, or that of a folder as folder, or a url");
}

void CheckRemote(const Settings& settings, const RemoteSettings& remote, Mistakes& mistakes) {
  const bool sftp = remote.Is("sftp:"), ftps = remote.Is("ftps:"), https = remote.Is("https:");
  NeedsOther(
      settings, !remote.url.empty(),
      {"password_file", "connect_timeout", "stall_timeout", "check_every", "most_fetched_bytes"},
      "is for a url", mistakes);
  NeedsOther(settings, sftp,
             {"private_key_file", "passphrase_file", "host_key", "known_hosts_file"}, "is for sftp",
             mistakes);
  NeedsOther(settings, ftps || https, {"client_certificate_file", "client_key_file", "ca_file"},
             "is for https and ftps", mistakes);
  NeedsOther(settings, https && remote.IsFolder(), {"list"}, "is for a folder over https",
             mistakes);
  NeedsOther(settings, !remote.private_key_file.empty(), {"passphrase_file"},
             "is for a private_key_file", mistakes);
  if (remote.client_certificate_file.empty() != remote.client_key_file.empty())
    mistakes.Add("client_certificate_file", "and client_key_file must stand together");
  if (sftp && settings.contains("host_key") == settings.contains("known_hosts_file"))
    mistakes.Add("host_key",
                 "or known_hosts_file must say which key the server has: ssh-keyscan and "
                 "ssh-keygen -l tell, its owner confirms it");
  if (sftp && settings.contains("private_key_file") == settings.contains("password_file"))
    mistakes.Add("private_key_file", "or password_file must say who the gateway is: one of both");
  if (https && remote.IsFolder() && remote.list.empty())
    mistakes.Add("list",
                 "is missing: over https a folder cannot be listed; a file in it must name its "
                 "files, one a line");
}

void CheckDrops(const Settings& settings, const PlaceSettings& place, Mistakes& mistakes) {
  const DropSettings& drops = place.drops;
  const bool one_file =
      !drops.file.empty() || (!place.remote.url.empty() && !place.remote.IsFolder());
  NeedsOther(settings, !one_file, {"suffix", "pattern"}, "is for a folder, and one file is named",
             mistakes);
  if (settings.contains("suffix") && settings.contains("pattern"))
    mistakes.Add("suffix", "must not stand beside pattern, which says how names end");
  NeedsOther(settings, settings.contains("pattern"), {"pick"}, "is for a pattern", mistakes);
  NeedsOther(settings, drops.all, {"file_name_column"}, "is for pick: all", mistakes);
  if (drops.all && drops.file_name_column.empty())
    mistakes.Add("file_name_column",
                 "is missing: the column with the file's name that pick: all adds");
  const bool compared = drops.least_share > 0 || drops.most_share > 0;
  NeedsOther(settings, !drops.all, {"least_share", "most_share"}, "is for pick: newest", mistakes);
  NeedsOther(settings, compared, {"accept", "state_folder"}, "is for least_share and most_share",
             mistakes);
}

}  // namespace

bool TakePlaceSetting(const std::string& name, const std::string& value, PlaceSettings& place,
                      Mistakes& mistakes) {
  const auto taker = PlaceTakers().find(name);
  if (taker == PlaceTakers().end()) return false;
  mistakes.Add(name, taker->second(value, place));
  return true;
}

void FinishPlace(const Settings& settings, std::string_view suffix, bool packs,
                 PlaceSettings& place, Mistakes& mistakes) {
  CheckOnePlace(settings, mistakes);
  CheckRemote(settings, place.remote, mistakes);
  CheckDrops(settings, place, mistakes);
  NeedsOther(settings, packs, {"compression"},
             "is for files of text: what this kind reads is opened as it is", mistakes);
  if (packs)
    NeedsOther(settings, place.unpack.compression != Compression::kNone, {"most_unpacked_bytes"},
               "is for a compression", mistakes);
  place.remote.work_folder = place.unpack.work_folder;
  // Servers tell the second of a file's last write: what is written twice in one is told apart only
  // after it.
  if (!place.remote.url.empty() && !settings.contains("settle")) place.drops.settle_ns = kSettleNs;
  if (!place.remote.url.empty() && !place.remote.IsFolder()) {
    const size_t slash = place.remote.url.rfind('/');
    place.drops.file = Unescaped(place.remote.url.substr(slash + 1));
    if (!IsFileName(place.drops.file))
      mistakes.Add("url", "must end in a file's name, or in a slash behind that of a folder");
    place.remote.url.resize(slash + 1);
    place.remote.list.clear();
  }
  if (place.drops.suffix.empty()) {
    place.drops.suffix = std::string(suffix);
    if (place.unpack.compression == Compression::kGzip) place.drops.suffix += ".gz";
    if (place.unpack.compression == Compression::kZstd) place.drops.suffix += ".zst";
  }
}

}  // namespace sluice::adapters::files
