"""What each role may do stands in one table, and whatever does not stand there is refused.

Two lines run through it. A role that can learn whose slide a code stands for sees no slide for teaching or research:
in its hands no slide is coded (paragraph 7 with note 3, row Z2 of the rules). And who reads the audit trails does
nothing that they tell of.
"""

from collections.abc import Mapping
from types import MappingProxyType

from archive.accounts.roles import Action, Role

AUTHORITY: Mapping[Role, frozenset[Action]] = MappingProxyType(
    {
        Role.CUSTODIAN: frozenset(
            {
                Action.SEE_DECISION,
                Action.MAKE_PROJECT,
                Action.FIND_CASE,
                Action.RECORD_CONSENT,
                Action.WITHDRAW,
                Action.FULFIL_OBLIGATION,
                Action.REVIEW_RULES,
                Action.ERASE,
                Action.IDENTIFY,
                Action.APPROVE_IDENTIFY,
                Action.REPORT_SUBJECT,
                Action.MANAGE_ACCOUNTS,
                Action.VERIFY_AUDIT,
                Action.SIGN_AUDIT,
            }
        ),
        Role.LABORATORY: frozenset(
            {
                Action.LIST_SLIDES,
                Action.SEE_DECISION,
                Action.INGEST,
                Action.JUDGE_QUARANTINE,
                Action.FIND_CASE,
                Action.OPEN_CASE_SLIDE,
                Action.CORRECT,
                Action.RECORD_CONSENT,
                Action.WITHDRAW,
                Action.FULFIL_OBLIGATION,
                Action.CHECK_ARCHIVE,
                Action.BACK_UP,
            }
        ),
        Role.PATHOLOGIST: frozenset({Action.SEE_DECISION, Action.FIND_CASE, Action.OPEN_CASE_SLIDE}),
        Role.RESEARCHER: frozenset({Action.SEE_COUNTS, Action.QUERY_COHORT, Action.OPEN_COHORT_SLIDE}),
        Role.EDUCATOR: frozenset(
            {
                Action.SEE_COLLECTIONS,
                Action.OPEN_SLIDE,
                Action.LIST_SLIDES,
                Action.MAKE_COLLECTION,
                Action.SEE_DECISION,
            }
        ),
        Role.LEARNER: frozenset({Action.SEE_COLLECTIONS, Action.OPEN_SLIDE}),
        Role.AUDITOR: frozenset({Action.VERIFY_AUDIT, Action.READ_AUDIT, Action.SIGN_AUDIT}),
    }
)
"""Role -> all that it may do."""

UNATTENDED = frozenset({Action.INGEST, Action.CHECK_ARCHIVE, Action.BACK_UP, Action.VERIFY_AUDIT, Action.SIGN_AUDIT})
"""What a service does at night with nobody there: it shows no slide and tells nobody whose a slide is."""

_LEARNS_WHOSE = frozenset({Action.FIND_CASE, Action.IDENTIFY, Action.CORRECT})


def allowed(role: Role, action: Action) -> bool:
    """Tell whether a role may do something; least privilege: what is not in the table is refused."""
    return action in AUTHORITY.get(role, frozenset())


def looks_codes_up(role: Role) -> bool:
    """Tell whether a role can learn whose slide a code stands for, so that no slide is coded in its hands (row Z2)."""
    return bool(AUTHORITY.get(role, frozenset()) & _LEARNS_WHOSE)
