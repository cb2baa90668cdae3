# What samples/run, tests/run and .ci/run share: packages, configuring, building. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
build_root=$root/build

say() { printf 'maskgrad: %s\n' "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# --- packages -------------------------------------------------------------------------------------

core_libraries="libopenblas-dev libfmt-dev nlohmann-json3-dev libzip-dev zlib1g-dev"
mpi="libopenmpi-dev openmpi-bin"
word_lists="wamerican wfrench wngerman witalian wspanish wswedish"

# Prints the packages of the named groups that are missing. A tool that is there is taken as it is,
# wherever it comes from (any C++ compiler, a Meson from elsewhere); the rest is asked of dpkg.
missing_packages() {
  local group package installed wanted=()
  have() { command -v "$1" >/dev/null 2>&1; }
  for group in "$@"; do
    case $group in
      core)
        [ -n "${CXX:-}" ] || have c++ || have g++ || have clang++ || echo g++
        have meson || echo meson
        have ninja || echo ninja-build
        have pkg-config || echo pkg-config
        wanted+=($core_libraries)
        ;;
      words) wanted+=($word_lists) ;;
      mpi) wanted+=($mpi) ;;
      tests)
        have cmake || echo cmake # Meson finds doctest through it
        wanted+=(doctest-dev python3-numpy python3-onnx $mpi)
        ;;
      ci)
        have g++ || echo g++
        wanted+=(clang libclang-rt-dev llvm libbenchmark-dev libeigen3-dev) # the last to see that they build
        have doxygen || echo doxygen
        # Layout differs from version to version: only Debian 12's is checked.
        grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release && wanted+=(clang-format)
        ;;
    esac
  done
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
  for package in "${wanted[@]}"; do
    grep -qx "installed $package" <<<"$installed" || echo "$package"
  done
}

# Sets `as_root` to what must stand before a command that needs root.
become_root() {
  as_root=()
  [ "$(id -u)" != 0 ] || return 0
  local by_hand="Install them as root: apt-get install $*"
  command -v sudo >/dev/null || die "packages are missing and there is no sudo. $by_hand"
  as_root=(sudo)
  sudo -n true 2>/dev/null || (: </dev/tty) 2>/dev/null ||
    die "packages are missing and sudo needs a password, with nobody to ask. $by_hand"
}

apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=600 \
    -o Acquire::Retries=3 "$@" </dev/null 9>&-
}

# Installs what is missing of the named groups (core, words, mpi, tests, ci); without a word, and
# without asking for anything, when nothing is.
need() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    local tool
    for tool in meson ninja pkg-config; do
      command -v $tool >/dev/null || die "'$tool' is missing, and packages are installed on" \
        "Debian and Ubuntu only. Install a C++20 compiler, Meson 1.0, Ninja, pkg-config, OpenBLAS," \
        "fmt 9, nlohmann-json, libzip and zlib; for the tests also doctest, CMake, Python with NumPy."
    done
    return 0
  fi
  local missing as_root log
  missing=$(missing_packages "$@" | sort -u | tr '\n' ' ')
  missing=${missing% }
  [ -n "$missing" ] || return 0
  become_root "$missing"
  say "installing $missing"
  log=$(mktemp)
  if ! { apt_get update && apt_get install --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    die "apt-get could not install them (above). Install them by hand: apt-get install $missing"
  fi
  rm -f "$log"
  hash -r
}

# --- one at a time --------------------------------------------------------------------------------

# Runs that install or build wait for each other: lock ... unlock.
lock() {
  mkdir -p "$build_root"
  command -v flock >/dev/null || return 0
  exec 9>"$build_root/.lock"
  flock -n 9 && return 0
  say "waiting for another run that builds here"
  flock 9
}
unlock() { exec 9>&-; }

# --- configure and build --------------------------------------------------------------------------

# What a build folder depends on besides the sources.
machine() {
  local compiler version
  for compiler in ${CXX:-c++} g++ clang++; do
    version=$($compiler --version 2>/dev/null) && break
  done
  printf '%s\n' "$root" "$(uname -sm)" "$(meson --version)" "${version%%$'\n'*}"
}

