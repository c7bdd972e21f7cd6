"""Some quotas of other services, each kind that a client can stumble over among them.

Names and codes are those that real accounts list; values are AWS's defaults but where it is said.
"""

from __future__ import annotations

from collections.abc import Iterator

from local.cloud.servicequotas.quotas import Period, Quota, Service, UsageMetric

SECOND, MINUTE = Period(1, "SECOND"), Period(1, "MINUTE")


def other_services() -> Iterator[Service]:
    """The services of the built-in catalogue beside EC2 and SageMaker."""
    yield Service.of(
        "autoscaling",
        "Amazon EC2 Auto Scaling",
        [
            Quota("Auto Scaling groups per region", 500, "L-CDE20ADC"),
            Quota("Launch configurations per region", 200, "L-6B80B8FA"),
        ],
    )
    yield Service.of("bedrock", "Amazon Bedrock", _bedrock())
    yield Service.of(
        "cloudformation",
        "AWS CloudFormation",
        [
            Quota("Stack count", 2000, "L-0485CB21"),
            Quota("Output count in CloudFormation template", 200, "L-87D14FB7", adjustable=False),
        ],
    )
    yield Service.of("dynamodb", "Amazon DynamoDB", _dynamodb())
    yield Service.of(
        "ebs",
        "Amazon Elastic Block Store (Amazon EBS)",
        [
            Quota("Snapshots per Region", 100000, "L-309BACF6"),
            Quota("Storage for General Purpose SSD (gp2) volumes, in TiB", 50, "L-D18FCD1D"),
            Quota("Storage for General Purpose SSD (gp3) volumes, in TiB", 50, "L-7A658B76"),
        ],
    )
    yield Service.of(
        "elasticloadbalancing",
        "Elastic Load Balancing (ELB)",
        [
            Quota("Application Load Balancers per Region", 50, "L-53DA6B97"),
            Quota("Network Load Balancers per Region", 50, "L-69A177A2"),
            Quota("Target Groups per Region", 3000, "L-B22855CB"),
        ],
    )
    yield Service.of("emr-serverless", "Amazon EMR Serverless", [_vcpus_with_the_wrong_statistic()])
    yield Service.of("es", "Amazon OpenSearch Service", _opensearch())
    yield Service.of("fargate", "AWS Fargate", _fargate())
    yield Service.of("iam", "AWS Identity and Access Management (IAM)", _iam())
    yield Service.of("kms", "AWS Key Management Service (AWS KMS)", _kms())
    yield Service.of("lambda", "AWS Lambda", _lambda())
    yield Service.of("monitoring", "Amazon CloudWatch", [_calls_a_second()])
    yield Service.of("s3", "Amazon Simple Storage Service (Amazon S3)", _s3())
    yield Service.of("vpc", "Amazon Virtual Private Cloud (Amazon VPC)", _vpc())


def _bedrock() -> Iterator[Quota]:
    """Tokens and requests a minute, of which real new accounts have none although AWS's default is
    millions; they have no usage metric, and some cannot be raised."""
    on_demand = "On-demand model inference {} per minute for {}"
    cross = "Cross-region model inference {} per minute for {}"
    for name, code, default, adjustable in (
        (on_demand.format("tokens", "Amazon Nova Micro"), "L-CFA4FA0D", 4_000_000, False),
        (on_demand.format("requests", "Amazon Nova Micro"), "L-E118F160", 2000, False),
        (cross.format("tokens", "Amazon Nova Micro"), "L-DC7FF66C", 8_000_000, True),
        (cross.format("requests", "Amazon Nova Micro"), "L-3F110E0F", 4000, True),
        (on_demand.format("tokens", "Amazon Nova Lite"), "L-70423BF8", 4_000_000, False),
        (on_demand.format("requests", "Amazon Nova Lite"), "L-E386A278", 2000, False),
    ):
        yield Quota(name, default, code, applied=0, adjustable=adjustable, period=MINUTE)
    name = on_demand.format("tokens", "Mistral AI Mistral 7B Instruct")
    yield Quota(name, 300_000, "L-02D831F1", adjustable=False, period=MINUTE)


def _dynamodb() -> Iterator[Quota]:
    tables = {"Service": "DynamoDB", "Class": "None", "Type": "Resource", "Resource": "TableCount"}
    metric = UsageMetric("ResourceCount", tables)
    yield Quota("Maximum number of tables", 2500, "L-F98FE922", metric=metric)
    for name, code, units in (
        ("Account-level read throughput limit (Provisioned mode)", "L-34F6A552", 80000),
        ("Account-level write throughput limit (Provisioned mode)", "L-34F8CCC8", 80000),
        ("Table-level read throughput limit", "L-CF0CBE56", 40000),
        ("Table-level write throughput limit", "L-AB614373", 40000),
    ):
        yield Quota(name, units, code)


