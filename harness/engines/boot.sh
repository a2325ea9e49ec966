#!/bin/sh
# What a node does with its power: wait for its network, run /etc/boot.d, and on TERM end that in reverse.
# Its parent is process 1 (tini); when this script ends, the node is off.

ended=
services=
trap 'ended=yes' TERM

shutdown() {
    trap '' TERM
    for service in $services; do
        kill -TERM "-$service" 2> /dev/null || kill -TERM "$service" 2> /dev/null
        wait "$service"
    done
    # A machine whose kernel is its own has to switch itself off.
    [ ! -x /usr/lib/harness-node/power-off ] || exec /usr/lib/harness-node/power-off
    exit 0
}

ready() {
    [ -r /sys/class/net/eth0/operstate ] || return 1
    read -r state < /sys/class/net/eth0/operstate
    [ "$state" = up ]
}

mkdir -p /var/log/boot
until ready; do
    [ -z "$ended" ] || shutdown
    # Where there is something to wait for, a machine of one processor has better things to do than to look again.
    if [ -p /run/harness-cable ]; then
        { read -r _ < /run/harness-cable; } 2> /dev/null  # or be told to end meanwhile
    else
        sleep 0.01
    fi
done

for program in /etc/boot.d/*; do
    [ -x "$program" ] || continue
    # A session of its own: TERM reaches the whole service, and none of it before its turn.
    setsid "$program" > "/var/log/boot/${program##*/}.log" 2>&1 < /dev/null &
    services="$! $services"
done

# From here on the trap does the work itself: a TERM just before a wait would else go unnoticed.
trap shutdown TERM
[ -z "$ended" ] || shutdown
while :; do
    sleep 2147483647 &
    wait $!
done
