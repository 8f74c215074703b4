// A grant on one page: who may see what of what, why, by which law, and until when.
#pragma once

#include <string>

#include "cli/session.h"
#include "sluice/v1/catalogue.pb.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

struct GrantPage {
  v1::Grant grant;
  v1::QuotaLeft left;
  v1::Dataset dataset;  // empty where it may not be seen
};
std::string FormatGrant(const Session& session, const GrantPage& page);
// "in force", "expired", "not yet in force", "revoked".
std::string GrantState(const v1::Grant& grant, Micros now);

}  // namespace sluice::cli
