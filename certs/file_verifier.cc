#include "certs/file_verifier.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::certs {
namespace {

constexpr Micros kLookEvery = kSecond;
constexpr uint64_t kMostAuthorities = 1 << 20;
constexpr uint64_t kMostLists = 64 << 20;

absl::StatusOr<std::string> ReadSetting(FileSystem& files, const std::string& path, uint64_t most) {
  absl::StatusOr<std::string> text = files.ReadAll(path, most);
  if (text.ok()) return text;
  return Error(v1::REASON_DEFINITION_INVALID, std::string(text.status().message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileVerifier>> FileVerifier::Open(FileVerifierOptions options,
                                                                 FileSystem& files,
                                                                 const Clock& clock) {
  std::unique_ptr<FileVerifier> opened(new FileVerifier(std::move(options), files, clock));
  MutexLock lock(opened->mutex_);
  opened->stamp_ = opened->Stamp();
  opened->looked_ = clock.Monotonic();
  SLUICE_ASSIGN_OR_RETURN(opened->verifier_, opened->Read());
  return opened;
}

std::shared_ptr<const ChainVerifier> FileVerifier::Get() {
  MutexLock lock(mutex_);
  const Micros now = clock_.Monotonic();
  if (now - looked_ < kLookEvery) return verifier_;
  looked_ = now;
  std::string stamp = Stamp();
  if (stamp == stamp_) return verifier_;
  // While a file is half written the stamp is not kept, so that it is looked at again.
  if (auto read = Read(); read.ok()) {
    verifier_ = *std::move(read);
    stamp_ = std::move(stamp);
  }
  return verifier_;
}

std::string FileVerifier::Stamp() const {
  std::string stamp;
  for (const FileVerifierOptions::Authority& authority : options_.authorities) {
    for (const std::string* path : {&authority.certificates, &authority.revocation_list}) {
      const auto info = files_.Stat(*path);
      absl::StrAppend(&stamp, info.ok() ? info->modified_us : -1, ":", info.ok() ? info->size : 0,
                      ";");
    }
  }
  return stamp;
}

absl::StatusOr<std::shared_ptr<const ChainVerifier>> FileVerifier::Read() const {
  ChainVerifierOptions options;
  options.trust_domain = options_.trust_domain;
  for (const FileVerifierOptions::Authority& configured : options_.authorities) {
    AuthorityConfig authority;
    authority.place = configured.certificates;
    authority.agencies = {"*"};
    SLUICE_ASSIGN_OR_RETURN(authority.certificates_pem,
                            ReadSetting(files_, configured.certificates, kMostAuthorities));
    SLUICE_ASSIGN_OR_RETURN(authority.lists_pem,
                            ReadSetting(files_, configured.revocation_list, kMostLists));
    options.authorities.push_back(std::move(authority));
  }
  return ChainVerifier::Build(std::move(options));
}

}  // namespace sluice::certs
