// Whether data are as new as their owner promises.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gateway/base/clock.h"
#include "sluice/v1/catalogue.pb.h"

namespace sluice::catalogue {

// What the last look at a dataset's source found; nothing before the first. `overdue` is unset.
using FreshnessOf = std::function<std::optional<v1::Freshness>(const std::string& dataset)>;

// Whether the cycle says how old data may become: not of realtime and irregular.
bool PromisesAge(v1::UpdateCycle cycle);

// Whether data that were last changed then are older than the cycle promises: daily ones than 36
// hours, others than their cycle and a day. Never of realtime and irregular.
bool IsOverdue(v1::UpdateCycle cycle, Micros data_as_of, Micros now);

// As a caller may see it: with `overdue`, and for others than the owner's agency and operators
// without rows, version and note.
v1::Freshness ShownFreshness(v1::Freshness freshness, v1::UpdateCycle cycle, bool inside,
                             Micros now);

}  // namespace sluice::catalogue
