"""What is said about the mesh, joining, leaving and removing: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "needs-root": ("{file}: not permitted; run this as root", "{file} : interdit ; lancer ceci en root"),
    # founding and joining
    "init.written": ("keys and configuration written", "clés et configuration écrites"),
    "init.corosync-stopped": (
        "stopped the Corosync that ran here, alone, as its package had started it",
        "Corosync, qui tournait ici seul, comme son paquet l'avait lancé, a été arrêté",
    ),
    "init.done": (
        "cluster {cluster} runs on {node} ({address} in the mesh)",
        "la grappe {cluster} tourne sur {node} ({address} dans le maillage)",
    ),
    "init.next": (
        "Next: `sfha token` here, then `sfha join TOKEN` on the node to add.",
        "Ensuite : « sfha token » ici, puis « sfha join JETON » sur le nœud à ajouter.",
    ),
    "join.step.parsed": (
        "1 token read: cluster {cluster}, by way of {seeder}",
        "1 jeton lu : grappe {cluster}, par {seeder}",
    ),
    "join.step.tunnel": (
        "2 WireGuard configured with {peers} peer(s)",
        "2 WireGuard configuré avec {peers} pair(s)",
    ),
    "join.step.connected": ("3 connected to the mesh of {seeder}", "3 connecté au maillage de {seeder}"),
    "join.step.registered": (
        "4 registered over the tunnel, with the address {address}",
        "4 enregistré par le tunnel, avec l'adresse {address}",
    ),
    "join.step.member": (
        "5-8 {name} is a member; the cluster has {nodes}",
        "5-8 {name} est membre ; la grappe a {nodes}",
    ),
    "join.done": (
        "{node} has joined {cluster} ({address} in the mesh)",
        "{node} a rejoint {cluster} ({address} dans le maillage)",
    ),
    "join.by-hand": (
        "on {seeder}, run:  sfha mesh add-peer {reply}",
        "sur {seeder}, lancer :  sfha mesh add-peer {reply}",
    ),
    "join.step.again": (
        "{node} is a member already; starting its daemon",
        "{node} est déjà membre ; lancement de son démon",
    ),
    # what other daemons answer
    "peer.silent": ("no answer within {seconds:g} s", "pas de réponse en {seconds:g} s"),
    "peer.unreachable": ("not reachable ({reason})", "injoignable ({reason})"),
    "peer.odd": ("answered something else than sfha would ({reason})", "a répondu autre chose que sfha ({reason})"),
    "peer.stranger": (
        "it does not accept this node's key or clock, or has no such service",
        "il n'accepte pas la clé ou l'heure de ce nœud, ou n'offre pas ce service",
    ),
    "peer.unknown": ("{name} is not a peer of this node", "{name} n'est pas un pair de ce nœud"),
    "removal.not-told": ("{name} was not told: {why}", "{name} n'a pas été prévenu : {why}"),
    "propagate.not-taken": (
        "{name} has the file, but its daemon cannot take it up: {why}",
        "{name} a le fichier, mais son démon ne peut l'appliquer : {why}",
    ),
    "propagate.bad-timeout": (
        "the time-out is a number of seconds up to {most:g}, not {given:g}",
        "le délai est un nombre de secondes jusqu'à {most:g}, pas {given:g}",
    ),
    "peer.failed": ("{name}: {why}", "{name} : {why}"),
    # starting
    "start.failed": ("the daemon cannot be started: {reason}", "le démon ne peut être lancé : {reason}"),
    "gate.interface": ("WireGuard interface {interface} up", "interface WireGuard {interface} active"),
    "gate.handshake": (
        "a recent handshake with a peer on {interface} (is the peers' UDP port open?)",
        "une poignée de main récente avec un pair sur {interface} (leur port UDP est-il ouvert ?)",
    ),
    "gate.quorum": ("quorum (`sfha logs` tells more)", "quorum (voir « sfha logs »)"),
    "gate.passed.interface": ("gate: WireGuard interface up", "étape : interface WireGuard active"),
    "gate.passed.handshake": ("gate: recent handshake", "étape : poignée de main récente"),
    "gate.passed.quorum": ("gate: quorum", "étape : quorum"),
    "gate.corosync-ended": (
        "Corosync did not start: {why} (see {log})",
        "Corosync n'a pas démarré : {why} (voir {log})",
    ),
    "gate.timeout": (
        "this was not reached within {seconds:g} s: {what}{said}",
        "ceci n'a pas été atteint en {seconds:g} s : {what}{said}",
    ),
    # tokens
    "token.version": (
        "this token has version {given}, this sfha reads {spoken}; install the same version on both nodes",
        "ce jeton a la version {given}, ce sfha lit la {spoken} ; installer la même version sur les deux nœuds",
    ),
    "token.tampered": (
        "this token was changed on its way (its signature does not fit); ask for a new one",
        "ce jeton a été modifié en route (sa signature ne va pas) ; en demander un neuf",
    ),
    "token.expired": (
        "this token expired {seconds} s ago; make a new one with `sfha token` on {seeder}",
        "ce jeton a expiré il y a {seconds} s ; en faire un neuf avec « sfha token » sur {seeder}",
    ),
    "token.none": (
        "this is no join token: those begin with {prefix}; `sfha token` on a member prints one",
        "ceci n'est pas un jeton : ils commencent par {prefix} ; « sfha token » sur un membre en donne un",
    ),
    "token.damaged": (
        "this token is damaged; copy it again, in one piece",
        "ce jeton est abîmé ; le copier à nouveau, en entier",
    ),
    "token.foreign-reply": (
        "this reply belongs to no token of this node; run this on the node that made the token",
        "cette réponse ne va avec aucun jeton de ce nœud ; lancer ceci sur le nœud qui a fait le jeton",
    ),
    "token.mesh-full": (
        "every address of the mesh network {network} is taken; remove nodes that are gone",
        "toutes les adresses du réseau {network} sont prises ; retirer les nœuds disparus",
    ),
    "token.not-address": (
        "{given!r} is no host address of the mesh network {network}",
        "{given!r} n'est pas une adresse d'hôte du réseau {network}",
    ),
    "token.address-taken": (
        "{given} is taken already, by a member or by a token that is still good",
        "{given} est déjà prise, par un membre ou par un jeton encore valable",
    ),
    "token.ttl": ("a token lasts from 1 s to {most} s", "un jeton dure de 1 s à {most} s"),
    "token.bad-ttl": (
        "{given!r} is no time; say 90s, 10min, 1h or 2d",
        "{given!r} n'est pas une durée ; 90s, 10min, 1h ou 2d",
    ),
    # the roster
    "roster.address-taken": (
        "{address} belongs to {name} by now; ask for a new token",
        "{address} appartient maintenant à {name} ; demander un nouveau jeton",
    ),
    "roster.key-taken": ("the key of {name} belongs to {other}", "la clé de {name} appartient à {other}"),
    "roster.id-taken": ("node id {node_id} was given before", "l'identifiant {node_id} a déjà servi"),
    "roster.only-node": (
        "{name} is the only node; `sfha leave` takes the cluster down",
        "{name} est le seul nœud ; « sfha leave » arrête la grappe",
    ),
    "roster.no-majority": (
        "only {have} of {of} members answered, which is no majority; silent: {silent}. Bring them back and try again",
        "seuls {have} membres sur {of} ont répondu, sans majorité ; muets : {silent}. Les ramener, puis réessayer",
    ),
    "roster.contended": (
        "others are changing the cluster at this moment; try again",
        "d'autres modifient la grappe en ce moment ; réessayer",
    ),
    "roster.removed": (
        "{name} was removed from the cluster; `sfha leave --force` here, then join anew",
        "{name} a été retiré de la grappe ; « sfha leave --force » ici, puis adhérer à nouveau",
    ),
    # removing
    "removal.begun": ("removing {name}", "retrait de {name}"),
    "removal.done": ("removed; propagated {propagated}", "retiré ; propagé {propagated}"),
    "removal.partial": (
        "removed; propagated {propagated}: the others learn of it when they are heard again",
        "retiré ; propagé {propagated} : les autres l'apprendront à leur retour",
    ),
    "removal.self": (
        "{name} is this node; `sfha leave` takes it out of the cluster",
        "{name} est ce nœud ; « sfha leave » le retire de la grappe",
    ),
    "removal.unknown": (
        "there is no node {name} in this cluster; its nodes are {known}",
        "il n'y a pas de nœud {name} dans cette grappe ; ses nœuds sont {known}",
    ),
    "removal.no-quorum": (
        "this node has no quorum, so it may not change the cluster; run it where there is quorum",
        "ce nœud n'a pas le quorum et ne peut changer la grappe ; lancer ceci là où il y a quorum",
    ),
    "removal.no-quorum-afterwards": (
        "without {name} only {have} of {of} votes would be online; bring the other nodes back first",
        "sans {name}, seuls {have} votes sur {of} seraient en ligne ; ramener d'abord les autres nœuds",
    ),
    "removal.online": (
        "{name} is online; put it into standby first (`sfha standby` there), or use --force",
        "{name} est en ligne ; le mettre d'abord en veille (« sfha standby » là-bas), ou --force",
    ),
    "removal.plan": ("This would be done to remove {name}:", "Voici ce qui retirerait {name} :"),
    "removal.plan.1": (
        "1. POST /leave to {name} ({address}), best effort",
        "1. POST /leave à {name} ({address}), si possible",
    ),
    "removal.plan.2": (
        "2. POST /remove-peer to {peers}, before anything is removed here",
        "2. POST /remove-peer à {peers}, avant tout retrait ici",
    ),
    "removal.plan.3": (
        "3. wait for their confirmations, 10 s each at most",
        "3. attendre leurs confirmations, 10 s chacun au plus",
    ),
    "removal.plan.4": (
        "4. remove {name} from the WireGuard tunnel of this node",
        "4. retirer {name} du tunnel WireGuard de ce nœud",
    ),
    "removal.plan.5": (
        "5. remove {name} from corosync.conf of this node, and reload (corosync-cfgtool -R)",
        "5. retirer {name} du corosync.conf de ce nœud, et recharger (corosync-cfgtool -R)",
    ),
    "leave.done": ("this node has left; told {propagated}", "ce nœud est parti ; prévenus {propagated}"),
    "leave.partial": (
        "this node has left; told {propagated}: run `sfha node remove` for it on the others",
        "ce nœud est parti ; prévenus {propagated} : lancer « sfha node remove » pour lui chez les autres",
    ),
    "propagate.done": ("propagated {propagated}", "propagé {propagated}"),
    "propagate.partial": ("propagated {propagated}", "propagé {propagated}"),
    # the mesh by hand
    "mesh.up": ("{interface} is up ({how})", "{interface} est active ({how})"),
    "mesh.down": ("{interface} is down", "{interface} est arrêtée"),
    "mesh.in-use": (
        "Corosync runs over the mesh; taking it down would cut this node off: stop the node instead, or `sfha leave`",
        "Corosync passe par le maillage ; l'arrêter couperait ce nœud : arrêter plutôt le nœud, ou « sfha leave »",
    ),
    "mesh.added": ("{name} is being registered", "{name} est en cours d'inscription"),
    "mesh.removed": ("peer {name} removed from the tunnel", "pair {name} retiré du tunnel"),
    "mesh.is-member": (
        "{name} is a member; `sfha node remove {name}` removes it everywhere",
        "{name} est membre ; « sfha node remove {name} » le retire partout",
    ),
    "mesh.no-such-peer": ("the tunnel has no peer with the key {name}", "le tunnel n'a pas de pair avec la clé {name}"),
    # events of the log
    "event.start-failed": ("the daemon could not start: {why}", "le démon n'a pu démarrer : {why}"),
    "event.tunnel-repaired": (
        "{interface} was repaired (was there: {was_there}, was up: {was_up})",
        "{interface} a été réparée (présente : {was_there}, active : {was_up})",
    ),
    "event.roster-changed": ("the cluster has {nodes} now ({cause})", "la grappe a maintenant {nodes} ({cause})"),
    "event.roster-change-finished": (
        "an interrupted change was finished: {cause}",
        "changement interrompu achevé : {cause}",
    ),
    "event.corosync-reloaded": ("Corosync has read its file again", "Corosync a relu son fichier"),
    "event.p2p-started": ("P2P service on {address}", "service P2P sur {address}"),
    "event.token-made": ("token made for {address}", "jeton fait pour {address}"),
    "event.registration-received": ("{name} registers, from {endpoint}", "{name} s'inscrit, depuis {endpoint}"),
    "event.join-step": ("join of {name}: step {number}, {step}", "adhésion de {name} : étape {number}, {step}"),
    "event.node-joined": ("{name} has joined ({address})", "{name} a adhéré ({address})"),
    "event.newcomer-votes": ("{name} is up, and votes from now on", "{name} est prêt, et vote désormais"),
    "event.join-failed": ("{name} could not join: {error}", "{name} n'a pu adhérer : {error}"),
    "event.removal-step": (
        "removal of {target}: step {number}, {step}",
        "retrait de {target} : étape {number}, {step}",
    ),
    "event.removal-step-done": ("removal of {target}: {step} done", "retrait de {target} : {step} fait"),
    "event.removal-propagated": (
        "removal of {target}: propagated {propagated}",
        "retrait de {target} : propagé {propagated}",
    ),
    "event.node-removed": (
        "{target} was removed; propagated {propagated}",
        "{target} a été retiré ; propagé {propagated}",
    ),
    "event.told-to-leave": ("told by {by} to leave the cluster", "{by} demande de quitter la grappe"),
    "event.left-cluster": ("this node has left the cluster", "ce nœud a quitté la grappe"),
    "event.no-peer-reached": (
        "no WireGuard handshake with any peer for {seconds} s: is the UDP port open between the nodes?",
        "aucune poignée de main WireGuard en {seconds} s : le port UDP est-il ouvert entre les nœuds ?",
    ),
}
