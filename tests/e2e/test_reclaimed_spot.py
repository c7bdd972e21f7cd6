"""Auto Scaling groups and Spot that is taken back, as any client of the account meets them."""

from __future__ import annotations

import json
from uuid import uuid4

from local.pocket import Pocket
from tests.e2e.probe import a_queue, eventually, queue_policy, received


def test_a_group_is_warned_and_replaces_what_it_loses(pocket: Pocket) -> None:
    ec2, asg, events = (pocket.client(each) for each in ("ec2", "autoscaling", "events"))
    [image, *_] = ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])[
        "Images"
    ]
    name = f"workers-{uuid4().hex[:8]}"
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": image["ImageId"], "InstanceType": "t3.micro"},
    )
    asg.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=2,
        DesiredCapacity=1,
        AvailabilityZones=["us-east-1a"],
        MixedInstancesPolicy={
            "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateName": name}},
            "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0},
        },
    )

    def serving() -> list[str]:
        [group] = asg.describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
            "AutoScalingGroups"
        ]
        return [
            each["InstanceId"]
            for each in group["Instances"]
            if each["LifecycleState"] == "InService"
        ]

    [lost] = eventually(serving)
    url, queue = a_queue(pocket, queue_policy("events.amazonaws.com"))
    pattern = {"source": ["aws.ec2"], "detail": {"instance-id": [lost]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue}])
    pocket.control("PUT", "/durations", {"spot_notice": 1})
    pocket.control("POST", "/ec2/spot/reclaim", {"group": name})
    warning = received(pocket, url)
    assert warning["detail-type"] == "EC2 Spot Instance Interruption Warning"
    assert eventually(lambda: [each for each in serving() if each != lost])
    asg.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)
    pocket.control("PUT", "/durations", {"spot_notice": 120})
