#!/bin/sh
# What this kit needs of the machine. Says what is missing, and installs it:
#
#   src/setup.sh [--check] PURPOSE...
#
# where each PURPOSE is a word of the table below. With --check it only says so.
set -eu

# PURPOSE  PROBE (a program, a header below an include folder, or a path)  DEBIAN'S PACKAGE
table() {
    cat <<TABLE
build      gcc                        gcc
build      stdio.h                    libc6-dev
build      pkg-config                 pkg-config
build      event2/event.h             libevent-dev
charts     gnuplot                    gnuplot-nox
test       check.h                    check
test       curl                       curl
course     check.h                    check
course     flock                      util-linux
course     git                        git
uring      liburing.h                 liburing-dev
sanitize   setarch                    util-linux
fuzz       clang                      clang
fuzz       /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a  libclang-rt-dev
yardstick  wrk                        wrk
yardstick  nginx                      nginx-light
yardstick  strace                     strace
yardstick  curl                       curl
format     uncrustify                 uncrustify
TABLE
}

has() {
    case $1 in
    /*)
        # shellcheck disable=SC2086    # the shell finds what the pattern stands for
        set -- $1
        [ -e "$1" ] ;;
    *.h) for folder in /usr/include /usr/local/include "/usr/include/$(uname -m)-linux-gnu"; do
            [ -e "$folder/$1" ] && return 0
        done
        return 1 ;;
    *) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] ;;
    esac
}

check=no
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
missing=
for purpose in "$@"; do
    table | grep -q "^$purpose " || {
        echo "setup: there is no purpose '$purpose'; there are" "$(table | cut -d' ' -f1 | uniq | xargs)" >&2
        exit 2
    }
    while read -r wanted probe package; do
        [ "$wanted" = "$purpose" ] || continue
        if has "$probe"; then
            [ $check = no ] || printf '%-10s %-16.16s found\n' "$purpose" "$probe"
        else
            printf '%-10s %-16.16s missing: package %s\n' "$purpose" "$probe" "$package"
            case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
        fi
    done <<TABLE
$(table)
TABLE
done
missing=${missing# }
[ -n "$missing" ] || exit 0
if [ $check = yes ]; then
    echo "install with: apt-get install $missing"
    exit 1
fi

if ! command -v apt-get >/dev/null; then
    echo "setup: there is no apt-get here; install what these packages of Debian hold: $missing" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
    if ! [ -t 0 ] || ! command -v sudo >/dev/null; then
        echo "setup: install them first, as root: apt-get install $missing" >&2
        exit 1
    fi
fi
if [ -t 0 ]; then
    printf 'Install them with apt-get? [Y/n] '
    read -r answer
    case $answer in '' | [yY]*) ;; *) echo "setup: nothing was installed" >&2; exit 1 ;; esac
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing: $missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086    # a list of words
if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "setup: apt-get failed; its last lines are above" >&2
    exit 1
fi
