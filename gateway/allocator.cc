// How jemalloc is set up in the programs that are linked with it (jemalloc(3), TUNING): its own
// defaults are for speed with many cores and keep what was freed for ten seconds in each of four
// arenas a core, which a long read fills one after the other. One arena shares what is free, and
// gives it back within a second; docs/decisions/0027-jemalloc.md has what that costs. MALLOC_CONF
// in the environment goes over it.
extern "C" __attribute__((visibility("default"))) const char* malloc_conf;
const char* malloc_conf = "narenas:1,tcache_max:4096,dirty_decay_ms:1000,muzzy_decay_ms:0";
