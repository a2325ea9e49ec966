#!/bin/sh
# Written by keyservices (module 2).
# ssh_keys.sh apply WANTED DROP_IN     SSH takes keys and nothing else
# ssh_keys.sh applied WANTED DROP_IN   succeeds when that is so, or when nobody has a key and it would lock all out
# ssh_keys.sh tell                     says so where it is not so
# ssh_keys.sh undo DROP_IN             as it was before
set -eu
umask 022
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
noted=/run/keyservices-sshd
command -v sshd >/dev/null || exit 0 # nobody gets in by SSH at all

fail() { printf '%s\n' "$1" >&2; exit 1; }

# Whoever came in by SSH came by a key: the installer asks for nothing else.
somebody_has_a_key() {
    [ -z "${SSH_CONNECTION:-}" ] || return 0
    for user in root "${SUDO_USER:-root}"; do
        home=$(getent passwd "$user" | cut -d : -f 6)
        ssh-keygen -lf "$home/.ssh/authorized_keys" >/dev/null 2>&1 && return 0
    done
    return 1
}

running() { for one in ssh sshd; do systemctl -q is-active "$one.service" && echo "$one.service" && return; done; }

# It has no room of its own before it is started once.
tested() { mkdir -p -m 755 /run/sshd; sshd "$@"; }

keys_only() {
    settings=$(tested -T "$@") || return 1
    for one in 'passwordauthentication no' 'kbdinteractiveauthentication no' 'pubkeyauthentication yes'; do
        printf '%s\n' "$settings" | grep -qx "$one" || return 1
    done
}

# What runs has read it: it was told so since, or started since.
was_read() {
    [ -n "$(running)" ] || return 0
    [ "$(cat "$noted" 2>/dev/null)" = "$(sha256sum <"$1")" ] && return 0
    started=$(systemctl show --timestamp=unix -P ExecMainStartTimestamp "$(running)")
    [ "$(stat -c %Y "$1")" -lt "${started#@}" ]
}

reload() { [ -z "$(running)" ] || systemctl reload "$(running)"; }

case $1 in
apply)
    somebody_has_a_key || exit 0
    trial=/run/keyservices-sshd-trial
    # The first line that says something counts, so this is how it will be.
    cat "$2" /etc/ssh/sshd_config >"$trial"
    why=$(tested -t -f "$trial" 2>&1) || fail "sshd would not take it: $why"
    keys_only -f "$trial" || fail "sshd would still take passwords"
    rm -f "$trial"
    mkdir -p -m 755 "$(dirname "$3")"
    cp "$2" "$3.keyservices"
    sync "$3.keyservices"
    mv -f "$3.keyservices" "$3"
    if ! tested -t || ! keys_only; then
        rm -f "$3"
        fail "sshd does not read $3: /etc/ssh/sshd_config has to include that folder first"
    fi
    reload
    sha256sum <"$3" >"$noted"
    ;;
applied)
    if [ -e "$3" ]; then cmp -s "$2" "$3" && keys_only && was_read "$3"; else ! somebody_has_a_key; fi
    ;;
tell) keys_only || echo "SSH still takes passwords: nobody here has a key that would be taken instead" ;;
undo)
    rm -f "$2" "$2.keyservices"
    tested -t && reload
    rm -f "$noted" # last: whoever is killed before tells sshd the next time
    ;;
*) exit 2 ;;
esac
