"""The page's words, in each of its languages: a key, then English and French.

What is said of a look at a backend is kept in English; a sentence that is a key here is shown in the language.
"""

from typing import Literal, get_args

from ...inventory.seen import SILENT

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("Platform", "Plateforme"),
    "language": ("Français", "English"),
    "log-in": ("Log in", "Se connecter"),
    "log-out": ("Log out", "Se déconnecter"),
    "token": ("Token", "Jeton"),
    "token-help": ("made by `multisite token create NAME`", "créé par « multisite token create NOM »"),
    "token-wrong": ("Nobody was given this token.", "Ce jeton n'a été donné à personne."),
    "no-answer": ("no answer from the platform; this is what was known", "pas de réponse ; voici ce qui était connu"),
    "ok": ("All is well", "Tout va bien"),
    "degraded": ("Something does not work", "Quelque chose ne marche pas"),
    "down": ("down", "en panne"),
    "all-down": ("A service has no backend left", "Un service n'a plus de serveur"),
    "edge-in-order": ("the edge is in order", "l'entrée est en ordre"),
    "edge-behind": ("the edge does not have its configuration yet", "l'entrée n'a pas encore sa configuration"),
    "edge-held": ("the edge is held at an older version", "l'entrée est tenue à une version ancienne"),
    "edge-away": ("the edge does not answer", "l'entrée ne répond pas"),
    "database-away": (
        "The database does not answer: history and versions are not shown.",
        "La base de données ne répond pas : ni historique ni versions.",
    ),
    "nothing": (
        "Nothing is declared yet: `multisite apply FILE`.",
        "Rien n'est déclaré : « multisite apply FICHIER ».",
    ),
    "sites": ("Sites", "Sites"),
    "site": ("Site", "Site"),
    "priority": ("Priority", "Priorité"),
    "answering": ("Answering", "Répondent"),
    "of": ("of", "sur"),
    "answer": ("backends answer", "serveurs répondent"),
    "empty": ("has no backends", "sans serveurs"),
    "turns": ("What happened lately", "Ce qui s'est passé récemment"),
    "time": ("Time (UTC)", "Heure (UTC)"),
    "service": ("Service", "Service"),
    "what": ("What", "Quoi"),
    "answers-again": ("answers again", "répond à nouveau"),
    "stopped": ("stopped answering", "ne répond plus"),
    "backend": ("Backend", "Serveur"),
    "state": ("State", "État"),
    "why": ("Why", "Pourquoi"),
    "answer-time": ("Answers in", "Répond en"),
    "seen": ("Seen lately", "Vu récemment"),
    "in-use": ("takes traffic", "sert"),
    "waiting": ("stands by", "en réserve"),
    "draining": ("drains", "se vide"),
    "well": ("it answers its health checks", "il répond aux contrôles"),
    "unseen": ("nobody has seen yet that it does not work", "personne n'a encore vu qu'il ne marche pas"),
    "down-but-kept": (
        "it is silent, but so is everybody: it may be this observer",
        "il se tait, mais tous aussi : c'est peut-être l'observateur",
    ),
    "does-not-answer": ("its last check said", "son dernier contrôle dit"),
    SILENT: (SILENT, "il se taisait, nous avons donc coupé la connexion"),
    "nobody-else": ("it is to be drained, but there is nobody else", "à vider, mais il n'y a personne d'autre"),
    "drained": ("it is to be drained", "à vider"),
    "others-first": ("others of a better priority serve", "d'autres, plus prioritaires, servent"),
    "versions": ("What the edge was given", "Ce que l'entrée a reçu"),
    "applied": ("applied", "appliquée"),
    "refused": ("refused", "refusée"),
    "held": ("held", "tenue"),
    "pending": ("not yet", "pas encore"),
    "changes": ("differences from the one before", "différences avec la précédente"),
    "no-changes": ("the first of all", "la toute première"),
}


def words(language: Language) -> dict[str, str]:
    """Key -> text."""
    place = LANGUAGES.index(language)
    return {key: texts[place] for key, texts in _WORDS.items()}


def language_of(chosen: str | None, accepted: str | None) -> Language:
    """The one that was chosen, else the first that the browser accepts (RFC 9110, 12.5.4), else English."""
    wanted = [chosen or ""]
    weighed: list[tuple[float, str]] = []
    for part in (accepted or "").split(","):
        name, _, weight = part.partition(";q=")
        try:
            weighed.append((float(weight or 1), name.strip()[:2].lower()))
        except ValueError:
            continue
    wanted += [name for _, name in sorted(weighed, key=lambda one: -one[0])]
    for one in wanted:
        for language in LANGUAGES:
            if one == language:
                return language
    return "en"
