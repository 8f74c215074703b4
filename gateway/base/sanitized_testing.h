// Whether a sanitizer is at work: everything takes several times as long, and freed memory is kept.
#pragma once

#include <cstddef>

namespace sluice {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// How far apart the places are at which a sweep over all of them tries one: under a sanitizer,
// which looks for what is the same at most of them, each seventh.
inline constexpr size_t kSweepStep = kSanitized ? 7 : 1;

}  // namespace sluice
