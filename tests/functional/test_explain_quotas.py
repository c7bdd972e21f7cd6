"""What `explain` says offline of each event under events/ that speaks of a quota or of capacity."""

from __future__ import annotations

ASKED = {
    "quota_increase/endpoint_failed_for_a_quota.json": "ml.g5.48xlarge for endpoint usage",
    "quota_increase/endpoint_refused.json": "ml.g5.48xlarge for endpoint usage",
    "quota_increase/fleet_refused_inside_a_success.json": "Running On-Demand G and VT instances",
    "quota_increase/health_threshold_breach.json": "ml.g5.48xlarge for endpoint usage",
    "quota_increase/instances_refused.json": "Running On-Demand P instances",
    "quota_increase/instances_refused_through_auto_scaling.json": (
        "Running On-Demand G and VT instances"
    ),
    "quota_increase/processing_jobs_total_refused.json": (
        "Number of instances across all processing jobs"
    ),
    "quota_increase/service_quotas_threshold.json": "Number of instances across all training jobs",
    "quota_increase/spot_instances_refused.json": "All P5 Spot Instance Requests",
    "quota_increase/spot_training_job_refused.json": "ml.p5.48xlarge for spot training job usage",
    "quota_increase/training_job_refused.json": "ml.p4d.24xlarge for training job usage",
    "quota_increase/training_job_refused_2017_text.json": "ml.p2.xlarge for training job usage",
    "quota_increase/training_job_refused_support_text.json": "ml.p5.48xlarge for training job usage",
    "quota_increase/training_plan_refused.json": (
        "Number of ml.p5.48xlarge instances in reserved capacity across training plans per Region"
    ),
    "quota_increase/trusted_advisor_warning.json": "Running On-Demand G and VT instances",
}
"""Events that speak of a quota, and its name."""
SHORT = {
    "quota_increase/instances_out_of_capacity.json": "p4d.24xlarge",
    "quota_increase/spot_fleet_out_of_capacity.json": "p5.48xlarge",
    "quota_increase/training_job_out_of_capacity.json": "ml.p4d.24xlarge",
}
"""Events that say that AWS is out of capacity, and of which instance type."""
WATCHED = {
    "quota_increase/usage_alarm.json",
    "quota_increase/usage_alarm_on_lambda.json",
}
"""Alarms on metrics of usage: which quota they measure is looked up when they speak."""
PASSED_OVER = {
    "quota_increase/alarm_on_something_else.json": "not-an-endpoint",
    "quota_increase/call_not_allowed.json": "not-a-shortage",
    "quota_increase/call_throttled.json": "not-a-shortage",
    "quota_increase/training_job_failed_of_itself.json": "not-a-shortage",
    "quota_increase/trusted_advisor_well.json": "not-a-shortage",
    "quota_increase/usage_alarm_muted.json": "muted",
}
"""Events that need no remedy, and why not."""
UNREADABLE = {
    "invalid/event_nobody_asked_for.json": "unknown-signal",
    "invalid/quota_call_in_another_region.json": "other-region",
    "invalid/quota_call_of_another_account.json": "foreign-account",
    "invalid/quota_call_of_unknown_family.json": "unknown-family",
    "invalid/quota_call_of_wrong_types.json": "no-instance-type",
    "invalid/quota_call_without_instance_type.json": "no-instance-type",
    "invalid/quota_text_without_a_name.json": "unparsable-text",
    "invalid/trusted_advisor_of_another_region.json": "other-region",
    "quota_increase/endpoint_out_of_capacity.json": "no-instance-type",
    "quota_increase/instances_out_of_capacity_everywhere.json": "no-instance-type",
}
"""Events that cannot be acted on, and the code they are refused with."""
EVENTS = [*ASKED, *SHORT, *WATCHED, *PASSED_OVER, *UNREADABLE]
