"""The one table of role and action says what the roles are for, and nothing more."""

from pathlib import Path

import pytest

from archive.accounts import AUTHORITY, Action, Actor, Role, allowed, looks_codes_up

RESTATED = """
                     custodian laboratory pathologist researcher educator learner auditor
see collections          -         -          -           -         x       x       -
open slide               -         -          -           -         x       x       -
list slides              -         x          -           -         x       -       -
make collection          -         -          -           -         x       -       -
see counts               -         -          -           x         -       -       -
query cohort             -         -          -           x         -       -       -
open cohort slide        -         -          -           x         -       -       -
see decision             x         x          x           -         x       -       -
make project             x         -          -           -         -       -       -
ingest                   -         x          -           -         -       -       -
judge quarantine         -         x          -           -         -       -       -
find case                x         x          x           -         -       -       -
open case slide          -         x          x           -         -       -       -
correct                  -         x          -           -         -       -       -
record consent           x         x          -           -         -       -       -
withdraw                 x         x          -           -         -       -       -
fulfil obligation        x         x          -           -         -       -       -
review rules             x         -          -           -         -       -       -
erase                    x         -          -           -         -       -       -
identify                 x         -          -           -         -       -       -
approve identify         x         -          -           -         -       -       -
report subject           x         -          -           -         -       -       -
manage accounts          x         -          -           -         -       -       -
verify audit             x         -          -           -         -       -       x
read audit               -         -          -           -         -       -       x
sign audit               x         -          -           -         -       -       x
check archive            -         x          -           -         -       -       -
back up                  -         x          -           -         -       -       -
"""
"""What each role is for, written down a second time, by hand and from the roles' purposes."""


def restated() -> dict[tuple[str, str], bool]:
    head, *rows = RESTATED.strip("\n").splitlines()
    roles = head.split()
    said = {}
    for row in rows:
        name, marks = row[:20].strip(), row[20:].split()
        assert set(marks) <= {"x", "-"}
        said |= {(role, name): mark == "x" for role, mark in zip(roles, marks, strict=True)}
    return said


SAID = restated()


def test_every_role_and_every_action_is_restated() -> None:
    assert {role for role, _ in SAID} == set(Role)
    assert {action for _, action in SAID} == set(Action)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_a_role_may_do_what_it_is_for_and_nothing_else(role: Role, action: Action) -> None:
    assert allowed(role, action) is SAID[role, action]


def test_what_is_in_no_table_is_refused() -> None:
    assert not allowed("visitor", Action.OPEN_SLIDE)  # type: ignore[arg-type]
    assert not allowed(Role.CUSTODIAN, "open everything")  # type: ignore[arg-type]
    assert not looks_codes_up("visitor")  # type: ignore[arg-type]


def test_the_table_cannot_be_changed_by_whoever_reads_it() -> None:
    with pytest.raises(TypeError):
        AUTHORITY[Role.LEARNER] = frozenset(Action)  # type: ignore[index]


def test_every_action_is_somebodys() -> None:
    assert set().union(*AUTHORITY.values()) == set(Action)


SECONDARY = {
    Action.SEE_COLLECTIONS,
    Action.OPEN_SLIDE,
    Action.MAKE_COLLECTION,
    Action.QUERY_COHORT,
    Action.OPEN_COHORT_SLIDE,
}


@pytest.mark.parametrize("role", Role)
def test_whoever_can_learn_whose_a_slide_is_sees_none_for_teaching_or_research(role: Role) -> None:
    assert looks_codes_up(role) == bool(AUTHORITY[role] & {Action.FIND_CASE, Action.IDENTIFY, Action.CORRECT})
    assert not (looks_codes_up(role) and AUTHORITY[role] & SECONDARY)


def test_the_roles_that_look_codes_up_are_those_that_need_the_vault() -> None:
    assert {role for role in Role if looks_codes_up(role)} == {Role.CUSTODIAN, Role.LABORATORY, Role.PATHOLOGIST}


def test_the_auditor_does_nothing_that_the_trails_tell_of_but_reading_them() -> None:
    assert AUTHORITY[Role.AUDITOR] == {Action.VERIFY_AUDIT, Action.READ_AUDIT, Action.SIGN_AUDIT}


def test_who_identifies_does_not_read_the_trail_that_tells_of_it() -> None:
    assert not [role for role in Role if {Action.IDENTIFY, Action.READ_AUDIT} <= AUTHORITY[role]]


@pytest.mark.parametrize("role", Role)
def test_a_token_never_widens_its_role(role: Role) -> None:
    project = "melanoma" if role is Role.RESEARCHER else None
    person, program = Actor("sam", role, project), Actor("sam", role, project, frozenset(Action))
    for action in Action:
        assert person.may(action) is program.may(action) is allowed(role, action)
        assert not Actor("sam", role, project, frozenset(Action) - {action}).may(action)


def test_the_page_of_roles_is_the_table() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/reference/roles.md").read_text()
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.partition("## The actions")[0].splitlines()
        if line.startswith("|")
    ]
    told = {(role, row[0]): mark == "x" for row in rows for role, mark in zip(head[1:], row[1:], strict=True)}
    assert told == {(str(role), str(action)): allowed(role, action) for role in Role for action in Action}
    assert all(f"\n{action}\n: " in page for action in Action)
