// A page of a list, bounded in things and in bytes. For this room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/error.h"

namespace sluice::sharing {

// Of what a reply lists: the transport sends 1 MiB and its frame (rpc/server_limits.h).
inline constexpr size_t kMostListedBytes = size_t{900} << 10;

template <class Message>
struct Page {
  std::vector<Message> found;
  std::string next;  // the id of the last one where there are others behind it
};

// What follows `after`, at most `most` and as many as fit into a reply, at least one. `load(after,
// most)` gives a StatusOr of those behind that id; little at a time, for each may be large.
template <class Message, class Load>
absl::StatusOr<Page<Message>> LoadPage(int most, std::string_view after, Load load) {
  constexpr int64_t kAtOnce = 64;
  Page<Message> page;
  std::string last(after);
  size_t bytes = 0;
  while (true) {
    const int64_t wanted =
        std::min<int64_t>(most + 1 - static_cast<int64_t>(page.found.size()), kAtOnce);
    SLUICE_ASSIGN_OR_RETURN(auto some, load(last, wanted));
    for (Message& one : some) {
      bytes += one.ByteSizeLong();
      const bool fits = page.found.size() < static_cast<size_t>(most) && bytes <= kMostListedBytes;
      if (!fits && !page.found.empty()) {
        page.next = page.found.back().id();
        return page;
      }
      page.found.push_back(std::move(one));
    }
    if (static_cast<int64_t>(some.size()) < wanted) return page;
    last = page.found.back().id();
  }
}

}  // namespace sluice::sharing
