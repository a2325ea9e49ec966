"""`sfha completion bash|zsh`: the completion script of a shell, made from the parser, so that it never lags behind."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...kit.speech import text
from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers


@dataclass(frozen=True, slots=True)
class Place:
    """What may come after these words: commands, options, and the values that an option or argument takes."""

    words: tuple[str, ...]
    commands: dict[str, str]
    options: dict[str, str]
    values: dict[str, tuple[str, ...]]
    choices: tuple[str, ...]


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    parser = add_command(subparsers, "completion", _print)
    parser.add_argument("shell", choices=("bash", "zsh"), help=text("help.completion.shell"))


def _print(options: argparse.Namespace) -> None:
    from .main import ALL, parser_with

    places = list(walk(parser_with(ALL)))
    options.output.line(bash(places) if options.shell == "bash" else zsh(places))


def walk(parser: argparse.ArgumentParser, words: tuple[str, ...] = ("sfha",)) -> Iterator[Place]:
    """Every place of the command line, the top first; its words begin with `sfha`."""
    commands: dict[str, str] = {}
    inner: dict[str, argparse.ArgumentParser] = {}
    options: dict[str, str] = {}
    values: dict[str, tuple[str, ...]] = {}
    choices: list[str] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            inner = dict(action.choices)
            commands = {one.dest: one.help or "" for one in action._choices_actions}
        elif action.option_strings:
            options |= {name: "" if action.help in (None, argparse.SUPPRESS) else str(action.help)
                        for name in action.option_strings if name.startswith("--")}  # fmt: skip
            if action.nargs != 0:
                values |= dict.fromkeys(action.option_strings, tuple(map(str, action.choices or ())))
        elif action.choices:
            choices += map(str, action.choices)
    yield Place(words, commands, options, values, tuple(choices))
    for name, one in inner.items():
        yield from walk(one, (*words, name))


def bash(places: list[Place]) -> str:
    """The script for bash: a table of what may follow, and a walk along the words that are there."""
    lines = ["# bash completion for sfha, made by `sfha completion bash`", "_sfha() {", "    local -A next values"]
    for place in places:
        key = " ".join(place.words)
        lines.append(f'    next["{key}"]="{" ".join([*place.commands, *place.choices, *place.options])}"')
        for option, values in place.values.items():
            lines.append(f'    values["{key} {option}"]="{" ".join(values) or "@"}"')
    lines += [
        "    local current=${COMP_WORDS[COMP_CWORD]} place=sfha word wanted skip=0 index",
        "    for ((index = 1; index < COMP_CWORD; index++)); do",
        "        word=${COMP_WORDS[index]}",
        "        if ((skip)); then skip=0; continue; fi",
        '        if [[ -n ${values["$place $word"]-} ]]; then skip=1; continue; fi',
        '        if [[ $word != -* && -n ${next["$place $word"]-} ]]; then place="$place $word"; fi',
        "    done",
        '    wanted=${values["$place ${COMP_WORDS[COMP_CWORD-1]}"]-}',
        "    COMPREPLY=()",
        "    case $wanted in",
        '        "") mapfile -t COMPREPLY < <(compgen -W "${next["$place"]-}" -- "$current") ;;',
        "        @) compopt -o default 2>/dev/null ;;",
        '        *) mapfile -t COMPREPLY < <(compgen -W "$wanted" -- "$current") ;;',
        "    esac",
        "}",
        "complete -F _sfha sfha",
    ]
    return "\n".join(lines)


def zsh(places: list[Place]) -> str:
    """The script for zsh, with what each word means beside it."""
    lines = [
        "#compdef sfha",
        "# zsh completion for sfha, made by `sfha completion zsh`",
        "_sfha() {",
        "    local -A known=() values=()",
        "    local place=sfha word wanted",
        "    local -i index skip=0",
        "    local -a offered",
    ]
    for place in places:
        key = " ".join(place.words)
        lines.append(f"    known+=({_quoted(key)} 1)")
        for option, values in place.values.items():
            lines.append(f"    values+=({_quoted(f'{key} {option}')} {_quoted(' '.join(values) or '@')})")
    lines += [
        "    for ((index = 2; index < CURRENT; index++)); do",
        "        word=${words[index]}",
        "        if ((skip)); then skip=0; continue; fi",
        "        if [[ -n ${values[$place $word]} ]]; then skip=1; continue; fi",
        '        if [[ $word != -* && -n ${known[$place $word]} ]]; then place="$place $word"; fi',
        "    done",
        "    wanted=${values[$place ${words[CURRENT-1]}]}",
        "    if [[ $wanted == @ ]]; then _default; return; fi",
        "    if [[ -n $wanted ]]; then compadd -- ${=wanted}; return; fi",
        "    case $place in",
    ]
    for place in places:
        offered = {**place.commands, **dict.fromkeys(place.choices, ""), **place.options}
        shown = " ".join(
            _quoted(name.replace(":", "\\:") + (f":{about}" if about else "")) for name, about in offered.items()
        )
        lines.append(f"        {_quoted(' '.join(place.words))}) offered=({shown}) ;;")
    lines += ["    esac", "    _describe sfha offered", "}", '_sfha "$@"']
    return "\n".join(lines)


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''").replace("\n", " ") + "'"
