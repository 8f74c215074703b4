# Shared by the scripts here: where the tree is, and the Debian 12 packages that it needs.
# Sourced, with bash; sets strict mode for the caller.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${SLUICE_JOBS:-$(nproc)}

# Names only: versions are Debian's.
packages_build=(
  cmake ninja-build g++ lld pkg-config
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
  libssl-dev libsqlite3-dev libpq-dev unixodbc-dev libyaml-cpp-dev nlohmann-json3-dev libcli11-dev
  libutf8proc-dev libboost-dev
  libjemalloc-dev libicu-dev libcurl4-openssl-dev zlib1g-dev libzstd-dev libexpat1-dev libminizip-dev
  libgtest-dev libgmock-dev libflatbuffers-dev flatbuffers-compiler)
packages_test=(openssl sqlite3 postgresql-15 jq strace python3 python3-grpcio python3-prometheus-client python3-cryptography
  python3-yaml prometheus
  mariadb-server odbc-postgresql odbc-mariadb libsqliteodbc tdsodbc
  gnucobol3 libreoffice-calc-nogui openssh-server python3-asyncssh nginx vsftpd
  nbdkit libnbd-bin fuse3)
# Of the tests of clients/, one line a language. Node's are need_npm's.
packages_clients=(
  python3-grpcio
  default-jdk-headless protobuf-compiler-grpc-java-plugin libgrpc-java libprotobuf-java
  libgoogle-common-protos-java libguava-java libperfmark-java libgeronimo-annotation-1.3-spec-java
  libnetty-java libnetty-tcnative-java libnetty-tcnative-jni
  golang-go golang-google-grpc-dev golang-google-genproto-dev golang-google-protobuf-dev
  golang-github-golang-protobuf-1-5-dev protoc-gen-go-1-5 protoc-gen-go-grpc)
packages_check=(clang-format python3 git)
packages_sanitize=(clang libclang-rt-14-dev llvm)
# Of bench/: what micro-benchmarks link, and the peers that the gateway is measured beside.
packages_bench=(libbenchmark-dev sqlite3 nginx haproxy openssl postgresql-15 postgresql-15-pgaudit
  odbc-postgresql dbview python3-openpyxl)
packages_demo=(openssl sqlite3 jq ca-certificates)

step() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "packages are missing and neither root nor sudo is at hand; as root: apt-get install $missing"
  fi
}

# Runs a command while no package may start a service: tests start what they need themselves. A
# policy that stands there already is the machine's own, and holds.
without_services() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'as_root rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  "$@"
)

# Installs what is missing of the packages named. Asks the network for nothing when nothing is.
need_packages() {
  missing=
  local package
  for package in "$@"; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) in
      installed*) ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  step "installing$missing"
  as_root apt-get update -q </dev/null >&2
  # shellcheck disable=SC2086  # a list of names
  without_services as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends $missing </dev/null >&2
}

# Node comes from Debian unless some npm is there already.
need_npm() { command -v npm >/dev/null || need_packages nodejs npm; }

# configure PRESET: cheap when nothing changed.
configure() {
  local log
  log=$(mktemp)
  if ! (cd "$root" && cmake --preset "$1") >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "cmake --preset $1 failed"
  fi
  rm -f "$log"
}

# The folder that a preset builds into.
folder_of() {
  case $1 in
    release) echo "$root/build" ;;
    debug | asan | tsan | fuzz) echo "$root/build-$1" ;;
    *) die "no preset $1; there are release, debug, asan, tsan and fuzz" ;;
  esac
}
