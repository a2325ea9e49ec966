"""What `sfha logs` makes of the log's events: "event." and the event's name; the gaps are the event's fields.

An event without a sentence is shown by its name and fields. A new event may be added by whoever logs it.
"""

TEXTS: dict[str, tuple[str, str]] = {
    "event.daemon-started": (
        "daemon started, process {pid}, profile {profile}",
        "démon lancé, processus {pid}, profil {profile}",
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
    "event.standby": ("standby: {standby}", "veille : {standby}"),
}
