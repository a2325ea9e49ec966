# Each of these makes sure of one thing, and says whether it had to. "$at" is the number of the action; where "$look" is
# not empty nothing is changed, and what would have to be is a failure.
set -eu
umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

say() { printf '%s %s\n' "$at" "$1"; }
fail() { printf '%s\n' "$1" >&2; exit 1; }
changes() { [ -z "$look" ] || fail "is not so"; }

# PATH MODE OWNER
does_directory() {
    if [ -L "$1" ] || { [ -e "$1" ] && [ ! -d "$1" ]; }; then fail "$1 is there, and no folder"; fi
    [ -d "$1" ] && [ "$(stat -c '%a %U:%G' "$1")" = "$2 $3" ] && { say same; return; }
    changes
    mkdir -p "$1"
    chown "$3" "$1"
    chmod "00$2" "$1" # of a folder, 750 would leave its setgid bit as it is
    say changed
}

# PATH MODE OWNER once|always, the content in base64 on standard input
does_file() {
    fresh="$1.keyservices"
    [ ! -L "$1" ] || fail "$1 is a link: what it leads to is not ours to write"
    [ ! -d "$1" ] || fail "$1 is a folder"
    [ -z "$look" ] || fresh=$(mktemp)
    base64 -d >"$fresh"
    if [ "$4" = once ] && [ -f "$1" ]; then cat "$1" >"$fresh"; fi
    if [ -f "$1" ] && cmp -s "$fresh" "$1" && [ "$(stat -c '%a %U:%G' "$1")" = "$2 $3" ]; then
        rm -f "$fresh"
        say same
        return
    fi
    [ -z "$look" ] || rm -f "$fresh"
    changes
    chown "$3" "$fresh"
    chmod "$2" "$fresh"
    sync "$fresh"
    mv -f "$fresh" "$1"
    sync "$(dirname "$1")"
    say changed
}

# PATH; what is written beside it goes as well
does_absent() {
    [ -e "$1" ] || [ -L "$1" ] || [ -e "$1.keyservices" ] || { say same; return; }
    changes
    # A space in the name of a mount point is \040 here, and in no path of ours.
    mounted=$(awk -v path="$1" '$5 == path || index($5, path "/") == 1 { print $5; exit }' /proc/self/mountinfo)
    [ -z "$mounted" ] || fail "$1 is left: something is mounted at $mounted, and nobody declared it"
    rm -rf --one-file-system -- "$1" "$1.keyservices"
    say changed
}

# PATH MODE SHA256: it was sent to beside its place; what is not whole never gets there
does_carried() {
    fresh="$1.keyservices"
    [ ! -L "$1" ] || fail "$1 is a link: what it leads to is not ours to write"
    whole() { [ -f "$1" ] && [ "$(sha256sum <"$1")" = "$2  -" ]; }
    if whole "$1" "$3"; then
        [ -n "$look" ] || rm -f "$fresh"
        [ "$(stat -c '%a %U:%G' "$1")" = "$2 root:root" ] && { say same; return; }
        changes
        chown root:root "$1"
        chmod "$2" "$1"
        say changed
        return
    fi
    changes
    whole "$fresh" "$3" || fail "$1 did not come as the installer has it"
    chown root:root "$fresh"
    chmod "$2" "$fresh"
    sync "$fresh"
    mv -f "$fresh" "$1"
    sync "$(dirname "$1")"
    say changed
}

# NAME ...
does_packages() {
    missing=
    for name; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing="$missing $name"
    done
    [ -n "$missing" ] || { say same; return; }
    changes
    # shellcheck disable=SC2086 # names of packages have no spaces
    why=$({ apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing; } 2>&1) ||
        fail "could not be installed:$missing: $(printf '%s' "$why" | grep -m 1 '^E: ' || printf '%s' "$why" | tail -n 1)"
    say changed
}

# NAME FILE|FOLDER ...: what it was last started with is noted. That alone would not do: the server may have started it again
# with files that were put back since. Nor would times alone, as clocks are set.
does_unit() {
    name=$1
    shift
    noted="/var/lib/keyservices/started/$name"
    wanted=$(for one; do find "$one" -type f -exec sha256sum {} +; done | sort -k 2 | sha256sum)
    newest=$(for one; do find "$one" -type f -exec stat -c %Y {} +; done | sort -n | tail -n 1)
    if systemctl -q is-enabled "$name" && systemctl -q is-active "$name" &&
        [ "$(cat "$noted" 2>/dev/null)" = "$wanted" ]; then
        started=$(systemctl show --timestamp=unix -P ExecMainStartTimestamp "$name")
        [ "${newest:-0}" -gt "${started#@}" ] || { say same; return; }
    fi
    changes
    mkdir -p /var/lib/keyservices/started
    systemctl daemon-reload
    systemctl -q enable "$name"
    systemctl restart "$name" || fail "$name did not start: $(systemctl -q status --lines 3 "$name" 2>&1 | tail -n 3)"
    printf '%s\n' "$wanted" >"$noted"
    say changed
}

# DONE_WHEN COMMAND, its standard input in base64 on ours
does_command() {
    if sh -c "$1" </dev/null >/dev/null 2>&1; then
        cat >/dev/null
        say same
        return
    fi
    changes
    base64 -d | sh -c "$2" >&2 || fail "failed: $2"
    sh -c "$1" </dev/null >/dev/null 2>&1 || fail "was done, and is not so: $1"
    say changed
}

# COMMAND: what it says is for people
does_ask() {
    [ -z "$look" ] || { say same; return; }
    said=$(sh -c "$1" </dev/null) || fail "does not say: $1"
    printf '%s' "$said" | while IFS= read -r line || [ -n "$line" ]; do say "said $line"; done
    say same
}

# SECONDS COMMAND
does_check() {
    left=$(awk -v s="$1" 'BEGIN { printf "%d", s * 5 }')
    # Who looks wants to know how it is, and not how it will be.
    [ -z "$look" ] || [ "$left" -le 50 ] || left=50
    until said=$(sh -c "$2" </dev/null 2>&1); do
        [ "$left" -gt 0 ] || fail "is not so after $1 s: $2${said:+ ($(printf '%s' "$said" | tail -n 1))}"
        left=$((left - 1))
        sleep 0.2
    done
    say same
}
