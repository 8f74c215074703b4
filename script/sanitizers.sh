# Options of the sanitizers, for whatever runs binaries of the presets asan and tsan. Sourced.
suppressions=$root/script/sanitizers
export ASAN_OPTIONS=suppressions=$suppressions/asan.txt:detect_leaks=1:halt_on_error=1:strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1
export LSAN_OPTIONS=suppressions=$suppressions/lsan.txt:print_suppressions=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$suppressions/tsan.txt
