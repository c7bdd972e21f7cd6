"""What an owner wants, from tags and plans: whose word counts, and what is refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.decision import Refuse
from functions.provisioned_concurrency.observation import Wish
from functions.provisioned_concurrency.schedule import parse
from functions.provisioned_concurrency.settings import Plan
from functions.provisioned_concurrency.wishes import LEVER, for_all, named, wish

KEY = f"ml-remediation:{LEVER}"
OFFICE = "mon-fri@08:00-18:00=20 tz=Europe/Berlin"
NIGHT = "daily@22:00-06:00=3"


def of(*plans: Plan, name: str = "live", **settings: str) -> Wish | Refuse:
    """The wish for an alias of shop; settings as `live__schedule`, `min`."""
    tags = {f"{KEY}:{setting.replace('__', ':')}": value for setting, value in settings.items()}
    return wish({KEY: "act", **tags}, name, f"function:shop:{name}", plans)


def refused(*plans: Plan, name: str = "live", **settings: str) -> Refuse:
    answer = of(*plans, name=name, **settings)
    assert isinstance(answer, Refuse)
    assert answer.page
    assert answer.next_steps
    return answer


# whose word counts


@pytest.mark.parametrize(
    ("setting", "for_every_one"),
    [
        ("schedule", True),
        ("min", True),
        ("mini", True),
        ("", True),
        ("l!ve:min", True),
        ("max", False),
        ("live:min", False),
        ("live:mini", False),
        ("live:max:min", False),
    ],
)
def test_a_level_is_asked_for_all_without_a_name_be_it_right_or_wrong(
    setting: str, for_every_one: bool
) -> None:
    tags = {KEY: "act", f"{KEY}:live:max": "4", "team": "shop"}
    assert for_all({**tags, f"{KEY}:{setting}": "3"}) == for_every_one


def test_without_a_word_nothing_is_wished() -> None:
    assert of() == Wish()
    assert wish({"team": "shop", f"{KEY}s:min": "3"}, "live", "function:shop:live", ()) == Wish()


def test_a_tag_with_the_name_between_is_of_that_alias_alone() -> None:
    settings = {"live__schedule": OFFICE, "live__min": "2", "live__max": "40"}
    assert of(**settings) == Wish(parse(OFFICE), 2, 40)
    assert of(name="beta", **settings) == Wish()


def test_a_tag_without_a_name_is_of_all_that_say_nothing_themselves_key_by_key() -> None:
    settings = {"schedule": NIGHT, "min": "1", "live__schedule": OFFICE}
    assert of(**settings) == Wish(parse(OFFICE), 1)
    assert of(name="beta", **settings) == Wish(parse(NIGHT), 1)


def test_a_plan_fills_what_no_tag_says() -> None:
    plan = Plan("function:shop:*", OFFICE, 1, 30)
    assert of(plan) == Wish(parse(OFFICE), 1, 30)
    assert of(plan, min="0", live__schedule=NIGHT) == Wish(parse(NIGHT), 0, 30)


def test_the_first_plan_that_fits_counts_and_no_other() -> None:
    plans = (
        Plan("function:*:beta", min=9),
        Plan("endpoint/*", min=8),
        Plan("function:shop:*", min=1),
        Plan("*", max=5),
    )
    assert of(*plans) == Wish(minimum=1)
    assert wish({}, "AllTraffic", "endpoint/chat/variant/AllTraffic", plans) == Wish(minimum=8)


def test_what_is_overruled_is_not_read() -> None:
    assert of(Plan("*", "nonsense"), schedule=OFFICE) == Wish(parse(OFFICE))
    assert of(min="many", live__min="1") == Wish(minimum=1)


@pytest.mark.parametrize("name", ["schedule", "min", "max"])
def test_an_alias_may_be_called_as_a_setting_is(name: str) -> None:
    assert of(name=name, min="4", **{f"{name}__max": "7"}) == Wish(minimum=4, maximum=7)
    assert named({f"{KEY}:{name}:max": "7"}) == {name}
    assert named({f"{KEY}:{name}": "7"}) == frozenset()


def test_0_is_a_word_and_an_empty_schedule_of_a_plan_is_none() -> None:
    assert of(Plan("*", "", 0), max="0") == Wish(None, 0, 0)


# who is named


def test_whoever_a_tag_speaks_of_is_named_be_it_right_or_wrong() -> None:
    tags = {
        KEY: "act",
        f"{KEY}:min": "1",
        f"{KEY}:live:min": "1",
        f"{KEY}:live:max": "2",
        f"{KEY}:beta_2:shedule": OFFICE,
        f"{KEY}:pre-prod:schedule:mon": OFFICE,
        f"{KEY}:not a name:min": "1",
        "ml-remediation:traffic-shift:other:min": "1",
    }
    assert named(tags) == {"live", "beta_2", "pre-prod"}


# what is refused


@pytest.mark.parametrize(
    ("schedule", "code"),
    [
        ("mon@8-18=20", "bad-schedule"),
        ("", "bad-schedule"),
        ("mon@08:00-18:00=1 mon@08:00-18:00=2", "contradictory-windows"),
        ("mon@08:00-18:00=1 tz=Europe/Atlantis", "unknown-zone"),
        ("mon@08:00-18:00=99999", "bad-level"),
    ],
)
def test_a_schedule_that_cannot_be_followed_is_refused_by_the_tag_that_says_it(
    schedule: str, code: str
) -> None:
    refusal = refused(live__schedule=schedule)
    assert refusal.code == code
    assert f"{KEY}:live:schedule" in refusal.reason
    assert refusal.evidence == {f"{KEY}:live:schedule": schedule}
    assert f"{KEY}:live:schedule" in refusal.next_steps[0]


def test_a_plan_that_cannot_be_followed_is_refused_by_its_pattern() -> None:
    refusal = refused(Plan("function:*", "mon@8-18=20"))
    assert refusal.code == "bad-schedule"
    assert "schedule of the plan for function:*" in refusal.reason
    assert refusal.evidence == {"schedule of function:*": "mon@8-18=20"}
    assert "provisioned_concurrency.plans" in refusal.next_steps[0]


@pytest.mark.parametrize("value", ["many", "", "-1", "1.5", "10001", "1" * 5000, "٣", " 1"])
@pytest.mark.parametrize("setting", ["min", "max"])
def test_a_bound_is_a_whole_number_up_to_10000(setting: str, value: str) -> None:
    refusal = refused(**{f"live__{setting}": value})
    assert refusal.code == "bad-level"
    assert f"{KEY}:live:{setting}" in refusal.reason


def test_the_least_and_the_greatest_bound_hold() -> None:
    assert of(min="0", max="10000") == Wish(minimum=0, maximum=10_000)


@pytest.mark.parametrize(
    ("plans", "settings"),
    [
        ((), {"min": "5", "max": "4"}),
        ((), {"min": "5", "live__max": "4"}),
        ((Plan("*", max=4),), {"min": "5"}),
        ((Plan("*", min=5, max=4),), {}),
    ],
)
def test_a_minimum_above_the_maximum_is_refused_whoever_says_it(
    plans: tuple[Plan, ...], settings: Mapping[str, str]
) -> None:
    refusal = refused(*plans, **settings)
    assert refusal.code == "min-above-max"
    assert "is 5, above" in refusal.reason


def test_a_minimum_at_the_maximum_is_none() -> None:
    assert of(min="4", max="4") == Wish(minimum=4, maximum=4)


def test_a_window_above_the_maximum_is_refused_and_one_at_it_is_not() -> None:
    refusal = refused(schedule="mon@08:00-09:00=3 tue@08:00-09:00=21", max="20")
    assert refusal.code == "level-above-max"
    assert "21" in refusal.reason
    assert isinstance(of(schedule=OFFICE, max="20"), Wish)


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ("live__shedule", f"did you mean {KEY}:live:schedule"),
        ("live__MIN", f"did you mean {KEY}:live:min"),
        ("minimum", f"did you mean {KEY}:min"),
        ("live__schedule__0", "there are schedule, min, max"),
        ("live__mon__schedule", f"did you mean {KEY}:live:schedule"),
        ("live", "there are schedule, min, max"),
        ("", "there are schedule, min, max"),
        ("my alias__schedule", "'my alias' is no name"),
    ],
)
def test_a_tag_that_is_no_setting_is_refused_and_the_right_one_named(
    setting: str, hint: str
) -> None:
    refusal = refused(**{setting: "1"})
    assert refusal.code == "bad-tag"
    assert hint in refusal.reason


def test_a_tag_that_is_no_setting_harms_only_the_alias_that_it_names() -> None:
    assert of(beta__shedule=OFFICE, min="1") == Wish(minimum=1)
    assert refused(name="beta", beta__shedule=OFFICE).code == "bad-tag"


@given(
    st.dictionaries(
        st.builds(
            lambda parts: ":".join([KEY, *parts]),
            st.lists(
                st.sampled_from(["live", "min", "max", "schedule", "x", "", "a b"]), max_size=3
            ),
        ),
        st.sampled_from(["", "0", "7", "30", OFFICE, NIGHT, "mon@1=2", "act"]),
        max_size=5,
    )
)
def test_any_tags_are_a_wish_or_a_refusal_that_can_be_told(tags: dict[str, str]) -> None:
    answer = wish(tags, "live", "function:shop:live", ())
    if isinstance(answer, Refuse):
        assert answer.code
        json.dumps(answer.evidence)
    elif answer.maximum is not None:
        assert (answer.minimum or 0) <= answer.maximum
        windows = answer.schedule.windows if answer.schedule else ()
        assert all(window.level <= answer.maximum for window in windows)
