"""What `sfha logs` makes of the log's events: "event." and the event's name; the gaps are the event's fields.

An event without a sentence is shown by its name and fields. A new event may be added by whoever logs it.
"""

TEXTS: dict[str, tuple[str, str]] = {
    "event.daemon-started": (
        "daemon started, version {version}, process {pid}, profile {profile}",
        "démon lancé, version {version}, processus {pid}, profil {profile}",
    ),
    "event.peer-upgraded": (
        "node {peer} seals its datagrams now; without a seal it is not heard any more",
        "le nœud {peer} scelle désormais ses datagrammes ; sans sceau il n'est plus entendu",
    ),
    "event.peer-paired": (
        "node {peer} signs its requests with a key of its own now; with the key of all it is not heard any more",
        "le nœud {peer} signe désormais ses requêtes de sa propre clé ; avec celle de tous il n'est plus entendu",
    ),
    "event.mesh-guarded-again": (
        "the rules that drop what comes for the mesh beside the tunnel were gone, and are back",
        "les règles qui jettent ce qui vient pour le maillage hors du tunnel avaient disparu, elles sont remises",
    ),
    "event.daemon-stopped": ("daemon stopped", "démon arrêté"),
    "event.daemon-restarting": (
        "daemon restarting with the program that is installed now",
        "le démon redémarre avec le programme installé maintenant",
    ),
    "event.mesh-up": (
        "mesh interface {interface} is up ({by})",
        "l'interface de maillage {interface} est active ({by})",
    ),
    "event.corosync-started": ("Corosync started, process {pid}", "Corosync lancé, processus {pid}"),
    "event.corosync-kept": (
        "Corosync was running already and is left alone",
        "Corosync tournait déjà ; on n'y touche pas",
    ),
    "event.corosync-connected": ("connected to Corosync", "connecté à Corosync"),
    "event.corosync-lost": ("lost the connection to Corosync: {error}", "connexion à Corosync perdue : {error}"),
    "event.membership-changed": (
        "members are now {members}; quorum: {quorate} (ring {ring})",
        "les membres sont maintenant {members} ; quorum : {quorate} (anneau {ring})",
    ),
    "event.leader-elected": ("the leader is now {leader_name}", "le chef est maintenant {leader_name}"),
    "event.lease-requested": ("asking the others for the lease ({number})", "demande du bail aux autres ({number})"),
    "event.lease-acquired": ("this node holds the lease ({number})", "ce nœud tient le bail ({number})"),
    "event.lease-lost": ("the lease is gone: {reason}", "le bail est perdu : {reason}"),
    "event.lease-expired": (
        "the kernel had already closed the gate ({call})",
        "le noyau avait déjà fermé la porte ({call})",
    ),
    "event.vip-added": (
        "VIP {vip}: {address} added on {interface} and seen there",
        "VIP {vip} : {address} ajoutée sur {interface} et vérifiée",
    ),
    "event.vip-announced": (
        "VIP {vip}: {address} announced to the neighbours",
        "VIP {vip} : {address} annoncée aux voisins",
    ),
    "event.vip-released": ("VIP {vip}: {address} taken away here", "VIP {vip} : {address} retirée d'ici"),
    "event.vip-left-over": (
        "VIP {vip}: {address} was left over from an earlier life and is taken away",
        "VIP {vip} : {address} restait d'une vie antérieure ; retirée",
    ),
    "event.resources-activated": ("resources activated: {vips}", "ressources activées : {vips}"),
    "event.activation-failed": (
        "VIP {vip} could not be activated: {error}",
        "la VIP {vip} n'a pas pu être activée : {error}",
    ),
    "event.vip-not-offered": (
        "VIP {vip} is not offered by this node: {why}",
        "la VIP {vip} n'est pas offerte par ce nœud : {why}",
    ),
    "event.vip-offered": ("VIP {vip} is offered by this node again", "la VIP {vip} est à nouveau offerte par ce nœud"),
    "event.standby": ("standby: {standby}", "veille : {standby}"),
    "event.leader-wished": (
        "{target_name} is wished for as leader for {for_s} s",
        "{target_name} est souhaité comme chef pendant {for_s} s",
    ),
    "event.config-reloaded": (
        "config.yml taken up again, revision {revision}; VIPs: {vips}",
        "config.yml relu, révision {revision} ; VIP : {vips}",
    ),
    "event.handing-over": ("handing over to {to}", "passage de main à {to}"),
    "event.registration-refused": (
        "registration of {name} refused: {error}",
        "inscription de {name} refusée : {error}",
    ),
    "event.remove-peer-begun": (
        "removing {name} ({address}), as {by} asks",
        "retrait de {name} ({address}), demandé par {by}",
    ),
    "event.remove-peer-done": (
        "{name} is removed here, as {by} asked",
        "{name} est retiré ici, comme demandé par {by}",
    ),
    "event.told-to-evict": ("{by} asks for {name} to be evicted", "{by} demande l'éviction de {name}"),
    "event.left-roster": ("this node has left; remaining: {peers}", "ce nœud est parti ; restent : {peers}"),
    "event.removal-resumed": (
        "removal of {target} taken up again at step {step}",
        "retrait de {target} repris à l'étape {step}",
    ),
    "event.full-config-received": ("whole configuration received from {by}", "configuration entière reçue de {by}"),
    "event.config-replaced": (
        "sections of config.yml replaced: {sections}",
        "sections de config.yml remplacées : {sections}",
    ),
    "event.propagated": (
        "configuration given to {done} of {total} nodes",
        "configuration donnée à {done} nœuds sur {total}",
    ),
    "event.service-left-over": (
        "service {service} was left over from an earlier life and is stopped",
        "le service {service} restait d'une vie antérieure ; arrêté",
    ),
    "event.fencing-asked-for": (
        "fencing of {target} asked for by hand (force: {force})",
        "isolement de {target} demandé à la main (force : {force})",
    ),
    "event.power-certified": (
        "somebody certified that {target} has no power",
        "quelqu'un a certifié que {target} est hors tension",
    ),
    "event.power-seen": ("power of {target}: off {off}", "alimentation de {target} : coupée {off}"),
    "event.node-forgiven": (
        "{target} was given its power again by hand, says {by}: its fencings so far are no loop",
        "{target} a été remis sous tension à la main, dit {by} : ses isolements passés ne font pas une boucle",
    ),
    "event.exclusive-permitted": ("exclusive services may run here", "les services exclusifs peuvent tourner ici"),
    "event.exclusive-withdrawn": (
        "exclusive services may no longer run here",
        "les services exclusifs ne peuvent plus tourner ici",
    ),
    "event.exclusive-waits": (
        "exclusive services wait for {waits_for}",
        "les services exclusifs attendent {waits_for}",
    ),
    "event.fencing-begun": ("taking the power of {target}", "coupure de l'alimentation de {target}"),
    "event.node-is-off": ("{target} is off for certain", "{target} est éteint, c'est certain"),
    "event.fencing-scheduled": (
        "{target} will be fenced in {in_s} s unless it returns",
        "{target} sera isolé dans {in_s} s s'il ne revient pas",
    ),
    "event.fencing-cancelled": ("fencing of {target} cancelled: {why}", "isolement de {target} annulé : {why}"),
    "event.fencing-refused": ("fencing of {target} refused: {why}", "isolement de {target} refusé : {why}"),
    "event.shared-config-changed": (
        "{section} {name} changed, revision {revision}",
        "{section} {name} : modification, révision {revision}",
    ),
    "event.shared-config-taken": (
        "configuration of the others taken, revision {revision}",
        "configuration des autres reprise, révision {revision}",
    ),
    "event.shared-config-not-told": (
        "{to} could not be told of revision {revision}: {error}",
        "{to} n'a pas reçu la révision {revision} : {error}",
    ),
    "event.ailing": ("unfit to lead: {ailing} ({why})", "inapte à diriger : {ailing} ({why})"),
    "event.service-started": ("service {service} runs", "le service {service} tourne"),
    "event.service-stopped": ("service {service} is stopped", "le service {service} est arrêté"),
    "event.service-stop-failed": (
        "service {service} could not be stopped: {error}",
        "le service {service} n'a pas pu être arrêté : {error}",
    ),
    "event.service-starting": ("starting service {service}", "lancement du service {service}"),
    "event.service-stopping": ("stopping service {service}", "arrêt du service {service}"),
    "event.service-failed": (
        "service {service} failed: {error}; restarting: {restarting}",
        "le service {service} a échoué : {error} ; relancé : {restarting}",
    ),
    "event.health-changed": (
        "check {check}: healthy {healthy} ({error})",
        "contrôle {check} : sain {healthy} ({error})",
    ),
}
