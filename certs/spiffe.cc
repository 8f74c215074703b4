#include "certs/spiffe.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"

namespace sluice::certs {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr size_t kMaxUri = 2048;
constexpr std::array<Kind, 5> kKinds = {Kind::kSystem, Kind::kPerson, Kind::kAdapter,
                                        Kind::kGateway, Kind::kWitness};

bool IsIdCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

bool BelongsToAgency(Kind kind) { return kind != Kind::kGateway && kind != Kind::kWitness; }

absl::Status Malformed(size_t position, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("no SPIFFE ID: at character ", position + 1, ": ", std::string(what)));
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kSystem:
      return "system";
    case Kind::kPerson:
      return "person";
    case Kind::kAdapter:
      return "adapter";
    case Kind::kGateway:
      return "gateway";
    case Kind::kWitness:
      return "witness";
  }
  SLUICE_CHECK(false && "no kind");
}

std::string SpiffeId::Path() const {
  const std::string last = absl::StrCat(std::string(KindName(kind)), "/", name);
  return BelongsToAgency(kind) ? absl::StrCat("agency/", agency, "/", last) : last;
}

std::string SpiffeId::Format() const {
  return absl::StrCat(std::string(kScheme), trust_domain, "/", Path());
}

bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), IsIdCharacter);
}

bool IsTrustDomain(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  const auto labels = Split(text, '.');
  return std::all_of(labels.begin(), labels.end(), IsId);
}

absl::StatusOr<SpiffeId> MakeSpiffeId(std::string_view trust_domain, Kind kind,
                                      std::string_view agency, std::string_view name) {
  if (!IsTrustDomain(trust_domain))
    return absl::InvalidArgumentError("the trust domain is not of lower-case labels with dots");
  if (BelongsToAgency(kind) ? !IsId(agency) : !agency.empty()) {
    return absl::InvalidArgumentError(
        BelongsToAgency(kind)
            ? "the agency is not 1 to 63 of a-z, 0-9 and inner hyphens"
            : absl::StrCat("a ", std::string(KindName(kind)), " belongs to no agency"));
  }
  if (!IsId(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the name of the ", std::string(KindName(kind)),
                     " is not 1 to 63 of a-z, 0-9 and inner hyphens"));
  }
  return SpiffeId{std::string(trust_domain), kind, std::string(agency), std::string(name)};
}

absl::StatusOr<SpiffeId> ParseSpiffeId(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return Malformed(0, "does not begin with spiffe://");
  if (uri.size() > kMaxUri) return Malformed(kMaxUri, "longer than 2048 characters");
  for (size_t i = kScheme.size(); i < uri.size(); ++i) {
    if (!IsIdCharacter(uri[i]) && uri[i] != '.' && uri[i] != '/')
      return Malformed(
          i, "only a-z, 0-9, hyphens, dots in the trust domain, and slashes may stand here");
  }
  const std::vector<std::string_view> parts = Split(uri.substr(kScheme.size()), '/');
  size_t position = kScheme.size();
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i == 0 ? !IsTrustDomain(parts[i]) : !IsId(parts[i]))
      return Malformed(position,
                       i == 0 ? "no trust domain" : "not 1 to 63 of a-z, 0-9 and inner hyphens");
    position += parts[i].size() + 1;
  }
  for (const Kind kind : kKinds) {
    if (BelongsToAgency(kind)) {
      if (parts.size() == 5 && parts[1] == "agency" && parts[3] == KindName(kind))
        return MakeSpiffeId(parts[0], kind, parts[2], parts[4]);
    } else if (parts.size() == 3 && parts[1] == KindName(kind)) {
      return MakeSpiffeId(parts[0], kind, "", parts[2]);
    }
  }
  return Malformed(std::min(uri.size(), kScheme.size() + parts[0].size()),
                   "none of /agency/A/system/S, /agency/A/person/P, /agency/A/adapter/N, "
                   "/gateway/G, /witness/W");
}

}  // namespace sluice::certs
