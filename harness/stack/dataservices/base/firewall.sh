#!/bin/sh
# Written by keyservices (module 2).
# firewall.sh load FILE             these rules count, all at once or none of them
# firewall.sh try FILE KEPT SECONDS the same; the kept ones, or none, count again unless they are kept within so many seconds
# firewall.sh undo KEPT             the kept rules count again, or none where none were ever kept
# firewall.sh keep                  nothing is undone any more
# firewall.sh in-force FILE         succeeds when exactly these rules count, and nobody has changed them since
set -eu
umask 077
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
noted=/run/keyservices-firewall
undo=keyservices-firewall-undo

as_they_are() { nft -s list table inet keyservices | sha256sum; }

load() {
    nft -f "$1"
    { sha256sum <"$1" && as_they_are; } >"$noted.new"
    mv -f "$noted.new" "$noted"
}

case $1 in
load) load "$2" ;;
try)
    nft -c -f "$2"
    systemctl -q stop "$undo.timer" 2>/dev/null || :
    # Before they count: whoever is locked out by them, or killed now, is let in again.
    systemd-run -q --collect --unit "$undo" --on-active="$4" --timer-property=AccuracySec=1s sh "$0" undo "$3"
    load "$2"
    ;;
undo)
    if [ -e "$2" ]; then load "$2"; else
        nft list table inet keyservices >/dev/null 2>&1 || exit 0
        nft delete table inet keyservices
    fi
    ;;
keep) systemctl -q stop "$undo.timer" 2>/dev/null || : ;;
in-force) { sha256sum <"$2" && as_they_are; } 2>/dev/null | cmp -s - "$noted" ;;
*) exit 2 ;;
esac
