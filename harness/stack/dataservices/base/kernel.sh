#!/bin/sh
# Written by keyservices (module 2). FILE has lines KEY = VALUE.
# kernel.sh apply FILE    the kernel is told
# kernel.sh applied FILE  succeeds when all of it is so that can be
# kernel.sh tell FILE     says what cannot be told here
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

# A container's kernel is its host's, but for its network; and what is not there, or may not be written, is not there.
can_be_told() {
    case $1 in net.*) ;; *) ! systemd-detect-virt -cq || return 1 ;; esac
    [ -w "/proc/sys/$(printf %s "$1" | tr . /)" ]
}

each() { sed -n 's/^\([a-z][a-z0-9_.]*\) = \(.*\)$/\1 \2/p' "$2" | while read -r key value; do "$1" "$key" "$value" || exit 1; done; }

told() { ! can_be_told "$1" || [ "$(sysctl -n "$1" | tr -s '\t' ' ')" = "$2" ]; }
tell() { told "$1" "$2" && { ! can_be_told "$1" || return 0; }; echo "$1 is as it was: not this server's own to set"; }
apply() { told "$1" "$2" || sysctl -q -w "$1=$2"; }

case $1 in
apply) each apply "$2" ;;
applied) each told "$2" ;;
tell) each tell "$2" ;;
*) exit 2 ;;
esac
