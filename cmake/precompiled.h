// Headers that most rooms parse, precompiled once. No file may rely on it: each includes what it
// uses.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/rpc/error_details.pb.h"
#include "sluice/v1/audit.pb.h"
#include "sluice/v1/catalogue.pb.h"
#include "sluice/v1/exchange.pb.h"
#include "sluice/v1/operations.pb.h"
#include "sluice/v1/registry.pb.h"
#include "sluice/v1/sharing.pb.h"
