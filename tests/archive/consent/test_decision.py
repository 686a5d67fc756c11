"""A decision carries what a reviewer needs years later: rules, inputs, row, and a digest over them."""

from dataclasses import replace

from archive.consent import RULES_VERSION, Facts, Purpose, Recipient, decide
from archive.consent.terms import Record
from tests.archive.consent.cases import CODED, coroners, from_life

TEACHING, CLASS = Purpose.TEACHING, Recipient.CLASS


def test_the_inputs_are_enough_to_decide_again():
    decision = decide(coroners(**CODED), TEACHING, CLASS, holds_key=False)
    asked = decision.inputs()
    again = decide(
        Facts.from_json(asked["facts"]),
        Purpose(asked["purpose"]),
        Recipient(asked["recipient"]),
        holds_key=asked["holds_key"],
    )
    assert again == decision
    assert again.digest == decision.digest
    assert decision.rules_version == RULES_VERSION


def test_the_digest_differs_with_anything_that_was_asked():
    facts = coroners(**CODED)
    digests = {
        decide(facts, TEACHING, CLASS, holds_key=False).digest,
        decide(facts, TEACHING, CLASS, holds_key=True).digest,
        decide(facts, TEACHING, Recipient.PROJECT, holds_key=False).digest,
        decide(facts, Purpose.AUDIT, CLASS, holds_key=False).digest,
        decide(replace(facts, second_person=True), TEACHING, CLASS, holds_key=False).digest,
    }
    assert len(digests) == 5


def test_the_digest_does_not_depend_on_the_order_in_which_records_came():
    one = replace(from_life(), records=frozenset([Record.BEST_INTERESTS, Record.FAMILY_CONSULTATION]))
    other = replace(from_life(), records=frozenset([Record.FAMILY_CONSULTATION, Record.BEST_INTERESTS]))
    assert decide(one, TEACHING, CLASS).digest == decide(other, TEACHING, CLASS).digest
