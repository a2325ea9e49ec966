"""What is wrong with data that somebody has written, a line each: key path, mistake, what is allowed. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ValidationError

from harness.near import meant


def suggestion(wrong: str, allowed: Iterable[str]) -> str:
    """What may have been meant, and what is allowed."""
    names = sorted(allowed)
    return f"{meant(wrong, names) or ';'} allowed: {', '.join(names) or '(none)'}"


def explained(error: ValidationError, whole: type[BaseModel], parts: Mapping[str, type[BaseModel]]) -> Iterable[str]:
    """A line for each mistake; ``whole`` is what was read, ``parts`` are the members of its lists, by key."""
    problems = error.errors(include_url=False)
    broken = {problem["loc"][:1] for problem in problems if len(problem["loc"]) > 1}
    for problem in problems:
        path = _key_path(problem["loc"])
        message = str(problem["msg"]).removeprefix("Value error, ")
        limits = problem.get("ctx", {})
        if problem["type"] == "extra_forbidden":
            yield _unknown_key(path, problem["loc"], whole, parts)
        elif problem["type"] == "missing":
            yield f"{path}: is missing; it must be given"
        elif problem["type"] == "too_short":
            if problem["loc"] not in broken:  # else a list is only short of the parts already complained about
                yield f"{path}: is empty; at least {limits['min_length']} must be given"
        elif problem["type"] == "too_long":
            yield f"{path}: too many; allowed: at most {limits['max_length']}"
        elif not path:  # from the topology's own validator, whose lines carry their paths
            yield from message.splitlines()
        else:
            given = "" if "allowed:" in message else f" (given: {problem['input']!r:.60})"
            yield from (f"{path}: {line}{given}" for line in message.splitlines())


def _key_path(location: Sequence[int | str]) -> str:
    path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in location)
    return path.removeprefix(".")


def _unknown_key(
    path: str, location: Sequence[int | str], whole: type[BaseModel], parts: Mapping[str, type[BaseModel]]
) -> str:
    part = parts.get(str(location[0]), whole) if len(location) > 1 else whole
    return f"{path}: unknown key{suggestion(str(location[-1]), part.model_fields)}"
