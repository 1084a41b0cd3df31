"""Is the published JSON Schema the one that validation.json keeps to?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError
from unit.report import cases

from foretrain.validation import Validation

PUBLISHED = Path(__file__).parents[3] / "docs" / "validation.schema.json"


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(published)
    return Draft202012Validator(published)


def test_the_published_schema_is_current() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == Validation.json_schema(), (
        "the records changed; write the schema anew: python -c "
        "'import json; from foretrain.validation import Validation as V; print(json.dumps(V.json_schema(), indent=2))' "
        "> docs/validation.schema.json"
    )


@pytest.mark.parametrize("original", [True, False])
def test_a_validation_keeps_to_it(schema: Draft202012Validator, original: bool) -> None:
    schema.validate(json.loads(cases.validation("review", original=original).to_json()))


@pytest.mark.parametrize(("key", "value"), [("verdict", "maybe"), ("score", 101), ("score", None), ("extra", 1)])
def test_what_breaks_it_is_refused(schema: Draft202012Validator, key: str, value: object) -> None:
    written = cases.validation("reject").to_dict() | {key: value}
    with pytest.raises(ValidationError):
        schema.validate(written)
