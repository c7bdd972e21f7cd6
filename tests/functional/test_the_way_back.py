"""A canary goes bad: its traffic goes back to the variant that is well."""

from __future__ import annotations

from tests.functional.world import Stage


def test_traffic_leaves_the_failing_variant_and_the_shift_is_verified(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()

    stage.deliver()
    assert stage.weights() == {"blue": 10, "green": 0}
    assert stage.incident()["stage"] == "acted"

    stage.wait(60)
    stage.heartbeat()
    assert stage.incident()["stage"] == "verified"
    assert stage.told() == [
        "Remediation Decided: decided",
        "Remediation Acted: acted",
        "Remediation Verified: verified",
    ]