# True where DIR was configured for these sources, here, by this Meson, for this compiler. Of a
# folder that was configured by hand only the first is known.
fits() {
  if [ -f "$1/.machine" ]; then
    [ "$(machine)" = "$(cat "$1/.machine")" ]
  else
    grep -qF -- "$root" "$1/build.ninja"
  fi
}

empty_build() { find "$1" -mindepth 1 -maxdepth 1 ! -name .lock -exec rm -rf {} +; }

# configure DIR ARGS...: leaves a folder alone that is configured and fits. Ten sources are compiled
# as one, so that headers are read once for ten; `meson setup` alone compiles each by itself.
configure() {
  local dir=$1 log
  shift
  if [ -e "$dir/meson-private" ]; then
    if [ ! -s "$dir/build.ninja" ] || [ ! -e "$dir/meson-private/coredata.dat" ]; then
      say "$dir is incomplete; starting afresh"
      empty_build "$dir"
    elif ! fits "$dir"; then
      say "$dir was configured on another machine or with other tools; starting afresh"
      empty_build "$dir"
    fi
  fi
  if [ ! -f "$dir/build.ninja" ]; then
    mkdir -p "$dir"
    log=$dir/.configure.log
    if ! meson setup "$dir" "$root" -Dunity=on -Dunity_size=10 "$@" >"$log" 2>&1 </dev/null 9>&-; then
      tail -n 20 "$log" >&2
      die "Meson could not configure $dir (above, and $dir/meson-logs/meson-log.txt)"
    fi
  fi
  [ -f "$dir/.machine" ] || machine >"$dir/.machine"
}

# turn_on DIR OPTION: sets a yes-or-no option of meson_options.txt where it is off.
turn_on() {
  local off
  off='import json, sys
options = json.load(open(sys.argv[1]))
sys.exit(not any(o["name"] == sys.argv[2] and o["value"] is False for o in options))'
  ! python3 -c "$off" "$1/meson-info/intro-buildoptions.json" "$2" || meson configure "$1" "-D$2=true"
}

# Copies lines; where it takes more than 3 seconds and someone looks on, shows the latest.
progress() {
  local line start=$SECONDS columns watched=
  if [ -t 2 ]; then
    columns=$(tput cols 2>/dev/null || echo 80)
    watched=yes
  fi
  while IFS= read -r line; do
    printf '%s\n' "$line"
    if [ -n "$watched" ] && [[ $line == \[* ]] && ((SECONDS - start >= 3)); then
      printf '\r\033[K%s' "${line:0:columns-1}" >&2
    fi
  done
  [ -z "$watched" ] || printf '\r\033[K' >&2
}

# build DIR TARGET...: quiet when all is well; else shows the first errors and returns 1.
build() {
  local dir=$1 log=$1/.build.log
  shift
  if ninja -C "$dir" "$@" 2>&1 </dev/null 9>&- | progress >"$log"; then return 0; fi
  if grep -q "^ninja: error: rebuilding" "$log"; then
    tail -n 20 "$log" >&2 # Meson ran again, and says why it could not
  else
    sed -n '/^FAILED:\|^ninja: error/,$p' "$log" | grep -v '^\[' | head -n 80 >&2
  fi
  say "the build failed (above; all of it in $log). If the folder is at fault: rm -rf $dir"
  return 1
}

# run_tests DIR ARGS...: runs the tests of DIR (ARGS as for `meson test`), shows what failed, and
# ends with `N passed, N failed`; returns 1 when one failed or none ran.
run_tests() (
  dir=$1
  shift
  exec 8>"$dir/.test-lock" # two runs would write the same log
  ! command -v flock >/dev/null || flock 8
  rm -f "$dir/meson-logs/testlog.json"
  meson test -C "$dir" --no-rebuild "$@" </dev/null 8>&- || true
  python3 "$root/tests/count" "$dir/meson-logs/testlog.json"
)
