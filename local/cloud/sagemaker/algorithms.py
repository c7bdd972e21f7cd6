"""SageMaker's built-in algorithms, as far as their images differ from a customer's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BUILT_IN = re.compile(
    r"(?:382416733822|811284229777|522234722520|766337827248|683313688378(?=[^/]*/sagemaker-xgboost))"
    r"\.dkr\.ecr\.us-east-1\.amazonaws\.com/.+"
)
"""Images of built-in algorithms in us-east-1 (SageMaker developer guide, "Docker registry paths and
example code", ecr-us-east-1). sagemaker-xgboost is one, also with a script of one's own; its
registry's scikit-learn is not."""
OVERRIDES_METRICS = (
    "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the "
    "request without specifying metric definitions."
)
"""github.com/awslabs/mlspace, its tests of creating training jobs."""
METRICS = [{"Name": "train:progress", "Regex": "#progress_metric: host=\\S+, completed (\\S+) %"}]
"""Stands for what DescribeTrainingJob lists by itself for a built-in algorithm."""


def is_built_in(algorithm: Mapping[str, Any]) -> bool:
    """Whether an AlgorithmSpecification names the image of a built-in algorithm."""
    return bool(_BUILT_IN.fullmatch(algorithm.get("TrainingImage", "")))
