// A register as large as a test needs it, generated beside the sample's residents in their source,
// and a grant to stream all of it: public-security/register, to the system relief.
#pragma once

#include <string>

#include "tests/system/deployment.h"

namespace sluice::system_test {

// The daemon is started in here, as changes of sluiced.yaml have to come before that.
void OfferRegister(Deployment& gateway, int rows);

// As the owner's own software would change its database.
void ExecuteSql(Deployment& gateway, const std::string& sql);

v1::ReadRequest RegisterRequest();

// The only grant on it.
std::string RegisterGrant(Deployment& gateway);

// A figure of the daemon's /proc/PID/status in kilobytes: "VmRSS:" now, "VmHWM:" ever.
int64_t DaemonMemory(Deployment& gateway, const std::string& which);

}  // namespace sluice::system_test
