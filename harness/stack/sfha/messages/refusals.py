"""Why a cluster is not founded, joined, left or started like this, and what to do: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "init.other-corosync": (
        "a Corosync runs here (process {pid}, from {path}: cluster {cluster} with {nodes} nodes: {names}) that is "
        "not sfha's: it belongs to another cluster, and was left as it is. A machine can be in one Corosync cluster "
        "only: use another machine, or, if it is no longer needed, stop it and move its files away",
        "un Corosync tourne ici (processus {pid}, d'après {path} : grappe {cluster} avec {nodes} nœuds : {names}) "
        "qui n'est pas à sfha : il est à une autre grappe, et n'a pas été touché. Une machine n'est que dans une "
        "grappe Corosync : prendre une autre machine ou, s'il ne sert plus, l'arrêter et déplacer ses fichiers",
    ),
    "init.foreign-file": (
        "{path} is of another cluster ({cluster}, {nodes} nodes: {names}) and was not written by sfha, which would "
        "have to write over it: use another machine, or, if it is no longer needed, move it and its authkey away",
        "{path} est d'une autre grappe ({cluster}, {nodes} nœuds : {names}) et n'a pas été écrit par sfha, qui "
        "devrait l'écraser : prendre une autre machine ou, s'il ne sert plus, le déplacer avec son authkey",
    ),
    "init.foreign-key": (
        "{path} is a key of another Corosync, not one of sfha's, which would have to write over it: move it away if "
        "it is no longer needed",
        "{path} est une clé d'un autre Corosync, pas de sfha, qui devrait l'écraser : la déplacer si elle ne sert plus",
    ),
    "init.shared-network": (
        "the mesh needs a network of its own, but {network} shares addresses with {taken} on {interface} here; "
        "choose another one, such as --mesh {free}",
        "le maillage a besoin d'un réseau à lui, mais {network} partage des adresses avec {taken} sur {interface} ; "
        "en choisir un autre, par exemple --mesh {free}",
    ),
    "join.shared-network": (
        "the mesh of this cluster is {network}, which shares addresses with {taken} on {interface} here: renumber "
        "{interface}, or found the cluster on another network ({free} is free here: `sfha init --mesh {free}`)",
        "le maillage de cette grappe est {network}, qui partage des adresses avec {taken} sur {interface} ici : "
        "renuméroter {interface}, ou fonder la grappe sur un autre réseau ({free} est libre ici : « sfha init "
        "--mesh {free} »)",
    ),
    "init.vip-in-mesh": (
        "{path}: the virtual address {name} ({address}) is inside the mesh's network {network}, whose addresses are "
        "given to members; choose another network, such as --mesh {free}",
        "{path} : l'adresse virtuelle {name} ({address}) est dans le réseau du maillage {network}, dont les "
        "adresses vont aux membres ; choisir un autre réseau, par exemple --mesh {free}",
    ),
    "init.bad-name": (
        "--name: {why}",
        "--name : {why}",
    ),
    "init.other-node": (
        "{path} says node.name: {given}, not {wanted}; change it there, or leave --node-name out",
        "{path} dit node.name: {given}, pas {wanted} ; le changer là, ou omettre --node-name",
    ),
    "name.empty": (
        "a name is needed, and this one is empty",
        "il faut un nom, et celui-ci est vide",
    ),
    "name.unwritable": (
        "{given} has a line break or another control character, which Corosync's file cannot hold",
        "{given} contient un saut de ligne ou un autre caractère de contrôle, impossible dans le fichier de Corosync",
    ),
    "name.brace": (
        "{given!r} has a brace ({brace}), which ends or begins a section in Corosync's file; leave it out",
        "{given!r} contient une accolade ({brace}), qui ouvre ou ferme une section du fichier de Corosync ; l'enlever",
    ),
    "name.long": (
        "a name has {most} bytes at most, this one has {length}",
        "un nom a au plus {most} octets, celui-ci en a {length}",
    ),
    "init.member": (
        "this node belongs to a cluster already ({path} is there); `sfha leave` takes it out (`sfha leave --force` "
        "where no daemon runs)",
        "ce nœud appartient déjà à une grappe ({path} existe) ; « sfha leave » l'en retire (« sfha leave --force » "
        "si aucun démon ne tourne)",
    ),
    "init.bad-mesh": (
        "mesh {mesh}, address {ip}: an IPv4 network such as 10.90.0.0/24 and an address of a host in it are needed",
        "maillage {mesh}, adresse {ip} : il faut un réseau IPv4 comme 10.90.0.0/24 et une adresse d'hôte dedans",
    ),
    "init.other-cluster": (
        "{path} is for the cluster {given!r}; use --name {given}, or move the file away",
        "{path} est pour la grappe {given!r} ; utiliser --name {given}, ou déplacer ce fichier",
    ),
    "join.unreachable": (
        "{seeder} does not answer at {endpoint}: check that its UDP port is open from here; or the token was used, "
        "has expired, is of another cluster, or its address was given to another node: then make a new one with "
        "`sfha token`",
        "{seeder} ne répond pas sur {endpoint} : vérifier que son port UDP est ouvert d'ici ; ou le jeton a servi, "
        "a expiré ou vient d'une autre grappe, ou son adresse a été donnée à un autre nœud : en faire un neuf avec "
        "« sfha token »",
    ),
    "join.refused": (
        "{seeder} refuses: {why}",
        "{seeder} refuse : {why}",
    ),
    "join.not-started": (
        "{node} is a member now, but not up yet: {why}. `sfha doctor` tells what is wrong; then run the same "
        "command again",
        "{node} est membre, mais pas encore en marche : {why}. « sfha doctor » dit ce qui ne va pas ; puis relancer "
        "la même commande",
    ),
    "join.no-ack": (
        "{seeder} did not finish the join within {seconds:g} s ({why}). It was told to reach this node at "
        "{endpoint}: if that is not so, give --endpoint. Run the same command again, or, if {seeder} is gone, ask "
        "another member for a token",
        "{seeder} n'a pas achevé l'adhésion en {seconds:g} s ({why}). On lui a dit de joindre ce nœud en {endpoint} "
        ": si c'est faux, donner --endpoint. Relancer la même commande ou, si {seeder} a disparu, demander un jeton "
        "à un autre membre",
    ),
    "join.odd-ack": (
        "{seeder} answered in a way that is not understood; install the same version of sfha on both nodes",
        "{seeder} a donné une réponse incompréhensible ; installer la même version de sfha sur les deux nœuds",
    ),
    "join.not-register": (
        "this is no registration with a token of this node",
        "ceci n'est pas une inscription valable",
    ),
    "join.bad-name": (
        "{name!r} cannot be a node's name: letters, digits, dots and dashes; give another one with --node-name, or "
        "set node.name in config.yml or the host name",
        "{name!r} ne peut nommer un nœud : lettres, chiffres, points et tirets ; en donner un autre par "
        "--node-name, ou régler node.name dans config.yml ou le nom d'hôte",
    ),
    "join.bad-endpoint": (
        'the endpoint must be "host:port" ("[address]:port" for IPv6), not {endpoint!r}',
        "le point d'accès doit être « hôte:port » (« [adresse]:port » en IPv6), pas {endpoint!r}",
    ),
    "endpoint.brackets": (
        "{endpoint!r} could be read in two ways: an IPv6 address has brackets around it, as in {bracketed}",
        "{endpoint!r} peut se lire de deux façons : une adresse IPv6 va entre crochets, comme {bracketed}",
    ),
    "endpoint.unresolved": (
        "the endpoint {endpoint} cannot be used: {host} has no address here ({reason}); mend the name, or give an "
        "address in its stead ({instead})",
        "le point d'accès {endpoint} est inutilisable : {host} n'a pas d'adresse ici ({reason}) ; corriger le nom, "
        "ou donner une adresse à sa place ({instead})",
    ),
    "endpoint.unreachable": (
        "{seeder} cannot be reached from here at {endpoint} ({reason}), where its token says it is; if it is "
        "elsewhere, make a token there with `sfha token --endpoint HOST:PORT`",
        "{seeder} ne peut être joint d'ici en {endpoint} ({reason}), où le dit son jeton ; s'il est ailleurs, y "
        "faire un jeton par « sfha token --endpoint HÔTE:PORT »",
    ),
    "init.bad-port": (
        "a UDP port is a number from 1 to 65535, not {port}",
        "un port UDP est un nombre de 1 à 65535, pas {port}",
    ),
    "join.token-used": (
        "this token was used already, by {name}; each node needs a token of its own (`sfha token`)",
        "ce jeton a déjà servi, à {name} ; chaque nœud a besoin du sien (« sfha token »)",
    ),
    "join.seeder-without-quorum": (
        "{name} has no quorum, so nobody can join there; bring its other nodes back first",
        "{name} n'a pas le quorum : personne ne peut y adhérer ; remettre d'abord ses autres nœuds en marche",
    ),
    "join.no-knock": (
        "{name} did not come back with its own key within {seconds:g} s",
        "{name} n'est pas revenu avec sa propre clé en {seconds:g} s",
    ),
    "join.seeder-failed": (
        "it could not be carried out: {error}",
        "l'opération a échoué : {error}",
    ),
    "run.twice": (
        "another sfha daemon runs here (see {file})",
        "un autre démon sfha tourne ici (voir {file})",
    ),
    "run.own-address": (
        "{file}: vips: {name}: {address} is where the others reach this node, not a virtual address",
        "{file} : vips : {name} : {address} est là où les autres joignent ce nœud, pas une adresse virtuelle",
    ),
    "run.mesh": (
        "the mesh cannot be brought up: {why}",
        "le maillage ne peut être activé : {why}",
    ),
    "run.foreign-corosync": (
        "a Corosync of another cluster is here ({path}: cluster {cluster}, nodes {names}): its quorum is not this "
        "cluster's, and sfha does not touch it; take it away, or use another machine",
        "un Corosync d'une autre grappe est ici ({path} : grappe {cluster}, nœuds {names}) : son quorum n'est pas "
        "celui de cette grappe, et sfha n'y touche pas ; l'enlever, ou prendre une autre machine",
    ),
    "endpoint.unknown": (
        "this node's own address cannot be told; give it with --endpoint HOST:PORT ([ADDRESS]:PORT for IPv6)",
        "l'adresse de ce nœud est introuvable ; la donner avec --endpoint HÔTE:PORT ([ADRESSE]:PORT en IPv6)",
    ),
    "roster.name-taken": (
        "there is a member called {name} already, and it is another machine: give this one a name of its own, with "
        "`sfha join --node-name OTHER` and the same token",
        "un membre s'appelle déjà {name}, et c'est une autre machine : donner à celle-ci un nom à elle, par « sfha "
        "join --node-name AUTRE » avec le même jeton",
    ),
    "roster.name-taken-offline": (
        "there is a member called {name} already, with another key, and it is offline: give this machine a name of "
        "its own (`sfha join --node-name OTHER`); only if it is {name} itself, installed anew, run `sfha node "
        "remove {name}` on a member first",
        "un membre s'appelle déjà {name}, avec une autre clé, et il est hors ligne : donner à cette machine un nom "
        "à elle (« sfha join --node-name AUTRE ») ; si c'est {name} même, réinstallé, lancer d'abord « sfha node "
        "remove {name} » sur un membre",
    ),
    "leave.nothing": (
        "this node is in no cluster ({path} is not there)",
        "ce nœud n'est dans aucune grappe ({path} n'existe pas)",
    ),
    "leave.no-daemon": (
        "no daemon runs here that could tell the others ({others}): start it (`systemctl start sfha` or `sfha "
        "run`), or use `sfha leave --force`, and `sfha node remove` for this node on another one",
        "aucun démon ne tourne ici pour prévenir les autres ({others}) : le lancer (« systemctl start sfha » ou « "
        "sfha run »), ou « sfha leave --force », et « sfha node remove » pour ce nœud sur un autre",
    ),
    "leave.unfinished": (
        "after {seconds:g} s this node has not left yet: still there are {files}, daemon process {pid}; see `sfha "
        "logs`, and run `sfha leave --force` when the daemon has ended",
        "après {seconds:g} s ce nœud n'est pas encore parti : restent {files}, processus du démon {pid} ; voir « "
        "sfha logs », et lancer « sfha leave --force » quand le démon est arrêté",
    ),
    "mesh.not-up": (
        "{interface} was told to be up with the address {address}, and is not; `ip address show {interface}` shows it",
        "{interface} devait être active avec l'adresse {address}, et ne l'est pas ; voir « ip address show "
        "{interface} »",
    ),
    "mesh.port-taken": (
        "UDP port {port} is taken here, by {holder}: free it, or choose another one with --port (for a member: "
        "`port` in /etc/sfha/mesh.json)",
        "le port UDP {port} est pris ici, par {holder} : le libérer, ou en choisir un autre par --port (pour un "
        "membre : « port » dans /etc/sfha/mesh.json)",
    ),
}
