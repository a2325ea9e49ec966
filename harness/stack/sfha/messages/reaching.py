"""What is said about where nodes are reached, and about what keeps the daemon's loop: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "help.mesh.endpoint": (
        "say where a member is reached from now on",
        "dire où un membre est joint désormais",
    ),
    "more.mesh.endpoint": (
        "On any node. It is used there at once, and the whole cluster is told as soon as a majority can be reached;\n"
        "until then it is kept on this node. When all nodes have new addresses, saying it on one node of all the\n"
        "others brings them together.\n\n"
        "  sfha mesh endpoint n2 192.0.2.12:51820",
        "Sur n'importe quel nœud. Utilisé là tout de suite ; toute la grappe est prévenue dès qu'une majorité peut\n"
        "être jointe, et d'ici là ce nœud le retient. Quand tous les nœuds ont de nouvelles adresses, le dire sur un\n"
        "nœud pour tous les autres les réunit.\n\n"
        "  sfha mesh endpoint n2 192.0.2.12:51820",
    ),
    "help.mesh.endpoint.name": ("name of the node", "nom du nœud"),
    "help.mesh.endpoint.endpoint": ("its new endpoint", "sa nouvelle extrémité"),
    "mesh.endpoint.unknown": (
        "there is no member called {name}; members are {known}",
        "aucun membre ne s'appelle {name} ; les membres sont {known}",
    ),
    "mesh.endpoint.agreed": (
        "{name} is reached at {endpoint}; the cluster knows",
        "{name} est joint à {endpoint} ; la grappe le sait",
    ),
    "mesh.endpoint.here": (
        "{name} is reached at {endpoint} from this node; the others are told as soon as a majority is reached",
        "{name} est joint à {endpoint} depuis ce nœud ; les autres le sauront dès qu'une majorité sera jointe",
    ),
    "mesh.endpoint.unresolved": (
        "{endpoint}: the name could not be looked up yet; it is tried again every few seconds",
        "{endpoint} : ce nom n'a pas encore pu être résolu ; nouvel essai toutes les quelques secondes",
    ),
    "join.seen-elsewhere": (
        "{seeder} sees this node at {seen}, not at {announced}: a NAT lies between, or {announced} is wrong; nodes "
        "that do not hear from this one first cannot reach it (`sfha mesh endpoint` sets where they do)",
        "{seeder} voit ce nœud à {seen} et non à {announced} : un NAT est entre les deux, ou {announced} est faux ; "
        "les nœuds que celui-ci n'appelle pas d'abord ne le joignent pas (« sfha mesh endpoint » dit où ils le font)",
    ),
    "event.endpoint-given": (
        "{name} is reached at {endpoint} from now on, as a person said here",
        "{name} est joint à {endpoint} désormais, comme dit ici à la main",
    ),
    "event.endpoint-unresolved": (
        "{endpoint} cannot be looked up; that peer is reached only once it begins, and the name is tried again",
        "{endpoint} ne peut être résolu ; ce pair n'est joint que s'il commence, et le nom est réessayé",
    ),
    "event.handshake-started-anew": (
        "handshake begun anew with nodes {peers}",
        "poignée de main recommencée avec les nœuds {peers}",
    ),
    "status.warn.loop": (
        "the daemon was kept from its leases for {blocked_ms} ms, by {name}: please report it, with `sfha logs`",
        "le démon a été tenu loin de ses baux pendant {blocked_ms} ms, par {name} : à signaler, avec « sfha logs »",
    ),
    "event.slow-callback": (
        "{name} kept the daemon's loop for {blocked_ms} ms ({wall_ms} ms by the clock); seen meanwhile: {where}",
        "{name} a occupé la boucle du démon pendant {blocked_ms} ms ({wall_ms} ms à l'horloge) ; vu alors : {where}",
    ),
}
