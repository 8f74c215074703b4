// sluice certs show: files about certificates in words. Never shows a key.
#pragma once

#include <string>

#include "cli/session.h"

namespace sluice::cli {

absl::Status ShowCertificates(Session& session, const std::string& path);

}  // namespace sluice::cli
