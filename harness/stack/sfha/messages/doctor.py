"""What `sfha doctor` says: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "help.doctor": ("say what is wrong with this node", "dire ce qui ne va pas sur ce nœud"),
    "more.doctor": (
        "Looks at files, programs, kernel, ports, names, interfaces, sysctls, clock, disk, Corosync, tunnel, daemon\n"
        "and peers, and changes nothing. Works without a daemon and before `sfha init`; as root it sees more.\n"
        "Exit code 0: nothing is wrong (there may be doubts); 1: something is.\n\n"
        "  sfha doctor\n  sfha doctor --json | jq '.findings[] | select(.severity == \"wrong\") | .text'",
        "Regarde fichiers, programmes, noyau, ports, noms, interfaces, sysctl, horloge, disque, Corosync, tunnel,\n"
        "démon et pairs, et ne change rien. Marche sans démon et avant « sfha init » ; en root, il en voit plus.\n"
        "Code 0 : rien ne va mal (il peut y avoir des doutes) ; 1 : quelque chose ne va pas.\n\n"
        "  sfha doctor\n  sfha doctor --json | jq '.findings[] | select(.severity == \"wrong\") | .text'",
    ),
    "doctor.about.files": ("files", "fichiers"),
    "doctor.about.kernel": ("programs and kernel", "programmes et noyau"),
    "doctor.about.corosync": ("Corosync", "Corosync"),
    "doctor.about.mesh": ("mesh", "maillage"),
    "doctor.about.ports": ("ports", "ports"),
    "doctor.about.names": ("names", "noms"),
    "doctor.about.interfaces": ("interfaces", "interfaces"),
    "doctor.about.sysctls": ("sysctls", "sysctl"),
    "doctor.about.disk": ("disk", "disque"),
    "doctor.about.clock": ("clock", "horloge"),
    "doctor.about.daemon": ("daemon", "démon"),
    "doctor.about.peers": ("peers", "pairs"),
    "doctor.well": ("nothing is wrong", "rien ne va mal"),
    "doctor.no-cluster": (
        "this node is in no cluster yet, and nothing is in the way of one: `sfha init` or `sfha join`",
        "ce nœud n'est encore dans aucune grappe, et rien ne s'y oppose : « sfha init » ou « sfha join »",
    ),
    "doctor.said": ("{words}", "{words}"),
    "doctor.unread": ("{path} could not be looked at without root", "{path} n'a pu être examiné sans être root"),
    "doctor.no-config": (
        "{path} is missing, though this node is a member; put it back (`sfha config-example`, or from another member)",
        "{path} manque, alors que ce nœud est membre ; le remettre (« sfha config-example », ou d'un autre membre)",
    ),
    "doctor.missing": (
        "{name} is not installed; `apt install --reinstall sfha` brings what it depends on",
        "{name} n'est pas installé ; « apt install --reinstall sfha » apporte ce dont il dépend",
    ),
    "doctor.no-wireguard": (
        "the kernel has no WireGuard, and wireguard-go or /dev/net/tun is missing: `apt install wireguard-go`; in a "
        "container, its host has to allow /dev/net/tun",
        "le noyau n'a pas WireGuard, et wireguard-go ou /dev/net/tun manque : « apt install wireguard-go » ; dans "
        "un conteneur, son hôte doit permettre /dev/net/tun",
    ),
    "doctor.no-gate": (
        "nftables of this kernel has neither the family netdev nor bridge: no virtual address can be guarded, and so "
        "none is held here; this node votes all the same",
        "nftables de ce noyau n'a ni la famille netdev ni bridge : aucune adresse virtuelle ne peut être gardée, donc "
        "aucune n'est tenue ici ; ce nœud vote quand même",
    ),
    "doctor.no-bridge": (
        "nftables of this kernel guards bridges alone (no family netdev), and {interface} is none, so {vips} cannot "
        "be held here: make a bridge of it whose port is the present interface",
        "nftables de ce noyau ne garde que les ponts (pas de famille netdev), et {interface} n'en est pas un : {vips} "
        "ne peut être tenu ici ; en faire un pont dont le port est l'interface actuelle",
    ),
    "doctor.no-egress": (
        "Linux {release} cannot guard what leaves (5.16 and newer can): a node that was frozen may send one stale "
        "packet",
        "Linux {release} ne peut garder ce qui sort (5.16 et suivants, oui) : un nœud gelé peut envoyer un paquet "
        "périmé",
    ),
    "doctor.corosync-died": (
        "it does not run; the last time it ended with: {why}",
        "il ne tourne pas ; la dernière fois, il s'est arrêté sur : {why}",
    ),
    "doctor.corosync-off": (
        "it does not run: the daemon starts it when a peer is reached through the tunnel",
        "il ne tourne pas : le démon le lance quand un pair est joint par le tunnel",
    ),
    "doctor.tunnel-gone": (
        "{interface} is not there; a running daemon puts it back, as does `sfha mesh up`",
        "{interface} n'est pas là ; un démon en marche la remet, comme « sfha mesh up »",
    ),
    "doctor.no-wall": (
        "packets under addresses of {network} that come beside the tunnel are not dropped (`sfha logs` says why): with "
        "the profile lan anybody in the nodes' network can break the ring; drop them by a firewall, or by `sysctl "
        "net.ipv4.conf.all.rp_filter=1`",
        "les paquets sous des adresses de {network} qui arrivent hors du tunnel ne sont pas jetés (« sfha logs » dit "
        "pourquoi) : avec le profil lan, quiconque est dans le réseau des nœuds peut rompre l'anneau ; les jeter par "
        "un pare-feu, ou par « sysctl net.ipv4.conf.all.rp_filter=1 »",
    ),
    "doctor.shared-network": (
        "the mesh's network {network} shares addresses with {taken} on {interface}: renumber {interface}, or found "
        "the cluster anew on another network ({free} is free here)",
        "le réseau du maillage {network} partage des adresses avec {taken} sur {interface} : renuméroter "
        "{interface}, ou refonder la grappe sur un autre réseau ({free} est libre ici)",
    ),
    "doctor.port.wireguard": ("WireGuard", "WireGuard"),
    "doctor.port.corosync": ("Corosync", "Corosync"),
    "doctor.port.heartbeat": ("heartbeats", "battements de cœur"),
    "doctor.port-taken": (
        "UDP port {port} ({purpose}) is taken by {holder}: free it",
        "le port UDP {port} ({purpose}) est pris par {holder} : le libérer",
    ),
    "doctor.unresolved": (
        "the peer's endpoint {endpoint} has no address ({reason}): mend the name server, or put it into /etc/hosts",
        "le point d'accès {endpoint} d'un pair n'a pas d'adresse ({reason}) : réparer le serveur de noms, ou "
        "l'écrire dans /etc/hosts",
    ),
    "doctor.link-gone": (
        "{interface} is not there, so {vips} cannot be held here: make it, or correct `interface` in config.yml",
        "{interface} n'est pas là, donc {vips} ne peut être porté ici : la créer, ou corriger « interface » dans "
        "config.yml",
    ),
    "doctor.link-down": (
        "{interface} is down, so nobody hears {vips} here: `ip link set {interface} up`",
        "{interface} est inactive, donc personne n'entend {vips} ici : « ip link set {interface} up »",
    ),
    "doctor.link-dead": (
        "{interface} has no carrier, so nobody hears {vips} here: look at the cable, or what it is plugged into",
        "{interface} n'a pas de porteuse, donc personne n'entend {vips} ici : voir le câble, ou ce qui est au bout",
    ),
    "doctor.vip-error": ("{name}: {error}", "{name} : {error}"),
    "doctor.promote": (
        "promote_secondaries is 0 for {interface}: an address of this node that was added after {vips} goes away "
        "with it; `sysctl net.ipv4.conf.{interface}.promote_secondaries=1`",
        "promote_secondaries vaut 0 pour {interface} : une adresse de ce nœud ajoutée après {vips} disparaît avec ; "
        "« sysctl net.ipv4.conf.{interface}.promote_secondaries=1 »",
    ),
    "doctor.arp-ignore": (
        "arp_ignore is 8 for {interface}, so nobody is told where {vips} is: `sysctl "
        "net.ipv4.conf.{interface}.arp_ignore=0`",
        "arp_ignore vaut 8 pour {interface}, donc personne n'apprend où est {vips} : « sysctl "
        "net.ipv4.conf.{interface}.arp_ignore=0 »",
    ),
    "doctor.rp-filter": (
        "rp_filter is 1 (strict) for {interface}, and the default route is elsewhere: clients of {vips} from other "
        "networks are dropped; `sysctl net.ipv4.conf.{interface}.rp_filter=2`",
        "rp_filter vaut 1 (strict) pour {interface}, et la route par défaut est ailleurs : les clients de {vips} "
        "venant d'autres réseaux sont jetés ; « sysctl net.ipv4.conf.{interface}.rp_filter=2 »",
    ),
    "doctor.bridge-nf": (
        "{interface} is a bridge whose frames pass the packet filter (bridge-nf-call-*), which may drop those of "
        "{vips}: `sysctl net.bridge.bridge-nf-call-iptables=0`, or let them through",
        "{interface} est un pont dont les trames passent par le pare-feu (bridge-nf-call-*), qui peut jeter celles "
        "de {vips} : « sysctl net.bridge.bridge-nf-call-iptables=0 », ou les laisser passer",
    ),
    "doctor.unwritable": (
        "{path} cannot be written to ({reason}): what this node promises has to be kept there",
        "{path} n'est pas accessible en écriture ({reason}) : ce que ce nœud promet doit y être gardé",
    ),
    "doctor.full": (
        "{path} has {free_mb} MB (or no inodes) left: make room, what this node promises has to be kept there",
        "il reste {free_mb} Mo (ou aucun inode) dans {path} : faire de la place, ce que ce nœud promet doit y être "
        "gardé",
    ),
    "doctor.clock-wrong": (
        "it says {year}: tokens and signatures are good for seconds to hours, so set it (`timedatectl set-ntp true`)",
        "elle dit {year} : jetons et signatures valent des secondes à des heures, la régler (« timedatectl set-ntp "
        "true »)",
    ),
    "doctor.clock-free": (
        "nothing keeps it right, as far as the kernel knows; those of the nodes must agree within a minute "
        "(`timedatectl set-ntp true`; in a container it is its host's)",
        "rien ne la règle, à ce que sait le noyau ; celles des nœuds doivent concorder à une minute près (« "
        "timedatectl set-ntp true » ; dans un conteneur, c'est celle de l'hôte)",
    ),
    "doctor.daemon-off": (
        "it does not run: `systemctl start sfha`, or `sfha run` to see why it does not start",
        "il ne tourne pas : « systemctl start sfha », ou « sfha run » pour voir pourquoi il ne démarre pas",
    ),
    "doctor.daemon-hangs": (
        "it runs (process {pid}) but does not answer: `sfha logs`, then `systemctl restart sfha`",
        "il tourne (processus {pid}) mais ne répond pas : « sfha logs », puis « systemctl restart sfha »",
    ),
    "doctor.peer-offline": (
        "{name} is not heard: look whether it is up, and run `sfha doctor` there",
        "{name} ne s'entend pas : voir s'il est allumé, et lancer « sfha doctor » là-bas",
    ),
    "doctor.no-handshake": (
        "no handshake with {name} for three minutes: is its UDP port open both ways, and its endpoint right (`sfha "
        "mesh status`)?",
        "aucune poignée de main avec {name} depuis trois minutes : son port UDP est-il ouvert dans les deux sens, "
        "et son point d'accès juste (« sfha mesh status ») ?",
    ),
}
