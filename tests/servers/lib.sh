# Shared by the scripts in this folder; sourced, not run.
#
# Everything a server writes lives in one folder of this checkout's own, so that two checkouts (or two runs with
# different CONNECTOR_SERVERS_DIR) never meet.

_checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
_checkout_sum=$(printf %s "$_checkout" | cksum)
SERVERS_DIR=${CONNECTOR_SERVERS_DIR:-${TMPDIR:-/tmp}/connector-servers-$(id -u)-${_checkout_sum%% *}}
case "$SERVERS_DIR" in /*) ;; *) SERVERS_DIR=$PWD/$SERVERS_DIR ;; esac

say() { echo "${0##*/}: $*" >&2; }
die() {
  say "$*"
  exit 1
}

have_package() { dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'; }

# install_packages NAME…: those Debian packages that are missing. Fetches the package lists only when needed.
install_packages() {
  local need=() name log
  for name in "$@"; do have_package "$name" || need+=("$name"); done
  [ ${#need[@]} -eq 0 ] && return 0
  [ "$(id -u)" = 0 ] || die "missing Debian packages: ${need[*]} (run this once as root, or install them)"
  command -v apt-get >/dev/null || die "this needs Debian 12: there is no apt-get here to install ${need[*]}"
  say "installing ${need[*]}"
  log=$(mktemp "${TMPDIR:-/tmp}/connector-apt.XXXXXX")
  local apt=(apt-get -y -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
  local install=("${apt[@]}" --no-install-recommends --no-remove install "${need[@]}")
  export DEBIAN_FRONTEND=noninteractive
  "${install[@]}" >"$log" 2>&1 </dev/null ||
    { "${apt[@]}" update >>"$log" 2>&1 </dev/null && "${install[@]}" >>"$log" 2>&1 </dev/null; } ||
    {
      tail -30 "$log" >&2
      die "apt-get could not install ${need[*]}; the whole log is $log"
    }
  rm -f "$log"
}

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A loopback port nobody listens on, below the range the kernel gives to outgoing connections.
free_port() {
  local port i
  for i in $(seq 1 100); do
    port=$((20000 + RANDOM % 12000))
    port_taken "$port" || {
      echo "$port"
      return 0
    }
  done
  die "found no free port between 20000 and 32000"
}