def _vcpus_with_the_wrong_statistic() -> Quota:
    """A gauge without a period for which AWS recommends Sum, which tells minutes times too much
    (github.com/aws-solutions/quota-monitor-for-aws/issues/212)."""
    metric = UsageMetric(
        "ResourceCount",
        {"Service": "EMR Serverless", "Class": "None", "Type": "Resource", "Resource": "vCPU"},
        statistic="Sum",
    )
    return Quota("Max concurrent vCPUs per account", 16, "L-D05C8A75", metric=metric)


def _opensearch() -> Iterator[Quota]:
    """The user guide's example of a quota for each resource (request-quota-increase)."""
    yield Quota("Domains per Region", 100, "L-076D529E")
    yield Quota("Dedicated master instances per domain", 5, "L-AE676A72", adjustable=False)
    yield Quota("Warm instances per domain", 150, "L-1F053E6F", adjustable=False)
    yield Quota(
        "Instances per domain",
        80,
        "L-6408ABDE",
        resource_type="AWS::OpenSearchService::Domain",
        account_wide=True,
    )


def _fargate() -> Iterator[Quota]:
    for name, code, kind in (
        ("Fargate On-Demand vCPU resource count", "L-3032A538", "Standard/OnDemand"),
        ("Fargate Spot vCPU resource count", "L-36FBB829", "Standard/Spot"),
    ):
        dimensions = {"Service": "Fargate", "Type": "Resource", "Resource": "vCPU", "Class": kind}
        yield Quota(name, 6, code, applied=140, metric=UsageMetric("ResourceCount", dimensions))


def _iam() -> Iterator[Quota]:
    for name, code, value, adjustable in (
        ("Roles per account", "L-FE177D64", 1000, True),
        ("Users per account", "L-F55AF5E4", 5000, False),
        ("Groups per account", "L-F4A5425F", 300, True),
        ("Customer managed policies per account", "L-E95E4862", 1500, True),
        ("Managed policies per role", "L-0DA4ABF3", 10, True),
        ("Instance profiles per account", "L-6E65F664", 1000, True),
        ("Server certificates per account", "L-BF35879D", 20, True),
    ):
        yield Quota(name, value, code, is_global=True, adjustable=adjustable)


def _kms() -> Iterator[Quota]:
    name = "Cryptographic operations (symmetric) request rate"
    metric = _calls("KMS", "CryptographicOperationsSymmetric")
    yield Quota(name, 10000, "L-6E3AF000", metric=metric, period=SECOND)


def _lambda() -> Iterator[Quota]:
    """Concurrency is told outside `AWS/Usage` and without dimensions."""
    concurrent = UsageMetric("ConcurrentExecutions", {}, namespace="AWS/Lambda")
    yield Quota("Concurrent executions", 1000, "L-B99A9384", metric=concurrent)
    yield Quota("Function and layer storage", 75, "L-2ACBD22F", unit="Gigabytes")
    yield Quota("Elastic network interfaces per VPC", 500, "L-9FEE3D26", default_only=True)


def _calls_a_second() -> Quota:
    metric = _calls("CloudWatch", "GetMetricData")
    return Quota("Rate of GetMetricData requests", 50, "L-5E141212", metric=metric, period=SECOND)


def _s3() -> Iterator[Quota]:
    """Buckets count for the whole account; access points for a Region."""
    yield Quota("General purpose buckets", 10000, "L-DC2B2D3D", is_global=True)
    yield Quota("Access Points", 10000, "L-FAABEEBA")
    name = "Replication transfer rate"
    yield Quota(name, 1, "L-349AD9CA", error="SERVICE_QUOTA_NOT_AVAILABLE_ERROR")


def _vpc() -> Iterator[Quota]:
    yield Quota("VPCs per Region", 5, "L-F678F1CE")
    yield Quota("VPC security groups per Region", 2500, "L-E79EC296", default_only=True)
    yield Quota("Security groups per network interface", 5, "L-2AFB9258")
    yield Quota("Network interfaces per Region", 5000, "L-DF5E4CA3")


def _calls(service: str, operation: str) -> UsageMetric:
    return UsageMetric(
        "CallCount",
        {"Service": service, "Class": "None", "Type": "API", "Resource": operation},
        statistic="Sum",
    )
