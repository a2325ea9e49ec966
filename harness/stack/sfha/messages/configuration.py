"""What is wrong with config.yml and mesh.json: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "config.lease-needs-fencing": (
        "an address without the lease waits for fencing: set stonith.enabled: true, or leave lease out",
        "une adresse sans bail attend l'isolement : mettre stonith.enabled: true, ou enlever lease",
    ),
    "config.not-json": ("{file}:{line}: not valid JSON: {problem}", "{file}:{line}: JSON incorrect : {problem}"),
    "config.one-of": ("must be one of {allowed}, not {given!r}", "doit être parmi {allowed}, pas {given!r}"),
    "config.not-name": (
        "must be a name without spaces and slashes, not {given!r}",
        "doit être un nom sans espace ni barre oblique, pas {given!r}",
    ),
    "config.taken": ("{given!r} is already taken", "{given!r} est déjà pris"),
    "config.service-needs": (
        "is missing: a service of type {kind} has one",
        "manque : un service de type {kind} en a besoin",
    ),
    "config.service-without": ("does not go with type {kind}", "ne va pas avec le type {kind}"),
    "config.no-service": ("there is no service {given!r}", "il n'y a pas de service {given!r}"),
    "config.twice-ms": (
        "is given twice: it is the same as {other}",
        "est donné deux fois : c'est la même chose que {other}",
    ),
    "config.not-host-port": ('must be "host:port", not {given!r}', "doit être « hôte:port », pas {given!r}"),
    "config.not-url": (
        'must be a URL such as "http://127.0.0.1:80/health", not {given!r}',
        "doit être une URL comme « http://127.0.0.1:80/health », pas {given!r}",
    ),
    "config.not-command": ("is not a command: {reason}", "n'est pas une commande : {reason}"),
    "config.not-constraint": (
        "a constraint is {order: FIRST, then: NEXT} or {colocation: RESOURCE, with: OTHER}",
        "une contrainte est {order: PREMIER, then: SUIVANT} ou {colocation: RESSOURCE, with: AUTRE}",
    ),
    "config.taken-vip": ("{given} is already taken by another VIP", "{given} est déjà pris par une autre VIP"),
    "config.not-interface": (
        "must be the name of a network interface, not {given!r}: {why}",
        "doit être le nom d'une interface réseau, pas {given!r} : {why}",
    ),
    "config.interface.empty": ("that is no name", "ce n'est pas un nom"),
    "config.interface.long": ("it has 15 bytes at most", "il a 15 octets au plus"),
    "config.interface.odd": (
        "it has no slash, colon, space or control character (an address label such as eth0:1 is not an interface)",
        "il n'a ni barre oblique, ni deux-points, ni espace, ni caractère de contrôle (une étiquette d'adresse comme "
        "eth0:1 n'est pas une interface)",
    ),
    "config.interface.star": (
        "stars and quotation marks cannot be guarded",
        "les étoiles et les guillemets ne peuvent être gardés",
    ),
    "config.not-address": (
        'must be an IPv4 address of a host or an IPv6 one, such as "10.0.0.100/24" or "fd00::100/64", not {given!r}',
        "doit être une adresse d'hôte IPv4 ou IPv6, comme « 10.0.0.100/24 » ou « fd00::100/64 », pas {given!r}",
    ),
    "config.not-mesh-address": (
        'must be an IPv4 address such as "10.90.0.1/24", not {given!r}',
        "doit être une adresse IPv4 comme « 10.90.0.1/24 », pas {given!r}",
    ),
    "config.not-endpoint": ('must be "address:port", not {given!r}', "doit être « adresse:port », pas {given!r}"),
    "config.two-nodes": (
        "{file}: peers: {what} {given} is used by two nodes",
        "{file} : peers : {what} {given} sert à deux nœuds",
    ),
    "config.vip-in-mesh": (
        "{file}: vips: {name}: {address} is inside the mesh's network {network}, whose addresses are given to members; "
        "choose an address of the network that clients are in",
        "{file} : vips : {name} : {address} est dans le réseau du maillage {network}, dont les adresses vont aux "
        "membres ; choisir une adresse du réseau des clients",
    ),
    "config.other-node": (
        "{file}: name: is {given!r}, but node.name in {other} is {node!r}; make them the same",
        "{file} : name : vaut {given!r}, mais node.name dans {other} vaut {node!r} ; les rendre égaux",
    ),
}
