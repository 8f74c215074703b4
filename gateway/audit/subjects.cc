#include "gateway/audit/subjects.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gateway/base/check.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/snapshot_cell.h"
#include "gateway/base/view.h"

namespace sluice::audit {
namespace {

constexpr size_t kRootKeyBytes = 32;
constexpr size_t kPseudonymBytes = 16;
// Years whose subject keys are made at the start: naming in any of them takes no lock. Others are
// derived anew each time.
constexpr int64_t kFirstYear = 2000;
constexpr int64_t kLastYear = 2099;
// Consumers times masked fields. Beyond, keys are derived anew each time.
constexpr size_t kMaxMaskKeys = 4096;

int64_t YearOf(Micros now) {
  return absl::ToCivilYear(absl::FromUnixMicros(now), absl::UTCTimeZone()).year();
}

std::string SubjectLabel(int64_t year, std::string_view id_type) {
  return absl::StrCat("sluice/subject/v1/", year, "/", View(id_type));
}

std::string Name(std::string_view key, std::string_view message) {
  return std::string(AsBytes(HmacSha256(key, message)).substr(0, kPseudonymBytes));
}

}  // namespace

struct Pseudonyms::Impl {
  // Keyed by label; swapped whole, so that a reader that has seen it takes no lock.
  struct MaskKeys {
    std::map<std::string, std::string> keys;
  };

  explicit Impl(std::string root_key) : root(std::move(root_key)) {
    for (const std::string& type : IdTypes()) {
      std::vector<std::string>& years = subject_keys.emplace_back();
      for (int64_t year = kFirstYear; year <= kLastYear; ++year)
        years.push_back(Derive(SubjectLabel(year, type)));
    }
    parameter_key = Derive("sluice/parameter/v1");
    request_key = Derive("sluice/request/v1");
    order_key = DeriveFor("sluice/order/v1");
  }
  ~Impl() {
    OPENSSL_cleanse(root.data(), root.size());
    for (auto& years : subject_keys)
      for (std::string& key : years) OPENSSL_cleanse(key.data(), key.size());
    OPENSSL_cleanse(parameter_key.data(), parameter_key.size());
    OPENSSL_cleanse(request_key.data(), request_key.size());
    OPENSSL_cleanse(order_key.data(), order_key.size());
  }

  std::string Derive(std::string_view label) const { return Hkdf(root, label, kRootKeyBytes); }
  // Its own prefix: no label leads to a key that names subjects.
  std::string DeriveFor(std::string_view label) const {
    return Derive(absl::StrCat("sluice/key/v1/", View(label)));
  }

  std::string NameSubject(std::string_view id_type, int64_t year, std::string_view id) const {
    const auto& types = IdTypes();
    const auto type = std::find(types.begin(), types.end(), id_type);
    if (type == types.end() || year < kFirstYear || year > kLastYear)
      return Name(Derive(SubjectLabel(year, id_type)), id);
    const auto& years = subject_keys[static_cast<size_t>(type - types.begin())];
    return Name(years[static_cast<size_t>(year - kFirstYear)], id);
  }

  std::string MaskKey(const std::string& label) const {
    const auto seen = mask_keys.Get();
    if (const auto found = seen->keys.find(label); found != seen->keys.end()) return found->second;
    std::string key = Derive(label);
    MutexLock lock(mask_mutex);
    auto more = std::make_shared<MaskKeys>(*mask_keys.Get());
    if (more->keys.size() < kMaxMaskKeys && more->keys.emplace(label, key).second)
      mask_keys.Set(std::move(more));
    return key;
  }

  // Constant after construction.
  std::string root;
  std::vector<std::vector<std::string>> subject_keys;  // by id type, then year
  std::string parameter_key;
  std::string request_key;
  std::string order_key;

  mutable Mutex mask_mutex;  // one writer of mask_keys at a time
  mutable SnapshotCell<MaskKeys> mask_keys{std::make_shared<const MaskKeys>()};
};

absl::StatusOr<std::unique_ptr<Pseudonyms>> Pseudonyms::FromFile(const std::string& path,
                                                                 FileSystem& files) {
  SLUICE_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(path));
  if (info.is_directory)
    return absl::FailedPreconditionError(absl::StrCat(path, ": is a directory, not a key"));
  if ((info.mode & 077) != 0)
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": others may read this key; allow its owner alone: chmod 600 ", path));
  // What stands in the file is never quoted.
  const absl::Status not_a_key = absl::InvalidArgumentError(
      absl::StrCat(path, ": is not a key: exactly one line of 64 hexadecimal digits is expected"));
  auto text = files.ReadAll(path, 2 * kRootKeyBytes + 1);
  if (absl::IsResourceExhausted(text.status())) return not_a_key;
  SLUICE_RETURN_IF_ERROR(text.status());
  std::string_view line = *text;
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  auto key = HexDecode(line);
  OPENSSL_cleanse(text->data(), text->size());
  if (!key.ok() || key->size() != kRootKeyBytes) return not_a_key;
  auto pseudonyms = std::make_unique<Pseudonyms>(*key);
  OPENSSL_cleanse(key->data(), key->size());
  return pseudonyms;
}

Pseudonyms::Pseudonyms(std::string root_key) {
  SLUICE_CHECK(root_key.size() == kRootKeyBytes);
  impl_ = std::make_unique<Impl>(std::move(root_key));
}

Pseudonyms::~Pseudonyms() = default;

v1::SubjectPseudonym Pseudonyms::ForSubject(std::string_view id_type, std::string_view raw,
                                            Micros now) const {
  const int64_t year = YearOf(now);
  v1::SubjectPseudonym subject;
  subject.set_id_type(std::string(id_type));
  subject.set_key_year(static_cast<int32_t>(year));
  subject.set_pseudonym(impl_->NameSubject(id_type, year, Canonical(id_type, raw).text));
  return subject;
}

std::string Pseudonyms::ForMask(std::string_view consumer_agency, std::string_view scope,
                                std::string_view canonical_value) const {
  return Name(
      impl_->MaskKey(absl::StrCat("sluice/mask/v1/", View(consumer_agency), "/", View(scope))),
      canonical_value);
}

std::string Pseudonyms::ForParameter(std::string_view scope, std::string_view value) const {
  // A scope holds no zero byte: where it ends is no question.
  std::string message(scope);
  message += '\0';
  return Name(impl_->parameter_key, message.append(value));
}

std::string Pseudonyms::ForRequest(std::string_view bytes) const {
  return Name(impl_->request_key, bytes);
}

std::string Pseudonyms::SubjectKey(std::string_view id_type, int64_t year) const {
  return impl_->DeriveFor(SubjectLabel(year, id_type));
}

std::string Pseudonyms::DeriveKey(std::string_view label) const { return impl_->DeriveFor(label); }

const std::string& Pseudonyms::order_key() const { return impl_->order_key; }

}  // namespace sluice::audit
