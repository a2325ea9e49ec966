"""The look of every page: one file, no outside resource, light or dark as the reader's system is."""

from html import escape

from harness.checks.verdict import Outcome

STYLE = """
:root { color-scheme: light dark;
  --page:#f7f8fa; --card:#ffffff; --ink:#1c2430; --soft:#5d6877; --line:#e2e6ec; --grid:#eef1f5;
  --good:#1a8f55; --bad:#cf3340; --doubt:#b67a05; --good-bg:#e4f5ec; --bad-bg:#fce8ea; --doubt-bg:#fdf2da;
  --fault:#cf334018; --fault-edge:#cf334080; --off:#aab3bf; --lane:#f1f3f7;
  --node0:#2f6fde; --node1:#e07b16; --node2:#12908a; --node3:#8b51cf; --node4:#c23c8a; --node5:#6f7f17; }
@media (prefers-color-scheme: dark) { :root {
  --page:#12161c; --card:#1a2028; --ink:#e4e9f0; --soft:#94a1b2; --line:#2b3440; --grid:#232b35;
  --good:#43c486; --bad:#f26d78; --doubt:#e3ad45; --good-bg:#173527; --bad-bg:#3d1f24; --doubt-bg:#39301a;
  --fault:#f26d7820; --fault-edge:#f26d7890; --off:#4d5967; --lane:#202731;
  --node0:#6da0ff; --node1:#ffa04d; --node2:#3fc9c1; --node3:#b98af0; --node4:#ee79ba; --node5:#b5c653; } }
* { box-sizing:border-box }
body { margin:0; background:var(--page); color:var(--ink); font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif }
main { max-width:1280px; margin:0 auto; padding:28px 24px 60px }
h1 { font-size:25px; line-height:1.25; margin:0 0 4px; letter-spacing:-.01em }
h2 { font-size:16px; margin:34px 0 10px }
h3 { font-size:14px; margin:0 0 6px; font-weight:600 }
.soft { color:var(--soft) } .right { text-align:right } .nowrap { white-space:nowrap }
.mono, td.num { font-family:ui-monospace,"SF Mono",Menlo,Consolas,monospace; font-size:13px }
td.num, th.num { text-align:right; white-space:nowrap; font-variant-numeric:tabular-nums }
.card { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:16px 18px; margin:0 0 14px }
.card.scroll { overflow-x:auto }
.badge { display:inline-block; padding:1px 10px; border-radius:99px; font-weight:650; font-size:12.5px;
  white-space:nowrap }
.HOLDS { color:var(--good); background:var(--good-bg) } .VIOLATED { color:var(--bad); background:var(--bad-bg) }
.UNKNOWN { color:var(--doubt); background:var(--doubt-bg) } .none { color:var(--soft); background:var(--lane) }
.chip { display:inline-block; border:1px solid var(--line); border-radius:6px; padding:0 7px; font-size:12.5px;
  color:var(--soft); margin:0 4px 4px 0 }
.figures { display:grid; grid-template-columns:repeat(auto-fit,minmax(150px,1fr)); gap:12px; margin:20px 0 }
.figure { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:11px 15px }
.figure b { display:block; font-size:21px; letter-spacing:-.01em; font-variant-numeric:tabular-nums }
.figure span { color:var(--soft); font-size:12.5px }
table { border-collapse:collapse; width:100% }
th { text-align:left; font-weight:600; color:var(--soft); font-size:12.5px }
td,th { padding:5px 12px 5px 0; border-bottom:1px solid var(--line); vertical-align:top }
tr:last-child td { border-bottom:0 }
a { color:var(--node0); text-decoration:none } a:hover { text-decoration:underline }
details summary { cursor:pointer; list-style:none } details summary::-webkit-details-marker { display:none }
.verdict { display:grid; grid-template-columns:96px 1fr; gap:4px 12px; padding:7px 0;
  border-bottom:1px solid var(--line) }
.verdict:last-child { border-bottom:0 }
.verdict ul { margin:4px 0 2px; padding-left:18px; color:var(--soft); font-size:13.5px }
svg text { fill:var(--ink); font:12px system-ui,-apple-system,"Segoe UI",sans-serif }
svg .dim { fill:var(--soft); font-size:11px } svg .tiny { font-size:10.5px }
.swatch { display:inline-block; width:12px; height:10px; border-radius:2px; margin:0 5px 0 14px; vertical-align:0 }
"""


def page(title: str, body: str) -> str:
    """A whole document."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    )


RESULT_CLASS = {
    "holds": "HOLDS",
    "caught": "HOLDS",
    "violated": "VIOLATED",
    "not caught": "VIOLATED",
    "inconclusive": "UNKNOWN",
    "shown": "HOLDS",
    "not shown here": "none",
}


def badge(word: str) -> str:
    """A result or a promise's status, in its colour."""
    return f'<span class="badge {RESULT_CLASS.get(word, "none")}">{escape(word)}</span>'


def outcome_badge(outcome: Outcome | None) -> str:
    """An outcome in its colour; a dash for what was not judged."""
    if outcome is None:
        return '<span class="soft">&ndash;</span>'
    words = {Outcome.HOLDS: "holds", Outcome.VIOLATED: "violated", Outcome.UNKNOWN: "unknown"}
    return f'<span class="badge {outcome.name}">{words[outcome]}</span>'


def humanise(scenario: str) -> str:
    """A test's name as a title: ``test_the_vip_moves`` becomes ``The vip moves``."""
    named, bracket, rest = scenario.partition("[")
    bare = named.rsplit("::", 1)[-1].removeprefix("test_")
    words = bare.replace("_", " ").strip()
    return (words[:1].upper() + words[1:] + (f" [{rest}" if bracket else "")) or scenario
