"""Whatever any code can tell any trail is listed, with what it has to do with a patient; nothing else is listed."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from archive.auditchain.acts import ACTS, Concerns, concern_of

ROOT = Path(__file__).resolve().parent.parent

TOLD_ELSEWHERE = re.compile(
    r"""
    (.*[._])?(bar|teller|rounds|openings|watcher|touched|register|withdrawals)\.(note|tell)  # no trail, or not the act
    | (self\.)?tell | .*way_in\.enter | .*(key|wrapping)\.seal
    """,
    re.VERBOSE,
)
"""Calls that look as if they told a trail something, and tell something else or somebody else."""


@dataclass(frozen=True)
class Module:
    """One file of the program."""

    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text())

    @cached_property
    def functions(self) -> list[ast.FunctionDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]

    @cached_property
    def constants(self) -> Mapping[str, ast.expr]:
        """What names stand for here."""
        given = [node for node in ast.walk(self.tree) if isinstance(node, ast.Assign)]
        return {name.id: one.value for one in given for name in one.targets if isinstance(name, ast.Name)}

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))


PROGRAM = [Module(path) for package in ("archive", "ingest") for path in sorted((ROOT / package).rglob("*.py"))]


@dataclass(frozen=True)
class Teller:
    """A function that tells a trail: how it is called, which argument is the act, and where it is."""

    name: str
    place: int
    least: int
    home: Path

    def may_be_called_in(self, module: Module) -> bool:
        if not self.name.startswith("_") or module.path == self.home:
            return True
        own = {function.name for function in module.functions}
        return module.path.parent == self.home.parent and self.name not in own


def tellers() -> Iterator[Teller]:
    """Find every function with a parameter that is called ``act``, as all are that tell a trail."""
    for module in PROGRAM:
        for function in module.functions:
            names = [one.arg for one in function.args.args]
            if module.path.name != "acts.py" and any(_is_act(one) for one in function.args.args):
                bound = names[0] == "self"
                least = len(names) - len(function.args.defaults) - bound
                yield Teller(function.name, names.index("act") - bound, least, module.path)


def spelt(told: ast.expr | None, constants: Mapping[str, ast.expr]) -> set[str] | None:
    """Give what an expression may be, as regular expressions; None if that is not to be seen from here."""
    match told:
        case ast.Constant(value=str(text)):
            return {re.escape(text)}
        case ast.JoinedStr(values=parts):
            return {"".join(re.escape(str(one.value)) if isinstance(one, ast.Constant) else ".+" for one in parts)}
        case ast.IfExp(body=first, orelse=second):
            return _all([spelt(first, constants), spelt(second, constants)])
        case ast.Dict(values=values):
            return _all([spelt(value, constants) for value in values])
        case ast.Subscript(value=ast.Name(id=name)) | ast.Name(id=name) if name in constants:
            return spelt(constants[name], constants)
    return None


def _all(found: list[set[str] | None]) -> set[str] | None:
    return None if None in found else {one for some in found for one in some or ()}


def told() -> Iterator[tuple[str, set[str] | None]]:
    """Give every place where a trail is told, and the acts that it may be told of there."""
    known = list(tellers())
    for module in PROGRAM:
        here = [one for one in known if one.may_be_called_in(module)]
        handed_on = set(map(id, _handing_on(module)))
        for call in module.calls():
            fits = [call.args[one.place] for one in here if _fits(call, one)]
            if not fits or id(call) in handed_on or TOLD_ELSEWHERE.fullmatch(ast.unparse(call.func)):
                continue
            readable = [found for one in fits if (found := spelt(one, module.constants)) is not None]
            yield f"{module.path.relative_to(ROOT)}:{call.lineno}", _all([*readable]) if readable else None


def _is_act(parameter: ast.arg) -> bool:
    return parameter.arg == "act" and isinstance(parameter.annotation, ast.Name) and parameter.annotation.id == "str"


def _fits(call: ast.Call, teller: Teller) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = len(call.args) + len(call.keywords)
    return name == teller.name and len(call.args) > teller.place and given >= teller.least


def _handing_on(module: Module) -> Iterator[ast.Call]:
    """Give the calls by which a function hands on the act that it was given; where it comes from is another call."""
    for function in module.functions:
        if any(_is_act(one) for one in function.args.args):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and any(isinstance(a, ast.Name) and a.id == "act" for a in call.args):
                    yield call


def test_every_act_that_any_code_tells_any_trail_is_listed_and_nothing_else_is() -> None:
    seen = list(told())
    assert [where for where, acts in seen if acts is None] == [], "nobody can see which acts are told there"
    patterns = {pattern: where for where, acts in seen for pattern in acts or ()}
    unlisted = {
        pattern: where for pattern, where in patterns.items() if not any(re.fullmatch(pattern, act) for act in ACTS)
    }
    assert unlisted == {}
    assert {act for act in ACTS if not any(re.fullmatch(pattern, act) for pattern in patterns)} == set()


def test_an_act_that_is_not_listed_is_told_to_the_patient() -> None:
    assert "copied to a friend" not in ACTS
    assert concern_of("copied to a friend") is Concerns.PATIENT
