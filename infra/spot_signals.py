"""Event patterns of what speaks of Spot.

Shapes: EC2 user guide, "Spot Instance interruption notices" and "EC2 instance rebalance
recommendations"; EC2 Auto Scaling user guide, "Auto Scaling events"; SageMaker developer guide,
"Events that Amazon SageMaker AI sends to Amazon EventBridge".
"""

from __future__ import annotations

from aws_cdk import aws_events as events


def taken_instances() -> events.EventPattern:
    """Spot Instances that EC2 takes back, or may. Neither event brings tags or a group's name."""
    return events.EventPattern(
        source=["aws.ec2"],
        detail_type=[
            "EC2 Instance Rebalance Recommendation",
            "EC2 Spot Instance Interruption Warning",
        ],
    )


def launches() -> events.EventPattern:
    """Launches of Auto Scaling groups: those that fail tell that Spot is short, those that do not
    that it is back. A reason is text alone, in words that no page promises."""
    return events.EventPattern(
        source=["aws.autoscaling"],
        detail_type=["EC2 Instance Launch Successful", "EC2 Instance Launch Unsuccessful"],
    )


def training_jobs(tag: str) -> events.EventPattern:
    """Training jobs with this tag, whatever its value, and the heirs of such: those carry it too,
    and are not on Spot. An event's tags are an object of keys and values."""
    return events.EventPattern(
        source=["aws.sagemaker"],
        detail_type=["SageMaker Training Job State Change"],
        detail={"Tags": {tag: [{"exists": True}]}},
    )
