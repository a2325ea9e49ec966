# DEVICE ...: says of each, by its number, what it carries; then the table of mounts, and which of its sources are one of them.
set -eu

# All that these are on, down to whole disks.
beneath() { for one; do [ ! -e "$one" ] || lsblk -nso KNAME "$one" 2>/dev/null || :; done; }

system=$(
    findmnt -rnvo TARGET,SOURCE | awk '$1 ~ "^/(boot|boot/efi|usr|var|etc)?$" { print $2 }' | while read -r one; do beneath "$one"; done
    awk 'NR > 1 { print $1 }' /proc/swaps | while read -r one; do beneath "$one"; done
)
number=0
for device; do
    if [ -b "$device" ]; then
        name=$(basename "$(readlink -f "$device")")
        about=/sys/class/block/$name
        echo "$number exists"
        awk -v numbers="$(cat "$about/dev")" -v real="$(readlink -f "$device")" -v at="$number" \
            '{ for (i = 7; $i != "-"; i++); } $3 == numbers || $(i + 2) == real { print at, "mounted", $5 }' /proc/self/mountinfo
        for one in "$about"/holders/*; do [ ! -e "$one" ] || echo "$number holder $(basename "$one")"; done
        for one in "$about"/*/partition; do [ ! -e "$one" ] || echo "$number partition $(basename "$(dirname "$one")")"; done
        printf '%s\n' "$system" | tr -d ' ' | grep -qx "$name" && echo "$number system"
        # Sources of the table: paths, UUID=..., LABEL=...
        sed -n 's/^[[:space:]]*\([^#[:space:]][^[:space:]]*\)[[:space:]].*/\1/p' /etc/fstab | sort -u | while read -r source; do
            case $source in /*) place=$source ;; *) place=$(findfs "$source" 2>/dev/null) || continue ;; esac
            [ "$(readlink -f "$place")" != "$(readlink -f "$device")" ] || echo "same $number $source"
        done
    fi
    echo "$number looked"
    number=$((number + 1))
done
[ -e /etc/fstab ] || : >/etc/fstab
echo "fstab $(stat -c '%a %U:%G' /etc/fstab)"
echo "table $(base64 -w 0 /etc/fstab)"
