"""Where the running Corosync has another list of nodes than its file."""

TEXTS: dict[str, tuple[str, str]] = {
    "corosync.behind": (
        "Corosync here goes by another list of nodes than its file: it lacks {lacks}, and still has {has_still}; sfha "
        "has it read the file (tries so far: {reloads})",
        "Corosync suit ici une autre liste de nœuds que son fichier : il y manque {lacks}, il y reste {has_still} ; "
        "sfha lui fait lire le fichier (essais jusqu'ici : {reloads})",
    ),
    "corosync.stays-behind": (
        "Corosync here goes by another list of nodes than its file: it lacks {lacks}, and still has {has_still}; "
        "having it read the file {reloads} times has not helped: /var/log/corosync/corosync.log says why; meanwhile "
        "this node may keep the others from forming a ring",
        "Corosync suit ici une autre liste de nœuds que son fichier : il y manque {lacks}, il y reste {has_still} ; "
        "lui faire lire le fichier {reloads} fois n'a rien changé : /var/log/corosync/corosync.log dit pourquoi ; "
        "d'ici là ce nœud peut empêcher les autres de former un anneau",
    ),
    "corosync.refused": (
        "Corosync here could not take up its file when it read it last: /var/log/corosync/corosync.log says why; sfha "
        "has it read the file again (tries so far: {reloads})",
        "Corosync n'a pu reprendre ici son fichier à la dernière lecture : /var/log/corosync/corosync.log dit "
        "pourquoi ; sfha le lui fait relire (essais jusqu'ici : {reloads})",
    ),
    "event.corosync-behind": (
        "Corosync goes by another list of nodes than its file (lacking: {lacks}; too many: {has_still}); it is to read "
        "the file",
        "Corosync suit une autre liste de nœuds que son fichier (manquent : {lacks} ; en trop : {has_still}) ; il doit "
        "lire le fichier",
    ),
    "event.corosync-stays-behind": (
        "Corosync goes by another list of nodes than its file after {reloads} reloads (lacking: {lacks}; too many: "
        "{has_still})",
        "Corosync suit une autre liste de nœuds que son fichier après {reloads} lectures (manquent : {lacks} ; en trop "
        ": {has_still})",
    ),
    "event.corosync-caught-up": (
        "Corosync goes by the list of nodes in its file again",
        "Corosync suit de nouveau la liste de nœuds de son fichier",
    ),
}
